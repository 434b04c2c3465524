"""The address at which Webex tells of pressed buttons: what our secret has signed is taken in once, nothing else is."""

from __future__ import annotations

import hmac
import json
from typing import Any

import pytest
from webtest.response import TestResponse

from casduo.store import Store
from casduo.store.streams import StreamQueue
from casduo.webex.inbox import INBOX, Inbox, told_in
from casduo.webex.notice import LONGEST, Registration
from tests.support.redis_servers import CountingRelay
from tests.support.site import BASE, Browser, Build, Site

SECRET, BEFORE = "webhook-secret-of-32-characters-", "the-secret-before-of-32-characters"
OURS = Registration("hook", "home", "bot", "home-of-the-bot")
PATH = "/webex/webhook"
REGISTRY = "services:\n  - {id: library, name: Library, url: 'https://library.example.edu/**'}\n"


def settings(more: str = "") -> str:
    return f"webex: {{token: bot-token, webhook: {{secret: '{SECRET}'{more}}}}}\n"


def notice(action: str = "press-1", **changes: Any) -> dict[str, Any]:
    return {
        "id": OURS.webhook,
        "name": f"casduo {BASE}",
        "targetUrl": BASE + PATH,
        "resource": "attachmentActions",
        "event": "created",
        "orgId": OURS.organisation,
        "createdBy": OURS.bot,
        "ownedBy": "creator",
        "status": "active",
        "created": "2026-05-10T19:41:00.100Z",
        "actorId": "luke",
        "data": {"id": action, "type": "submit", "messageId": "card", "personId": "luke", "roomId": "room"},
    } | changes


def body(action: str = "press-1", **changes: Any) -> bytes:
    return json.dumps(notice(action, **changes)).encode()


def signed(content: bytes, secret: str = SECRET, *, strong: bool = False) -> dict[str, str]:
    if strong:
        return {"X-Webex-Signature": f"sha256={hmac.new(secret.encode(), content, 'sha256').hexdigest()}"}
    return {"X-Spark-Signature": hmac.new(secret.encode(), content, "sha1").hexdigest()}


def tell(site: Site, content: bytes, headers: dict[str, str] | None = None, **options: Any) -> TestResponse:
    """Send what Webex sends, signed unless other headers are given."""
    kind = options.pop("content_type", "application/json; charset=utf-8")
    signatures = signed(content) if headers is None else headers
    return Browser(site).post(PATH, content, headers=signatures, content_type=kind, **options)


def taken(store: Store) -> list[str]:
    return [told_in(entry).action for entry in StreamQueue(store, INBOX, "worker").read(100, 0.01)]


def refusals(site: Site) -> list[str]:
    return [event.reason for event in site.journal.named("webhook.refused")]


@pytest.fixture
def site(build: Build, store: Store) -> Site:
    """A server whose webhook is known."""
    found = build(registry=REGISTRY, settings=settings())
    Inbox(store).remember(OURS, "", found.clock(), 0)
    return found


def test_a_press_is_taken_in(site: Site, store: Store) -> None:
    answer = tell(site, body())
    assert (answer.status_int, answer.body) == (204, b"")
    (entry,) = StreamQueue(store, INBOX, "worker").read(10, 0.01)
    assert (told_in(entry).action, told_in(entry).received) == ("press-1", site.clock())
    assert site.journal.events == []


def test_a_press_told_of_again_is_answered_the_same_and_taken_in_once(site: Site, store: Store) -> None:
    assert {tell(site, body()).status_int for _ in range(3)} == {204}
    assert tell(site, body("press-2")).status_int == 204
    assert taken(store) == ["press-1", "press-2"]


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencoded", "nonsense"])
def test_the_type_of_the_body_does_not_matter(site: Site, store: Store, kind: str) -> None:
    assert tell(site, body(), content_type=kind).status_int == 204
    assert taken(store) == ["press-1"]


def test_the_newer_signature_is_enough_and_a_wrong_one_too_many(site: Site, store: Store) -> None:
    content = body()
    assert tell(site, content, signed(content, strong=True)).status_int == 204
    wrong = signed(content) | signed(content, BEFORE, strong=True)
    assert tell(site, content, wrong).status_int == 401
    assert taken(store) == ["press-1"]
    assert refusals(site) == ["wrong_signature"]


def test_the_secret_before_counts_while_it_is_in_the_settings(build: Build, store: Store) -> None:
    content = body()
    site = build(registry=REGISTRY, settings=settings(f", previous_secret: '{BEFORE}'"))
    Inbox(store).remember(OURS, "", site.clock(), 0)
    assert tell(site, content, signed(content, BEFORE)).status_int == 204
    assert tell(build(registry=REGISTRY, settings=settings()), content, signed(content, BEFORE)).status_int == 401
    assert taken(store) == ["press-1"]


def test_settings_can_demand_the_newer_signature(build: Build, store: Store) -> None:
    content = body()
    site = build(registry=REGISTRY, settings=settings(", require_sha256: true"))
    Inbox(store).remember(OURS, "", site.clock(), 0)
    assert tell(site, content).status_int == 401
    assert refusals(site) == ["weak_signature"]
    assert tell(site, content, signed(content) | signed(content, strong=True)).status_int == 204


