"""What comes from Webex and what goes there: nothing that others make up decides, breaks or floods anything."""

from __future__ import annotations

import hmac
import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from casduo.approvals.deciding import Decider, is_oneself
from casduo.approvals.model import Decision, Target
from casduo.events.catalogue import KINDS
from casduo.events.model import Subject
from casduo.events.outbox import Outbox
from casduo.events.record import EventRecord
from casduo.services.index import Registry
from casduo.settings import Settings
from casduo.settings.webex import WebexSettings
from casduo.simulators.server import SimulatorServer
from casduo.store import Store
from casduo.webex.build import build_webex
from casduo.webex.cards import LARGEST_CARD, Look, approval_card, outcome_card, size_of
from casduo.webex.errors import WebexRefused
from casduo.webex.inbox import INBOX, Inbox
from casduo.webex.model import person
from casduo.webex.routing import messages_for
from casduo.webex.text import LONGEST_MESSAGE
from tests.support.raw import call
from tests.support.served import Served, serving
from tests.support.site import Build, Site
from tests.web.test_webex_webhook import OURS, REGISTRY, SECRET, body, notice, refusals, settings, signed, taken, tell
from tests.webex.hostile import HOSTILE
from tests.webex.press_stage import Stage, stage

LUKE, LEIA, HAN, ADA = (f"{name}@example.edu" for name in ("luke", "leia", "han", "ada"))
MEGABYTE = 1_000_000
TEXTS = (
    *HOSTILE,
    *("\ud800", "a}b{", "}:casduo", "{user.__class__}", "%n" * 100),
    *("x" * MEGABYTE, "\\" * MEGABYTE, "www." * 250_000, "://" * 300_000, "\u202e" * MEGABYTE, " " * MEGABYTE + "x"),
)
"""What people call themselves, and write."""
LONG_ONES = ("signin.ok", "policy.violation", "target.accessed", "approval.rejected")


@pytest.fixture
def site(build: Build, store: Store) -> Site:
    """A server whose webhook is known."""
    found = build(registry=REGISTRY, settings=settings())
    Inbox(store).remember(OURS, "", found.clock(), 0)
    return found


@pytest.fixture
def desk(tmp_path: Path, valkey_url: str, store: Store) -> Iterator[Stage]:
    with stage(tmp_path, valkey_url, store) as found:
        yield found


# -- the webhook -------------------------------------------------------------------------------------------------------


def test_no_signature_that_only_looks_right_is_believed(site: Site, store: Store) -> None:
    """CWE-347: digits of other scripts, digits in capitals, cut and padded ones, of nothing, of another algorithm, one
    of two that is wrong, several in one header as proxies join them, and none that counts.
    """
    content = body()
    spark = signed(content)["X-Spark-Signature"]
    strong = signed(content, strong=True)["X-Webex-Signature"]
    other = "".join(chr(0xFF10 + int(letter)) if letter.isdigit() else letter for letter in spark)
    arabic = "".join(chr(0x660 + int(letter)) if letter.isdigit() else letter for letter in spark)
    wrong = "sha256=" + "0" * 64
    for first, second in (
        *((text.encode().decode("latin-1"), "") for text in (other, arabic, spark.upper() + "é", "\u200b" + spark)),
        *((text, "") for text in (spark[:-1], spark + "0", f"{spark}, {spark}", f"sha1={spark}", "0x" + spark)),
        *((hmac.new(SECRET.encode(), part, "sha1").hexdigest(), "") for part in (b"", content + b"\n", content[1:])),
        *(
            (hmac.new(key, content, "sha1").hexdigest(), "")
            for key in (b"", b"null", SECRET[:-1].encode(), b"bot-token")
        ),
        *((spark, text) for text in (wrong, f"{strong}, {wrong}", f"{wrong}, {strong}", "sha512=", "SHA256=" + spark)),
        *(("", text) for text in (strong.upper(), "sha1=" + spark, "none=", "=" + strong, "sha256", "hs256=x", wrong)),
        (" ", strong),
        ("0" * 40, strong),
    ):
        answer = call(site, "POST", "/cas/webex/webhook", body=content, kind="application/json",
                      HTTP_X_SPARK_SIGNATURE=first, HTTP_X_WEBEX_SIGNATURE=second)  # fmt: skip
        assert answer.status == 401, (first, second)
        assert answer.body == b""
    assert taken(store) == []
    assert set(refusals(site)) <= {"wrong_signature", "no_signature"}


