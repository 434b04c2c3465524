"""What a server's certificates mean. Pure: what was seen goes in, a finding comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from casduo.diagnosis.model import Fact, Finding, Part
from casduo.outbound.tls import Certificate, Verdict

SOON = 14.0
"""Days before its end from which on a certificate of our own is worth a word."""

_DAY = 86_400.0
_CREDIBLE = 300.0
"""Seconds by which the server's clock must differ from ours before ours is doubted."""
_CERTIFICATE_PAGE = "it stands in Cisco Unified OS Administration, Security, Certificate Management, as 'tomcat'"
_DUO_DOMAINS = (".duosecurity.com", ".duofederal.com")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at Duo's TLS brought to light.

    :param chain: the certificates shown, the server's own first; never empty.
    :param pinned: what somebody makes of it who trusts the authorities of Duo's own clients only.
    :param used: what casduo makes of it, which also trusts the file that the settings name.
    :param system: what a program of this machine makes of it.
    :param told: the server's clock, by its own unproven word; None if it was not asked or did not say.
    """

    chain: tuple[Certificate, ...]
    pinned: Verdict
    used: Verdict
    system: Verdict
    told: float | None = None


@dataclass(frozen=True, slots=True)
class SettingNames:
    """Names of the settings that a remedy may speak of."""

    host: str
    ca_file: str


def judge_duo_certificate(part: Part, host: str, seen: Seen, now: float, settings: SettingNames) -> Finding:
    """Return the finding about the certificate shown for Duo's host.

    :param host: without the port.
    :param now: epoch seconds.
    """
    leaf = seen.chain[0]
    found, facts = _described(leaf, now), _facts(seen.chain)
    match seen.used:
        case Verdict.TRUSTED if seen.pinned is Verdict.TRUSTED:
            return part.ok("certificate", f"{found}; vouched for by an authority that Duo's clients pin", **facts)
        case Verdict.TRUSTED:
            return _by_our_file(part, host, seen, found, facts, settings)
        case Verdict.UNKNOWN_AUTHORITY:
            return _unknown_authority(part, seen, found, facts, settings)
        case Verdict.WRONG_NAME:
            return part.fault(
                "certificate",
                found,
                "wrong_name",
                f"it is for {_some(leaf.names) or 'no name at all'}, not for {host}: {settings.host} is mistyped, or "
                "somebody else answers in Duo's place",
                f"compare {settings.host} with the API hostname on the application's page in Duo's Admin Panel",
                **facts,
            )
        case Verdict.EXPIRED | Verdict.NOT_YET_VALID:
            return _out_of_time(part, seen, now, found, facts)
    return _strange(part, found, facts)


def judge_ucm_certificate(
    part: Part, host: str, chain: Sequence[Certificate], verdict: Verdict, now: float, settings: SettingNames
) -> Finding:
    """Return the finding about the certificate that a node of a UCM shows.

    :param host: the node, as the settings name it.
    :param chain: the certificates shown, the node's own first; never empty.
    :param verdict: of a client that trusts those whom casduo trusts here.
    """
    leaf = chain[0]
    found, facts = _described(leaf, now), _facts(chain)
    match verdict:
        case Verdict.TRUSTED:
            return part.ok("certificate", found, **facts)
        case Verdict.UNKNOWN_AUTHORITY:
            if leaf.subject == leaf.issuer:
                cause = "the node vouches for itself, as it does after its installation, and nobody here trusts it"
                file = "the node's own certificate"
            else:
                cause = f"nobody here trusts the authority {chain[-1].issuer}"
                file = "that authority's certificate, once you know whose it is,"
            remedy = f"put {file} into a PEM file and name it in {settings.ca_file}; {_CERTIFICATE_PAGE}"
            return part.fault("certificate", found, "unknown_authority", cause, remedy, **facts)
        case Verdict.WRONG_NAME:
            cause = f"it is for {_some(leaf.names) or 'no name at all'}, and {settings.host} says {host}"
            remedy = f"write the node into {settings.host} as its certificate names it"
            return part.fault("certificate", found, "wrong_name", cause, remedy, **facts)
        case Verdict.EXPIRED | Verdict.NOT_YET_VALID:
            early = verdict is Verdict.NOT_YET_VALID
            cause = f"{'not yet valid' if early else 'no longer valid'} by this server's clock: {_moment(now)}"
            remedy = f"compare this server's clock with a watch; renew the node's certificate; {_CERTIFICATE_PAGE}"
            return part.fault("certificate", found, str(verdict), cause, remedy, **facts)
    return _strange(part, found, facts)


def judge_own_certificate(
    part: Part, host: str, chain: Sequence[Certificate], verdict: Verdict, now: float, setting: str
) -> Finding:
    """Return the finding about the certificate that this server itself shows.

    :param host: that browsers ask for.
    :param verdict: of a client that trusts this machine's authorities.
    :param setting: names the file.
    """
    leaf = chain[0]
    found, facts = _described(leaf, now), _facts(chain)
    renew = f"put a new one into {setting}, and SIGHUP"
    match verdict:
        case Verdict.EXPIRED:
            return part.fault("certificate", found, "expired", "no browser takes it any more", renew, **facts)
        case Verdict.NOT_YET_VALID:
            cause = "no browser takes it yet, or this server's clock is behind"
            return part.fault("certificate", found, "not_yet_valid", cause, "compare the clock", **facts)
        case Verdict.WRONG_NAME:
            cause = f"it is for {_some(leaf.names) or 'no name at all'}, and browsers ask for {host} (server.url)"
            return part.fault("certificate", found, "wrong_name", cause, f"{renew}, or correct server.url", **facts)
        case Verdict.UNKNOWN_AUTHORITY:
            cause = f"this machine does not know the authority {chain[-1].issuer}; browsers and applications must"
            remedy = f"if a public authority made it, {setting} lacks the intermediate certificates: append them"
            return part.attention("certificate", found, "unknown_authority", cause, remedy, **facts)
        case Verdict.REFUSED:
            cause = "it does not verify; browsers will say why"
            return part.fault("certificate", found, "certificate", cause, renew, **facts)
    days = (leaf.until - now) / _DAY
    if days < SOON:
        return part.attention(
            "certificate", found, "expires_soon", f"it ends in {_days(days)}, and with it every sign-in", renew, **facts
        )
    return part.ok("certificate", found, **facts)


def _strange(part: Part, found: str, facts: dict[str, Fact]) -> Finding:
    cause = "it does not verify, for a reason that is none of the usual ones: it may be damaged or forged"
    remedy = "look at it with 'openssl s_client' from this machine, and from another network"
    return part.fault("certificate", found, "certificate", cause, remedy, **facts)


def _by_our_file(
    part: Part, host: str, seen: Seen, found: str, facts: dict[str, Fact], settings: SettingNames
) -> Finding:
    said = f"{found}; vouched for by {settings.ca_file}, not by an authority that Duo's clients pin"
    if not host.endswith(_DUO_DOMAINS):
        return part.ok("certificate", said, **facts)
    return part.attention(
        "certificate",
        said,
        "own_authority",
        f"the connection to Duo is opened on the way; whoever has the key of {seen.chain[-1].issuer} can answer in "
        "Duo's name",
        f"have {host} excepted from inspection, and take the authority out of {settings.ca_file} again",
        **facts,
    )


def _unknown_authority(part: Part, seen: Seen, found: str, facts: dict[str, Fact], settings: SettingNames) -> Finding:
    issuer = seen.chain[-1].issuer
    if seen.system is Verdict.TRUSTED:
        cause = (
            f"somebody is in the middle whom this machine trusts and Duo's clients do not: {issuer}, most likely a web "
            "proxy or a security program of your organisation that opens TLS; else Duo has changed to an authority "
            "that the installed duo_client and duo_universal do not know yet"
        )
        remedy = (
            "have Duo's API host excepted from inspection, as Duo demands; if that cannot be, name the authority's "
            f"file in {settings.ca_file}"
        )
    else:
        cause = (
            f"neither Duo's clients nor this machine know the authority {issuer}: somebody is in the middle, or "
            f"{settings.host} does not lead to Duo"
        )
        remedy = (
            f"find out whose {issuer} is before anything else; if it is the web proxy of your organisation, have Duo's "
            f"API host excepted from inspection, or name the authority's file in {settings.ca_file}"
        )
    return part.fault("certificate", found, "in_the_middle", cause, remedy, **facts)


def _out_of_time(part: Part, seen: Seen, now: float, found: str, facts: dict[str, Fact]) -> Finding:
    told = seen.told
    in_time_there = told is not None and all(each.since <= told <= each.until for each in seen.chain)
    if told is not None and in_time_there and abs(told - now) > _CREDIBLE:
        return part.fault(
            "certificate",
            found,
            "clock",
            f"this server's clock is wrong, as it seems: it says {_moment(now)}, the other side says {_moment(told)}, "
            "and then the certificate is valid",
            "set this server's clock, and let a time service keep it",
            **facts,
        )
    if seen.used is Verdict.NOT_YET_VALID:
        cause = f"it is valid from {_moment(max(each.since for each in seen.chain))} on, and here it is {_moment(now)}"
        remedy = "compare this server's clock with a watch: it is most likely behind"
        return part.fault("certificate", found, "not_yet_valid", cause, remedy, **facts)
    clock = "and the other side's clock agrees" if told is not None else "if this server's clock is right"
    return part.fault(
        "certificate",
        found,
        "expired",
        f"it ended {_moment(min(each.until for each in seen.chain))}, and here it is {_moment(now)}, {clock}: somebody "
        "else answers in Duo's place, or a file of authorities has become old",
        "compare this server's clock with a watch; update duo_client and duo_universal; look at the certificate from "
        "another network",
        **facts,
    )


def _described(leaf: Certificate, now: float) -> str:
    days = (leaf.until - now) / _DAY
    until = f"valid until {_day(leaf.until)} ({_days(days)})" if days > 0 else f"expired {_day(leaf.until)}"
    return f"{leaf.subject or _some(leaf.names)}, issued by {leaf.issuer}, {until}"


def _facts(chain: Sequence[Certificate]) -> dict[str, Fact]:
    leaf = chain[0]
    return {
        "chain": tuple(f"{each.subject} / {each.issuer}" for each in chain),
        "names": leaf.names,
        "valid_from": _moment(leaf.since),
        "valid_until": _moment(leaf.until),
        "sha256": leaf.fingerprint,
    }


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _days(days: float) -> str:
    return "1 day" if 1 <= days < 2 else f"{days:.0f} days" if days >= 2 else "less than a day"


def _day(moment: float) -> str:
    return _utc(moment).date().isoformat()


def _moment(moment: float) -> str:
    return _utc(moment).strftime("%Y-%m-%d %H:%M UTC")


def _utc(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)
