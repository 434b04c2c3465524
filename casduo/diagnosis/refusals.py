"""What a failure of Duo means for the settings, in words. Pure.

The codes are Duo's (Auth API, errors). A wrong key, a wrong secret, a wrong clock and an application of the
wrong type are four mistakes that look alike from outside; each has its own sentence here and names the setting to look
at, never its value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from casduo.diagnosis.model import Explained
from casduo.mfa.duo.errors import DuoFailure

_CODE = re.compile(r"\bcode ([0-9]{5})\b")
_SET_CLOCK = "set this server's clock, and let a time service keep it"
_PANEL = "on the application's page in Duo's Admin Panel"


@dataclass(frozen=True, slots=True)
class Keys:
    """A pair of keys, as the settings name it.

    :param identifier: setting that holds the integration key or client id.
    :param secret: setting that holds its secret.
    :param kind: type that the application must have: ``Web SDK``, ``Auth API``, ``Admin API``.
    :param host: setting that holds the API host.
    :param borrowed: the keys of a Web SDK application serve, as no others are set.
    :param own: section that keys of the right type belong into.
    """

    identifier: str
    secret: str
    kind: str
    host: str
    borrowed: bool = False
    own: str = ""


def code_of(message: str) -> int:
    """Return Duo's code, which stands in the sentence of a failure that has one; 0 if there is none.

    :param message: of :class:`~casduo.mfa.duo.errors.DuoFailure`, or of a health made of one.
    """
    found = _CODE.search(message)
    return int(found[1]) if found else 0


def explain(failure: DuoFailure, keys: Keys) -> Explained:
    """Return what ``failure`` means of a call that was signed with ``keys``."""
    return explained(failure.detail, code_of(failure.message), keys)


def explained(detail: str, code: int, keys: Keys) -> Explained:
    """Return what a failure means of a call that was signed with ``keys``.

    :param detail: as :mod:`casduo.mfa.duo.errors` lists them.
    :param code: Duo's, 0 if it gave none.
    """
    if detail == "keys":
        return _keys(code, keys)
    if detail == "rights":
        return _wrong_type(keys)
    if detail == "clock":
        return Explained(
            f"Duo refuses the time in our request{_shown(code)}",
            "wrong_clock",
            "this server's clock is too far from Duo's; keys cannot be told right or wrong before it is set",
            _SET_CLOCK,
        )
    other = _OTHERS.get(detail, _UNFORESEEN)
    return replace(other, remedy=other.remedy.format(host=keys.host))


def clocks_apart() -> Explained:
    """Return that the prompt cannot be used, whatever the keys."""
    return Explained(
        "cannot be used while the clocks are so far apart",
        "wrong_clock",
        "see the examination of the clock; whether the keys are right shows once it is set",
        _SET_CLOCK,
    )


def wrong_kind_of_application(keys: Keys, found: str) -> Explained:
    """Return that the keys are right, and the application is not of the type that the call needs."""
    return Explained(
        found,
        "wrong_type",
        f"{keys.identifier} belongs to an application of another type than {keys.kind}; perhaps two pairs of keys were "
        "exchanged",
        f"protect an application of the type {keys.kind} in Duo's Admin Panel, and put its keys there",
    )


def _wrong_type(keys: Keys) -> Explained:
    found = "Duo takes the keys and forbids the call (code 40301)"
    if not keys.borrowed:
        return wrong_kind_of_application(keys, found)
    return Explained(
        found,
        "wrong_type",
        f"no keys of the type {keys.kind} are set, so those of the prompt ({keys.identifier}) are used, and Duo does "
        "not let such an application do this",
        f"protect an application of the type {keys.kind} in Duo's Admin Panel, and put its keys into {keys.own}",
    )


def _keys(code: int, keys: Keys) -> Explained:
    match code:
        case 40102:
            return Explained(
                "Duo does not know the key (code 40102)",
                "unknown_key",
                f"{keys.identifier} belongs to no application at this API host: it is mistyped, of another account, "
                "or the application was removed",
                f"copy it anew from where it stands {_PANEL}, and compare {keys.host} with the API hostname there",
            )
        case 40103:
            return Explained(
                "Duo knows the key and refuses the secret (code 40103)",
                "wrong_secret",
                f"{keys.secret} is not the secret of {keys.identifier}: it is mistyped, of another application, or was "
                "reset in Duo since",
                f"copy it anew from where it stands {_PANEL}",
            )
        case 40101:
            return Explained(
                "Duo sees no keys in our request (code 40101)",
                "no_credentials",
                "somebody on the way takes the Authorization header away, most likely a web proxy",
                "have Duo's API host excepted from inspection",
            )
    return Explained(
        f"Duo does not accept the keys{_shown(code)}",
        "keys",
        f"{keys.identifier} or {keys.secret} is wrong; Duo does not say which",
        f"copy both anew from where they stand {_PANEL}",
    )


def _shown(code: int) -> str:
    return f" (code {code})" if code else ""


_STATUS_PAGE = "look at status.duo.com; there is nothing to set here"
_NOT_DUO = "what answers is not Duo's interface: a web proxy, a guest network's sign-in page, or another server"
_UNFORESEEN = Explained(
    "Duo failed in a way that casduo does not know",
    "unexpected",
    "neither the settings nor the network explain it",
    "look at status.duo.com; if it stays, tell the authors of casduo",
)
_SILENT = Explained(
    "Duo takes the connection and does not answer in time",
    "timeout",
    "Duo or the way there is overloaded, or a firewall lets connections through and not what is said",
    "look at status.duo.com; ask who keeps firewall and web proxy",
)
_OTHERS = {
    "timeout": _SILENT,
    "deadline": _SILENT,
    "refused": Explained(
        "Duo refuses connections", "refused", "a firewall, or nothing listens there any more", "look at the network"
    ),
    "reset": Explained(
        "Duo hangs up instead of answering",
        "reset",
        "a firewall that looks into connections, or a fault at Duo",
        "ask who keeps the firewall; look at status.duo.com",
    ),
    "dns": Explained("Duo's name is not known", "dns", "this machine's name servers do not answer", "look at them"),
    "connection": Explained(
        "no connection to Duo comes about", "connection", "this machine has no route there", "look at its network"
    ),
    "proxy": Explained("the web proxy does not connect to Duo", "proxy", "it is down, or refuses", "look at duo.proxy"),
    "server_error": Explained(
        "Duo reports an error of its own", "server_error", "a fault at Duo, or of a web proxy in between", _STATUS_PAGE
    ),
    "unreadable": Explained(
        "the answer is none that Duo gives", "unreadable", _NOT_DUO, "compare {host} and duo.proxy"
    ),
    "too_large": Explained(
        "the answer is far longer than any that Duo gives", "too_large", _NOT_DUO, "compare {host} and duo.proxy"
    ),
    "request": Explained(
        "the request is refused as such",
        "request",
        f"{_NOT_DUO}; or Duo's interface has changed",
        "compare {host} and duo.proxy; update casduo",
    ),
    "rate_limited": Explained(
        "Duo limits our requests (code 42901)",
        "rate_limited",
        "these keys have sent too many requests of late: many logins at once, somebody who tries names, or another "
        "program with the same keys; while it lasts nobody gets past Duo, not even where a service says fail: open",
        "wait some minutes; find out who else uses the keys",
    ),
    "certificate": Explained(
        "the certificate does not verify", "certificate", "see the examination of the certificate", ""
    ),
}
"""By the ``detail`` of a failure, for those that say nothing of keys."""