@pytest.mark.parametrize(
    ("content", "headers", "status", "reason"),
    [
        (body(), {}, 401, "no_signature"),
        (body(), {"X-Spark-Signature": ""}, 401, "no_signature"),
        (body(), {"X-Spark-Signature": "0" * 40}, 401, "wrong_signature"),
        (body(), signed(body(), BEFORE), 401, "wrong_signature"),
        (body(), signed(b"another body"), 401, "wrong_signature"),
        (body("press-2"), signed(body("press-1")), 401, "wrong_signature"),
        (b"", None, 400, "malformed"),
        (b"{", None, 400, "malformed"),
        (b"[" * 60_000, None, 400, "malformed"),
        (b"\xff\xfe", None, 400, "malformed"),
        (body(data={"id": 7}), None, 400, "malformed"),
        (b"x" * (LONGEST + 1), None, 413, "too_large"),
        (b"x" * 1_000_000, None, 413, "too_large"),
        (body(id="another"), None, 403, "unknown_webhook"),
        (body(resource="messages"), None, 403, "foreign"),
        (body(event="deleted"), None, 403, "foreign"),
        (body(orgId=OURS.bot_organisation), None, 403, "foreign"),
        (body(createdBy="luke"), None, 403, "foreign"),
    ],
)
def test_what_is_not_believed_is_turned_away(
    site: Site, store: Store, content: bytes, headers: dict[str, str] | None, status: int, reason: str
) -> None:
    answer = tell(site, content, headers)
    assert (answer.status_int, answer.body) == (status, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    assert refusals(site) == [reason]
    assert taken(store) == []


def test_one_changed_byte_is_noticed(site: Site, store: Store) -> None:
    content = body()
    for place in range(0, len(content), 7):
        changed = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        assert tell(site, changed, signed(content)).status_int == 401
    assert taken(store) == []


def test_the_largest_body_that_is_looked_at(site: Site) -> None:
    content = body(name="x" * (LONGEST - len(body(name=""))))
    assert len(content) == LONGEST
    assert tell(site, content).status_int == 204


def test_a_press_before_our_webhook_is_known_is_taken_in(build: Build, store: Store) -> None:
    """Webex lists no presses: one that is turned away is lost. The worker waits until it knows the webhook."""
    site = build(registry=REGISTRY, settings=settings())
    assert tell(site, body()).status_int == 204
    assert refusals(site) == []
    assert taken(store) == ["press-1"]


@pytest.mark.parametrize("changes", [{"resource": "messages"}, {"event": "deleted"}])
def test_what_is_no_press_is_turned_away_before_our_webhook_is_known(
    build: Build, store: Store, changes: dict[str, str]
) -> None:
    site = build(registry=REGISTRY, settings=settings())
    assert tell(site, body(**changes)).status_int == 403
    assert refusals(site) == ["foreign"]
    assert taken(store) == []


def test_only_what_our_secret_has_signed_is_taken_in_before_our_webhook_is_known(build: Build, store: Store) -> None:
    site = build(registry=REGISTRY, settings=settings())
    assert tell(site, body(), signed(body(), BEFORE)).status_int == 401
    assert taken(store) == []


def test_a_body_whose_end_is_not_told_is_not_read(site: Site) -> None:
    answer = tell(site, body(), extra_environ={"HTTP_TRANSFER_ENCODING": "chunked"})
    assert answer.status_int == 400
    assert refusals(site) == ["malformed"]


@pytest.mark.parametrize("without", ["", "webex: {token: bot-token}\n"])
def test_without_a_secret_there_is_no_such_address(build: Build, without: str) -> None:
    site = build(registry=REGISTRY, settings=without)
    assert tell(site, body()).status_int == 404
    assert site.journal.named("webhook.refused") == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_are_refused(site: Site, method: str) -> None:
    answer = Browser(site).app.request(BASE + PATH, method=method, status="*")
    assert answer.status_int == 405
    assert answer.headers["Allow"] == "POST"


def test_while_redis_is_away_webex_has_to_tell_again(build: Build, store: Store, relay: CountingRelay) -> None:
    site = build(relay.url, registry=REGISTRY, settings=settings())
    Inbox(store).remember(OURS, "", site.clock(), 0)
    relay.cut()
    answer = tell(site, body())
    assert (answer.status_int, answer.body) == (503, b"")
    assert len(site.journal.named("fault")) == 1
    # What cannot be believed is turned away all the same.
    assert tell(site, body(), {}).status_int == 401
    relay.mend()
    assert tell(site, body()).status_int == 204
    assert taken(store) == ["press-1"]


def test_a_press_costs_two_round_trips_and_a_refusal_none(build: Build, store: Store, relay: CountingRelay) -> None:
    site = build(relay.url, registry=REGISTRY, settings=settings())
    Inbox(store).remember(OURS, "", site.clock(), 0)
    tell(site, body("first"))
    before = relay.round_trips
    tell(site, body(), {})
    assert relay.round_trips == before
    tell(site, body())
    assert relay.round_trips == before + 2


def test_a_flood_of_refusals_does_not_flood_the_journal(site: Site) -> None:
    for _ in range(100):
        tell(site, body(), {})
    assert refusals(site) == ["no_signature"] * 10
    site.clock.advance(60)
    tell(site, b"x", {"X-Spark-Signature": "0"})
    last = site.journal.named("webhook.refused")[-1]
    assert (last.reason, last.untold) == ("wrong_signature", 90)
    site.clock.advance(60)
    tell(site, body(), {})
    assert site.journal.named("webhook.refused")[-1].untold == 0


def test_neither_body_nor_signature_nor_secret_is_in_an_event(site: Site) -> None:
    content = body("press-that-is-nobodys-business", orgId="elsewhere")
    tell(site, content)
    tell(site, content, {"X-Spark-Signature": "f00d" * 10})
    shown = repr(site.journal.events)
    assert refusals(site) == ["foreign", "wrong_signature"]
    for secret in ("nobodys-business", "elsewhere", "f00d", SECRET):
        assert secret not in shown