def test_a_body_is_read_in_one_way_only(site: Site, store: Store) -> None:
    """CWE-436: members that are there twice, other encodings, a compressed body, a second document behind the first,
    what is signed in the query. What is taken is what was signed, as it was signed, and once.
    """
    twice = b'{"data":{"id":"evil"},' + body("press-1")[1:]
    assert tell(site, twice).status_int == 204
    assert taken(store) == ["press-1"]
    text = body("press-2").decode()
    for content in (
        text.encode("utf-16"),
        text.encode("utf-8-sig"),
        b"\x1f\x8b\x08" + body("press-2"),
        body("press-2") + body("press-3"),
        b"[" + body("press-2") + b"]",
        text.replace('"press-2"', '["press-2"]').encode(),
        text.replace('"press-2"', '{"$ne":""}').encode(),
        text.replace('"press-2"', '"press-2\\n"').encode(),
        text.replace('"press-2"', '"\\ud800"').encode(),
        text.replace('"press-2"', '"' + "x" * 600 + '"').encode(),
        text.replace('"press-2"', "9" * 5000).encode(),
        b'{"a":' * 9000,
    ):
        assert tell(site, content).status_int == 400, content[:60]
    for header in ("gzip", "deflate", "br"):
        answer = tell(site, body("press-4"), signed(body("press-4")) | {"Content-Encoding": header})
        assert answer.status_int == 204
    content = body("press-5")
    query = f"X-Spark-Signature={signed(content)['X-Spark-Signature']}"
    assert call(site, "POST", "/cas/webex/webhook", query, content, "application/json").status == 401
    assert taken(store) == ["press-4"]


def test_other_addresses_and_methods_are_no_way_around_the_signature(site: Site, store: Store) -> None:
    """CWE-306: the same by other names."""
    content = body()
    for path in (
        "/webex/webhook/",
        "/webex//webhook",
        "/webex/./webhook",
        "/webex/webhook;x",
        "/Webex/webhook",
        "/webex",
    ):
        assert call(site, "POST", f"/cas{path}", body=content, kind="application/json").status in (400, 401, 404)
    for method in ("GET", "HEAD", "PUT", "PATCH", "OPTIONS", "DELETE", "TRACE"):
        answer = call(site, method, "/cas/webex/webhook", body=content, HTTP_X_HTTP_METHOD_OVERRIDE="POST")
        assert answer.status == 405
    assert taken(store) == []


def test_a_flood_costs_neither_memory_nor_log_nor_the_place_of_others(site: Site, store: Store) -> None:
    """CWE-400 and CWE-779: of forged deliveries nothing is kept, and a few of a minute's are told of; the same real one
    over and over is one.
    """
    for number in range(300):
        tell(site, body(f"press-{number}"), {"X-Spark-Signature": "0" * 40})
        tell(site, body("press-real"))
    assert refusals(site) == ["wrong_signature"] * 10
    assert store.command("XLEN", INBOX) == 1
    assert len(store.command("KEYS", "*seen*")) == 1
    assert site.journal.named("request.refused") == []


# -- what members of the space make up ---------------------------------------------------------------------------------


def test_a_megabyte_of_inputs_decides_nothing_and_is_kept_nowhere(desk: Stage) -> None:
    """CWE-770: inputs of a megabyte, by a member of the space and by one who may decide, deep ones, and thousands."""
    asked = desk.ask()
    deep: Any = "x"
    for _ in range(200):
        deep = {"x": deep}
    huge = "\u202e<@all>" * 50_000
    for who in (HAN, LUKE):
        for inputs in (
            {"decision": huge},
            {"nonce": huge},
            {"request": "7" * MEGABYTE},
            {"decision": deep},
            {"nonce": [asked.nonce]},
            {"kind": {"approval": 1}},
            {"nonce": "no", **{f"field{number}": "x" * 100 for number in range(5000)}},
        ):
            desk.see(desk.forge(asked, who, **inputs))
    assert desk.now(asked) == asked
    assert desk.decisions() == []
    assert set(desk.refusals()) == {"wrong_inputs"}
    records = desk.records("approval.refused")
    assert max(len(record.to_json()) for record in records) < 1000
    desk.see(desk.forge(asked, LUKE, decision="reject", comment=huge, casduo=huge))
    decided = desk.now(asked)
    assert decided.decision is not None
    assert len(decided.decision.comment) == 500
    assert decided.decision.comment.isprintable()
    assert max(len(record.to_json()) for record in desk.decisions()) < 5000


