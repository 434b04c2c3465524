"""Examines Webex as casduo meets it: the way there, the token, the spaces that are posted in, the webhook.

Nothing is posted and nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from urllib.parse import urlsplit

from casduo.clock import Clock
from casduo.diagnosis.hosts import Examination, examine_network, no_tls
from casduo.diagnosis.model import Explained, Finding, Part
from casduo.diagnosis.network import Way
from casduo.errors import SettingsError, UpstreamMisconfigured, UpstreamUnavailable
from casduo.outbound.tls import Authorities, Destination, Verdict, verdict_on
from casduo.services.file import load_registry
from casduo.settings import Settings
from casduo.settings.webex import WebexSettings
from casduo.webex.build import build_webex, http_settings
from casduo.webex.client import WebexClient
from casduo.webex.errors import (
    WebexError,
    WebexMisconfigured,
    WebexRefused,
    WebexThrottled,
    WebexUnauthorized,
)
from casduo.webex.model import Room
from casduo.webex.upkeep import Wanted, is_ours, wanted_webhook

_PORTS = {"https": 443, "http": 80}
_VERDICTS: Mapping[Verdict, tuple[str, str]] = {
    Verdict.UNKNOWN_AUTHORITY: (
        "nobody here trusts the authority that vouches for it; a proxy that looks into connections has its own",
        "name that authority's certificate in {ca_file}",
    ),
    Verdict.WRONG_NAME: (
        "it is for another name: somebody else answers in Webex's place, or the address is wrong",
        "compare webex.base_url",
    ),
    Verdict.EXPIRED: ("it is no longer valid by this machine's clock", "compare this machine's clock with a watch"),
    Verdict.NOT_YET_VALID: ("it is not yet valid by this machine's clock", "compare this machine's clock with a watch"),
}


def examine_webex(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """Examine the Webex of the settings; nothing where there is none."""
    webex = settings.webex
    if webex is None:
        return
    part = Part("Webex")
    try:
        client = build_webex(settings, clock)
    except WebexMisconfigured:
        yield _unusable_file(part, settings, webex)
        return
    assert client is not None
    with closing(client):
        if (yield from _examine_way(part, settings, webex)) and (yield from _examine_token(part, client)):
            yield from _examine_rooms(part, client, settings, webex)
            yield from _examine_webhook(part, client, settings, webex)


def _examine_way(part: Part, settings: Settings, webex: WebexSettings) -> Examination:
    place, terms = urlsplit(webex.base_url), http_settings(settings, webex)
    destination = Destination(
        place.hostname or "",
        place.port or _PORTS[place.scheme],
        terms.connect_timeout,
        terms.read_timeout,
        terms.proxy,
    )
    way = Way(destination, "webex.base_url", "webex.proxy")
    if not (yield from examine_network(part, way)):
        return False
    if place.scheme != "https":
        return True
    trusted = Authorities(tuple(filter(None, (terms.ca_file, terms.extra_ca_file))), system=terms.ca_file is None)
    try:
        verdict = verdict_on(destination, trusted)
    except UpstreamMisconfigured:
        yield _unusable_file(part, settings, webex)
        return False
    except UpstreamUnavailable as failure:
        yield no_tls(part, way, failure.detail)
        return False
    yield _judge_certificate(part, destination.host, verdict, _ca_setting(webex))
    return verdict is Verdict.TRUSTED


def _judge_certificate(part: Part, host: str, verdict: Verdict, ca_setting: str) -> Finding:
    if verdict is Verdict.TRUSTED:
        return part.ok("certificate", f"that of {host} is vouched for by an authority that is trusted here")
    cause, remedy = _VERDICTS.get(verdict, ("it does not verify", "ask who keeps the network"))
    found = f"that of {host} cannot be trusted"
    return part.fault("certificate", found, str(verdict), cause, remedy.format(ca_file=ca_setting))


def _examine_token(part: Part, client: WebexClient) -> Examination:
    try:
        me = client.me()
    except WebexError as error:
        yield _explained(error).finding(part, "token")
        return False
    name = me.emails[0] if me.emails else me.name or "somebody without a name"
    if me.kind == "bot":
        yield part.ok("token", f"Webex takes it; it is that of the bot {name}", bot=name)
    else:
        cause = "the token is not a bot's: it may expire, and messages come in that person's name"
        remedy = "make a bot at developer.webex.com and put its access token into webex.token"
        yield part.attention("token", f"Webex takes it; it is that of {name}", "not_a_bot", cause, remedy)
    return True


# -- spaces ----------------------------------------------------------------------------------------------------------


def _examine_rooms(part: Part, client: WebexClient, settings: Settings, webex: WebexSettings) -> Iterator[Finding]:
    named = _named_rooms(settings, webex)
    if not named:
        cause = "no setting names a space: nothing is posted"
        yield part.attention("spaces", "none is used", "no_room", cause, "put the id of a space into webex.room")
        return
    try:
        found = {room.id: room for room in client.rooms()}
    except WebexError as error:
        yield _explained(error).finding(part, "spaces")
        return
    for room, where in named.items():
        yield _judge_room(part, found.get(room), room, where)


def _judge_room(part: Part, room: Room | None, name: str, where: str) -> Finding:
    examined = f"space of {where}"
    if room is None:
        others = "the bot is not a member of it, or the id is another one's"
        remedy = f"add the bot to the space, or compare {where} with the ids that Webex lists"
        return part.fault(examined, "cannot be posted in", "not_a_member", others, remedy, room=name)
    title = f"'{room.title}'" if room.title else "a space whose title cannot be read"
    if room.read_only:
        cause = "it is read-only: nobody can post in it"
        return part.fault(examined, f"{title} cannot be posted in", "read_only", cause, "use another one", room=name)
    if room.announcement_only:
        cause = "only moderators can post in it"
        remedy = "make the bot a moderator, or take another space"
        return part.attention(examined, f"{title} is for announcements", "announcement_only", cause, remedy, room=name)
    return part.ok(examined, f"the bot is in {title}", room=name)


def _named_rooms(settings: Settings, webex: WebexSettings) -> dict[str, str]:
    """Return the spaces that settings and registry name, each with the first place that does."""
    found: dict[str, str] = {}
    if webex.room is not None:
        found[webex.room] = "webex.room"
    for kind, route in webex.notify.items():
        if route.to == "space" and route.room is not None:
            found.setdefault(route.room, f"webex.notify.{kind}")
    try:
        services = load_registry(settings.registry, settings).services
    except SettingsError:
        # That is told elsewhere.
        services = ()
    for service in services:
        if service.requires_approval is not None and service.requires_approval.room is not None:
            found.setdefault(service.requires_approval.room, f"the service {service.id}")
    return found


# -- the webhook -----------------------------------------------------------------------------------------------------


def _examine_webhook(part: Part, client: WebexClient, settings: Settings, webex: WebexSettings) -> Iterator[Finding]:
    wanted = wanted_webhook(settings)
    if wanted is None:
        if webex.webhook.secret is None:
            yield part.ok(
                "webhook", "is not wanted, without webex.webhook.secret: requests are decided on our own page"
            )
        else:
            cause = "server.url is not set, and so Webex cannot be told where we are"
            yield part.fault("webhook", "cannot be registered", "no_url", cause, "set server.url")
        return
    try:
        yield _judge_webhook(part, client, wanted)
    except WebexError as error:
        yield _explained(error).finding(part, "webhook")


def _judge_webhook(part: Part, client: WebexClient, wanted: Wanted) -> Finding:
    ours = [hook for hook in client.webhooks() if is_ours(hook, wanted)]
    here = [hook for hook in ours if hook.target == wanted.target]
    if any(hook.active for hook in here):
        return part.ok("webhook", f"is registered and active; it leads to {wanted.target}")
    if ours and not here:
        cause = f"it leads elsewhere than to {wanted.target}: webex.webhook.url was changed"
        return part.attention("webhook", "is registered for another address", "elsewhere", cause, "start a worker")
    if ours:
        cause = f"Webex has given it up after deliveries to {wanted.target} that failed"
        remedy = "see that this address can be reached from the internet; a worker switches it on again within minutes"
        return part.fault("webhook", "is registered and not active", "inactive", cause, remedy)
    cause = "no worker has registered it yet, or none is there"
    remedy = "start a worker; it registers the webhook at once"
    return part.attention("webhook", f"none leads to {wanted.target}", "not_registered", cause, remedy)


# -- failures --------------------------------------------------------------------------------------------------------


def _explained(error: WebexError) -> Explained:
    ask = "name the tracking id to Cisco's support" if error.tracking else "try again later"
    match error:
        case WebexUnauthorized():
            cause = "it is mistyped, or was made anew: of a bot's tokens only the latest is good"
            remedy = "make a new one on the bot's page at developer.webex.com and put it into webex.token"
            return Explained("Webex refuses it", "token", cause, remedy)
        case WebexMisconfigured():
            return Explained("Webex was not asked", error.detail, error.told, "correct the section webex")
        case WebexThrottled():
            cause = "too many calls with this token in a short time"
            return Explained("Webex wants to be left alone", "throttled", cause, "try again later", "attention")
        case WebexRefused():
            cause = f"webex.base_url leads to something else than Webex's API, or the bot may not: {error.told}"
            return Explained("Webex refuses the call", "refused", cause, "compare webex.base_url")
    return Explained("Webex gives no answer that can be read", "unavailable", error.told, ask)


def _unusable_file(part: Part, settings: Settings, webex: WebexSettings) -> Finding:
    setting = _ca_setting(webex)
    file = webex.ca_file or settings.outbound.ca_file
    cause = f"{file} is missing, damaged, or holds something else than certificates"
    return part.fault("certificate", "cannot be verified", "ca_file", cause, f"correct {setting}")


def _ca_setting(webex: WebexSettings) -> str:
    return "outbound.ca_file" if webex.ca_file is None else "webex.ca_file"
