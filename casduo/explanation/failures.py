"""What the owner of an application does about failed validations: for each cause what probably lies behind it, and the
remedy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from casduo.protocol.failures import Failure


@dataclass(frozen=True, slots=True)
class Advice:
    """What happened, what probably lies behind it, and what to do: a sentence or two each."""

    happened: str
    cause: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ExplainedFailure:
    """A failure with the advice for it. ``times`` counts it and those just before it that are the same but for moment,
    ticket and reference; ``since`` is the moment of the oldest of them, in epoch seconds.
    """

    failure: Failure
    times: int
    since: float
    advice: Advice


def explain_failures(failures: Sequence[Failure]) -> tuple[ExplainedFailure, ...]:
    """Explain failures.

    :param failures: the newest first
    :return: the newest first; of the same failure in a row the newest stands for all
    """
    return tuple(_explained(group, failures) for group in _rows(failures))


def _rows(failures: Sequence[Failure]) -> Iterator[list[Failure]]:
    row: list[Failure] = []
    for failure in failures:
        if row and _alike(failure) != _alike(row[0]):
            yield row
            row = []
        row.append(failure)
    if row:
        yield row


def _alike(failure: Failure) -> tuple[str, ...]:
    return (failure.cause, failure.endpoint, failure.address, failure.granted, failure.presented, failure.why)


def _explained(row: Sequence[Failure], failures: Sequence[Failure]) -> ExplainedFailure:
    newest, oldest = row[0], row[-1]
    return ExplainedFailure(newest, len(row), oldest.at, _advice(newest, failures))


def _advice(failure: Failure, failures: Sequence[Failure]) -> Advice:
    # A server of another version may know a cause that this one has no advice for.
    advice = ADVICE.get(failure.cause, ADVICE["unauthorized"])
    if failure.cause == "unknown" and _used_up(failure, failures):
        return _AGAIN
    remedy = advice.remedy
    if failure.loosely_same:
        remedy = f"{remedy} {_LOOSE}"
    return Advice(advice.happened, advice.cause, remedy)


def _used_up(failure: Failure, failures: Sequence[Failure]) -> bool:
    """Whether an earlier failure is about the same ticket, as far as a masked one can tell."""
    return bool(failure.ticket) and any(
        other.ticket == failure.ticket and other.at <= failure.at and other.cause != "unknown" for other in failures
    )


_OWN_ADDRESS: Final = (
    "Tell the application its public address: CASRootProxiedAs in mod_auth_cas, serverName in the Java client, the "
    "service base URL in phpCAS, CAS_ROOT_PROXIED_AS in django-cas-ng, service_url in casduo.middleware."
)
_SAME_ADDRESS: Final = (
    "Let the application remember the address that it sent to the login, and validate with that very one instead of "
    "building it anew."
)
_LOOSE: Final = "Or set service_match: loose in the entry, which takes the two for the same."

_AGAIN: Final = Advice(
    "A ticket that had failed before was presented once more.",
    "A ticket is good for one attempt, failed or not; the earlier failure is the one to look at.",
    "Mend what the earlier failure is about, and let the application send the person to the login again instead of "
    "repeating the validation.",
)

ADVICE: Final[Mapping[str, Advice]] = {
    "unknown": Advice(
        "The ticket was not known: used before, too old, or never granted here.",
        "Mostly a ticket that is validated twice: by two parts of the application, by a proxy that repeats requests, "
        "or by a page that is loaded again with the ticket in its address. Else the validation came too late (a ticket "
        "lives for tickets.service_ticket, 30 seconds by default) or came from a login at another server.",
        "Validate each ticket once, then send the browser on to the address without it. If the log shows that much "
        "time went by since the ticket was granted, look for what is slow on the way: name service, proxy, firewall.",
    ),
    "foreign": Advice(
        "What was presented is no ticket of this server.",
        "It was cut or altered on the way, it comes from another CAS server, or somebody is guessing.",
        "A service ticket has 32 characters: letters, digits and hyphens. See that nothing shortens or filters it, and "
        "that login and validation of the application are set to the same server.",
    ),
    "ended": Advice(
        "The session ended between the login and the validation.",
        "The person signed out, or signed in anew, in these seconds.",
        "Nothing, as long as it is rare. If it is not, look for what makes the application validate so late.",
    ),
    "renew": Advice(
        "The application insists on a new sign-in (renew), and the ticket comes from a session.",
        "It sends renew with the validation, but not with the login.",
        "Send renew=true in both places or in neither.",
    ),
    "stale": Advice(
        "The entry wants a newer session than the person had.",
        "Between login and validation the session became too old for the entry, or the entry became stricter.",
        "Nothing, as long as it is rare. Else look at single_sign_on, authentication, accept_remember_me and session "
        "in the entry.",
    ),
    "proxy_ticket": Advice(
        "A proxy ticket was presented where only service tickets are taken.",
        "Another application calls this one in a person's name, and this one validates at /serviceValidate.",
        "If that is wanted, validate at /proxyValidate or /p3/proxyValidate and check the list of proxies.",
    ),
    "https_lost": Advice(
        "People came by https, and the application validated as if they had come by http.",
        "TLS ends at a proxy in front of the application, which does not know of it.",
        f"{_OWN_ADDRESS} Or let the proxy say X-Forwarded-Proto: https, and the application believe it.",
    ),
    "https_added": Advice(
        "The login was for an address with http, and the application validated one with https.",
        "People come by http, and are sent on to https with the ticket already in the address.",
        "Send people to https before they are sent to the login.",
    ),
    "host": Advice(
        "The application validated for another host than the one that people came to.",
        "It builds its address from the name of its own machine, or from a Host header that a proxy has changed; or it "
        "has several names, and people came by another one.",
        f"{_OWN_ADDRESS} Where there are several names, send people on to one of them first.",
    ),
    "port": Advice(
        "The application validated for another port than the one that people came to.",
        "It builds its address with the port on which it listens behind a proxy, or leaves out one that people use.",
        _OWN_ADDRESS,
    ),
    "slash": Advice(
        "The two addresses differ by a slash at the end.",
        "The application, or the web server in front of it, adds or removes it between login and validation.",
        _SAME_ADDRESS,
    ),
    "case": Advice(
        "The two addresses differ in capital letters.",
        "A web server for which they are the same rewrites the path between login and validation.",
        _SAME_ADDRESS,
    ),
    "path": Advice(
        "The application validated for another path than the one of the login.",
        "It is sent on before it validates, or a proxy takes off or adds the beginning of the path.",
        f"{_SAME_ADDRESS} {_OWN_ADDRESS}",
    ),
    "order": Advice(
        "The parameters of the two addresses come in another order.",
        "A framework reads the query and writes it anew, sorted or merged.",
        _SAME_ADDRESS,
    ),
    "encoding": Advice(
        "One of the two addresses was percent-encoded once more than the other.",
        "The application encodes an address that is encoded already, or leaves it out in one of the two places.",
        "Encode the address exactly once, where it becomes the value of the parameter service.",
    ),
    "lost_parameter": Advice(
        "A parameter that was there at login is missing at validation.",
        "The application removes it from the address before it validates, together with the ticket.",
        f"{_SAME_ADDRESS} Only the ticket itself is to be taken off.",
    ),
    "added_parameter": Advice(
        "A parameter is there at validation that was not there at login.",
        "Something adds it on the way back, such as a language, a session id or a mark of a campaign.",
        _SAME_ADDRESS,
    ),
    "value": Advice(
        "A parameter has another value at validation than at login.",
        "The application, or something on the way, changes it: a time, a random number, the charset of a letter.",
        f"{_SAME_ADDRESS} Keep what changes with each request out of it.",
    ),
    "parameters": Advice(
        "The two addresses have different parameters.",
        "The application validates with another address than it sent to the login.",
        _SAME_ADDRESS,
    ),
    "spelling": Advice(
        "The two addresses mean the same and are spelled differently.",
        "The entry says service_match: exact, which wants the same bytes.",
        _SAME_ADDRESS,
    ),
    "scheme_gone": Advice(
        "The login was for an address whose scheme the registry does not know any more.",
        "The registry was changed between login and validation.",
        "Sign in again. If the scheme is needed, an entry has to name it in its url.",
    ),
    "entry": Advice(
        "The address has another entry in the registry than it had at login.",
        "The registry was changed between login and validation, or two entries share what service_match: loose takes "
        "for the same.",
        "Sign in again. If that does not help, casduo explain URL shows which entry has the address.",
    ),
    "unregistered": Advice(
        "No entry of the registry has the address any more.",
        "The registry was changed between login and validation.",
        "Register the address again; casduo explain URL shows the entries that come near it.",
    ),
    "disabled": Advice(
        "The entry is switched off.",
        "It was switched off between login and validation.",
        "Set enabled: true in the entry when the application is to be used again.",
    ),
    "protocol": Advice(
        "The entry does not allow the protocol by which the application validates.",
        "The client was exchanged or set to another version, or protocols in the entry says too little.",
        "Add the protocol to protocols in the entry, or let the client use one that is there.",
    ),
    "plain_http": Advice(
        "The application validates by SAML and is reached by plain http.",
        "SAML answers carry attributes, which then become part of what crosses the network unprotected.",
        "Serve the application by https, or say allow_http_saml: true in the entry.",
    ),
    "access": Advice(
        "The person may not use the application.",
        "A rule of the entry (access) was met at login and is not any more: it was changed, or its time ran out.",
        "casduo explain URL --user NAME shows each rule and the fact that it is held against.",
    ),
    "approval": Advice(
        "Access must be approved, and nobody has approved it for now.",
        "The time that was approved is over, or a program asked for a ticket, which cannot ask for access.",
        "The person asks for access by opening the application in a browser.",
    ),
    "username": Advice(
        "There is no user name that the application could be told.",
        "The person lacks the attribute that username_attribute names, or has several values of it.",
        "casduo explain URL --user NAME shows what the person has.",
    ),
    "unauthorized": Advice(
        "The application may not validate this ticket.",
        "See the line why.",
        "casduo explain URL shows what the entry allows.",
    ),
    "duo": Advice(
        "The application requires Duo, and the session has none that counts.",
        "The registry demands Duo only since after the login, or the login was let pass while Duo could not be "
        "reached.",
        "Sign in again. casduo explain URL --user NAME shows when Duo is asked for.",
    ),
    "proxying": Advice(
        "The application asked for a proxy-granting ticket, which its entry does not allow.",
        "Its CAS client is set up with a callback (pgtUrl), perhaps without need.",
        "Switch the callback off in the client; or, if the application is to call others in a person's name, set "
        "proxy: {allow: true, callback: ...} in the entry.",
    ),
    "callback": Advice(
        "The application's callback did not take the proxy-granting ticket.",
        "See the line why.",
        "The callback must be https with a certificate that this server trusts, fit proxy.callback in the entry, and "
        "answer while the validation is under way, which an application with a single thread cannot.",
    ),
    "unreadable": Advice(
        "The request could not be read.",
        "A parameter is given twice with different values, is not UTF-8 or is too long; or a SAML message is not what "
        "it has to be. See the line why.",
        "Send each parameter once, as UTF-8, percent-encoded.",
    ),
    "incomplete": Advice(
        "The request lacked the service, the ticket or both.",
        "The application validates although no ticket came back, or calls its parameters otherwise.",
        "Validate only when a ticket came back, with service and ticket (in SAML TARGET and the artifact).",
    ),
    "malformed": Advice(
        "The service of the request is no address that can be used.",
        "It is put together from parts of which one is missing, or it is encoded once too often.",
        "casduo explain URL says what is wrong with an address.",
    ),
    "format": Advice(
        "The application asked for an unknown format.",
        "Its parameter format is neither XML nor JSON.",
        "Leave it out for XML, or say format=JSON.",
    ),
    "fault": Advice(
        "The server failed, and not the application.",
        "Redis could not be reached, or casduo has a fault.",
        "The people who run the server find the reference in its log.",
    ),
}
"""The advice for each :data:`~casduo.protocol.errors.Cause`."""