@pytest.mark.parametrize(
    "inputs",
    [
        '{"x": ' + "9" * 5000 + "}",
        "[" * 100_000 + "]" * 100_000,
        '{"x": "' + "y" * 2 * MEGABYTE + '"}',
        '{"x": 1e999999}',
    ],
    ids=["long number", "deep", "large", "large number"],
)
def test_inputs_that_cannot_be_read_do_not_look_like_webex_in_trouble(inputs: str) -> None:
    """CWE-400 and CWE-754: any member of a space can have inputs, and cards, that are too much for who reads them.
    Taken for trouble of Webex's they would be looked at again and again, and after a few of them everything would wait.
    """
    made_up = f'{{"id": "press", "messageId": "card", "inputs": {inputs}, "created": "2026-05-10T19:41:00Z"}}'
    good = '{"id": "bot", "emails": [], "type": "bot"}'

    def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "application/json")])
        return [(good if environ["PATH_INFO"].endswith("/people/me") else made_up).encode()]

    with SimulatorServer(answer, name="webex") as server:
        section = {"token": "x", "base_url": f"{server.url}/v1/", "breaker": {"failures": 2, "pause": "1m"}}
        client = build_webex(Settings.model_validate({"webex": section}), lambda: 1.8e9)
        assert client is not None
        for _ in range(5):
            for look in (client.action, client.message):
                # Where it can be read all the same, that is as well; nothing else may be raised.
                with suppress(WebexRefused):
                    look("whatever")
        assert client.me().id == "bot"
        client.close()


def test_a_press_that_was_seen_through_is_worth_nothing_for_another_request(desk: Stage) -> None:
    """CWE-294: a press of one who may decide, told of again, and again when the person has asked anew."""
    first = desk.ask()
    press = desk.press(first, LUKE, "reject")
    desk.see(press, press, press)
    second = desk.ask()
    desk.see(press)
    assert desk.now(second).state == "pending"
    assert len(desk.decisions()) == 1
    # The old card, with the inputs of the new one, and the reverse.
    old, new = first.cards[0], second.cards[0]
    desk.see(desk.forge(first, LUKE, message=new), desk.forge(second, LUKE, message=old))
    assert desk.now(second).state == "pending"
    assert desk.refusals()[-2:] == ["wrong_inputs"] * 2


def test_a_name_or_an_address_that_looks_like_an_approvers_is_none(desk: Stage) -> None:
    """CVE-2019-19844 (Django): people at Webex whose names and addresses look like those of one who may decide."""
    asked = desk.ask()
    looks = ("luke+x@example.edu", "\uff4cuke@example.edu", "luk\u0435@example.edu", "luke@example.edu.evil.example")
    for email in looks:
        desk.webex.add_member(desk.room, desk.webex.add_person(email, "Luke"))
        desk.see(desk.webex.submit(email, asked.cards[0], right(asked)))
    assert set(desk.refusals()) == {"not_an_approver"}
    assert len(desk.refusals()) == len(looks)
    assert person({"id": "x", "emails": ["LU\u212aE@example.edu", "LUKE@example.edu"]}).emails == (
        "lu\u212ae@example.edu",
        "luke@example.edu",
    )
    assert desk.now(asked) == asked


def right(asked: Any) -> dict[str, Any]:
    """The inputs of the button."""
    return {"casduo": 1, "kind": "approval", "request": asked.id, "nonce": asked.nonce, "decision": "approve"}


def test_nobody_approves_for_themselves_in_webex_by_another_address(desk: Stage) -> None:
    """CWE-654: with the address of another account, whose name is that of who asks, in another spelling too."""
    for name in ("ada", "ADA", "\u00c0da", "EXAMPLE\\ada", "ada@corp.example"):
        asked = desk.ask(name, emails=())
        desk.see(desk.press(asked, ADA))
        assert desk.now(asked).state == "pending", name
        assert desk.refusals()[-1] == "oneself"
    assert desk.decisions() == []


# -- what goes to Webex ------------------------------------------------------------------------------------------------


def test_whatever_an_event_holds_messages_of_it_can_be_kept_and_posted(store: Store) -> None:
    """CWE-20 and CWE-150: events of every kind whose texts are halves of characters, a megabyte, Markdown, names of
    keys and templates. One message of each fits Webex, is one line, and none stands in the way of the others.
    """
    settings = WebexSettings.model_validate({"token": "x", "room": "room", "mail_domain": "example.edu"})
    ways = {kind: {"to": way} for kind, way in zip(sorted(KINDS), cycle(("space", "person")), strict=False)}
    settings = WebexSettings.model_validate({**settings.model_dump(exclude_unset=True), "notify": ways})
    outbox, names = Outbox(store), ("detail", "reason", "host", "ip", "account", "request", "rule", "comment", "by")
    for number, text in enumerate(TEXTS):
        batch = store.batch()
        # Of the long ones a few kinds are enough: the texts are the same.
        for kind in sorted(KINDS if len(text) < 1000 else LONG_ONES):
            about = Subject(*[text] * 5)
            written = EventRecord(f"{kind}-{number}", 1.8e9, kind, "info", about, dict.fromkeys(names, text)).to_json()
            messages = messages_for(
                EventRecord.from_json(written), settings, Registry((), "1"), Look("https://x.example")
            )
            outbox.enqueue(batch, messages)
            for message in messages:
                markdown = str(message.body.get("markdown", ""))
                assert len(markdown.encode()) <= LONGEST_MESSAGE
                assert "\n" not in markdown
                assert size_of(message.body.get("card") or {}) <= LARGEST_CARD
        batch.run()
    assert store.command("ZCARD", "casduo:{events}:outbox:dead:at") == 0


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_card_is_small_and_harmless_whoever_asks(desk: Stage, text: str) -> None:
    """CWE-79 and CWE-770: names, addresses, machines and reasons of any kind, in the card of a request and its outcome:
    texts stand where Markdown means nothing, and no address but ours is led to.
    """
    asked = desk.ask("ada", card=False)
    fields = {name: text for name in ("name", "service_name", "reason", "address", "reference", "id", "nonce") if text}
    evil = replace(asked, **fields, emails=(text,), target=Target(text, text, text))  # type: ignore[arg-type]
    evil = replace(evil, id=asked.id, nonce=asked.nonce)
    decided = replace(evil, state="rejected", decision=Decision("rejected", text, text, text, "webex", 1.8e9, text))
    look = Look("https://sso.example.edu/cas")
    for card in (approval_card(evil, look, buttons=True, earlier=[decided] * 9), outcome_card(decided, look)):
        assert size_of(card) <= LARGEST_CARD
        for node in _nodes(card):
            if node.get("type") == "TextBlock":
                assert node["text"].isascii()
            if "url" in node:
                assert node["url"].startswith("https://sso.example.edu/cas/approvals/")
            assert "\n" not in str(node.get("text", ""))
    assert is_oneself(evil, Decider("x", "x", (text,), "webex")) is (text.strip() != "")


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _nodes(each)


# -- a real server -----------------------------------------------------------------------------------------------------


@pytest.fixture
def served(tmp_path: Path, own_redis_url: str, own_store: Store) -> Iterator[Served]:
    with serving(tmp_path, own_redis_url, registry=REGISTRY, settings=settings()) as found:
        Inbox(own_store).remember(OURS, "", 1.8e9, 0)
        yield found


def test_over_a_socket_nothing_broken_is_taken_or_told_of_with_what_it_held(served: Served, own_store: Store) -> None:
    """CWE-444 and CWE-532: lengths that lie, chunks, headers of a megabyte, bytes that are no text; the log has neither
    bodies nor signatures nor the secret, whatever the level.
    """
    content = json.dumps(notice("press-of-nobodys-business")).encode()
    good = hmac.new(SECRET.encode(), content, "sha1").hexdigest()
    digits = [b"\xd9\xa1" * 20, b"\xff" * 40, b"\xed\xa0\x80" * 10, "\uff11".encode() * 40, b"f00d" * 10]
    heads = [b"Content-Length: %d\r\nX-Spark-Signature: %s" % (len(content), each) for each in digits]
    heads += [
        b"Content-Length: 1\r\nX-Spark-Signature: " + b"a" * 2 * MEGABYTE,
        b"Content-Length: %d\r\nContent-Length: 5\r\nX-Spark-Signature: %s" % (len(content), good.encode()),
        b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\nX-Spark-Signature: %s" % (len(content), good.encode()),
        b"Content-Length: %d\r\nX-Spark-Signature: %s\r\nX-Spark-Signature: %s"
        % (len(content), b"0" * 40, good.encode()),
        b"Content-Length: %d\r\nX-Spark-Signature: %s" % (len(content) - 1, good.encode()),
        b"Content-Length: -1\r\nX-Spark-Signature: " + good.encode(),
    ]
    for head in heads:
        with socket.create_connection(served.address, timeout=10) as connection:
            try:
                connection.sendall(
                    b"POST /cas/webex/webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                    + head
                    + b"\r\n\r\n"
                    + content
                )
                answer = connection.recv(100)
            except OSError:
                continue
            assert answer[9:12] in (b"400", b"401", b"413", b"431", b""), head[:100]
    assert own_store.command("XLEN", INBOX) == 0
    log = served.log.read_text()
    assert '"event":"webhook.refused"' in log
    for secret in ("nobodys-business", "f00d", good, SECRET, "bot-token", "Traceback"):
        assert secret not in log
