"""The section about Webex: what it takes, what it refuses, and what it never shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from casduo.settings import load_settings
from casduo.webex.placeholders import PLACEHOLDERS

Problems = Callable[..., dict[str, str]]


def webex(*lines: str) -> str:
    return "\n  ".join(["webex:", "token: bot-token", *lines]) + "\n"


def test_a_token_is_enough(settings_file: Callable[[str], Path]) -> None:
    found = load_settings(settings_file(webex()), {}).webex
    assert found is not None
    assert (found.base_url, found.room, found.mail_domain, found.on_decision) == (
        "https://webexapis.com/v1/",
        None,
        None,
        "replace",
    )
    assert (found.breaker.failures, found.breaker.pause, found.timeout) == (5, 30.0, 15.0)
    assert found.webhook.secret is None
    assert "bot-token" not in repr(found)


def test_a_token_can_lie_in_a_file(settings_file: Callable[[str], Path]) -> None:
    path = settings_file("webex:\n  token_file: token\n")
    (path.parent / "token").write_text("from-the-file\n")
    (path.parent / "token").chmod(0o600)
    found = load_settings(path, {}).webex
    assert found is not None
    assert found.token.get_secret_value() == "from-the-file"


@pytest.mark.parametrize("token", ['""', '"  "', '"two words"', '"schlüssel"', '"line\\nbreak"'])
def test_a_token_travels_in_a_header(problems_in: Problems, token: str) -> None:
    assert set(problems_in(f"webex: {{token: {token}}}\n")) == {"webex.token"}


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://webexapis.com/v1", "https://webexapis.com/v1/"),
        ("https://api.example.edu/webex/v1/", "https://api.example.edu/webex/v1/"),
        ("http://localhost:8080/v1", "http://localhost:8080/v1/"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1/"),
    ],
)
def test_addresses_of_the_api(settings_file: Callable[[str], Path], url: str, kept: str) -> None:
    found = load_settings(settings_file(webex(f"base_url: {url}")), {}).webex
    assert found is not None
    assert found.base_url == kept


@pytest.mark.parametrize(
    "url", ["http://webexapis.com/v1/", "https://u:p@webexapis.com/", "https://webexapis.com/?a=b", "webexapis.com"]
)
def test_the_token_does_not_travel_anywhere(problems_in: Problems, url: str) -> None:
    assert set(problems_in(webex(f"base_url: '{url}'"))) == {"webex.base_url"}


@pytest.mark.parametrize("name", PLACEHOLDERS)
def test_every_placeholder_can_be_used(problems_in: Problems, name: str) -> None:
    assert problems_in(webex("room: R", "notify:", f"  signin.ok: {{to: space, template: '*{{{name}}}*'}}")) == {}


@pytest.mark.parametrize(
    "template",
    ["{usr}", "{user", "{}", "{0}", "{user.__class__}", "{user[0]}", "{user!r}", "{user:>99999999}", "{user:{user}}"],
)
def test_a_template_names_placeholders_and_nothing_else(problems_in: Problems, template: str) -> None:
    found = problems_in(webex("notify:", f"  signin.ok: {{to: space, template: '{template}'}}"))
    assert set(found) == {"webex.notify['signin.ok'].template"}


def test_a_slip_of_the_pen_is_pointed_at(problems_in: Problems) -> None:
    (message,) = problems_in(webex("notify:", "  signin.ok: {to: space, template: '{usr}'}")).values()
    assert "did you mean 'user'" in message


def test_a_route_can_be_a_word(settings_file: Callable[[str], Path]) -> None:
    found = load_settings(settings_file(webex("notify: {signin.ok: none, duo.fraud: space}")), {}).webex
    assert found is not None
    assert {kind: route.to for kind, route in found.notify.items()} == {"signin.ok": "none", "duo.fraud": "space"}


def test_only_kinds_that_there_are_have_routes(problems_in: Problems) -> None:
    (message,) = problems_in(webex("notify: {signin.okay: none}")).values()
    assert "no kind of event" in message


@pytest.mark.parametrize("domain", ["example.edu", "Mail.Example.EDU", "xn--bcher-kva.example"])
def test_what_stands_behind_the_at(settings_file: Callable[[str], Path], domain: str) -> None:
    found = load_settings(settings_file(webex(f"mail_domain: {domain}")), {}).webex
    assert found is not None
    assert found.mail_domain == domain.lower()


@pytest.mark.parametrize("domain", ["'@example.edu'", "example", "'a b.example'", "https://example.edu", "-a.example"])
def test_what_cannot_stand_there(problems_in: Problems, domain: str) -> None:
    assert set(problems_in(webex(f"mail_domain: {domain}"))) == {"webex.mail_domain"}


def test_a_secret_that_can_be_guessed_is_refused(problems_in: Problems) -> None:
    assert set(problems_in(webex("webhook: {secret: short}"))) == {"webex.webhook.secret"}


# --- what casduo check has to say ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["message.dead", "message.redriven", "message.discarded", "webex.stopped"])
def test_what_tells_of_messages_themselves_is_never_posted(problems_in: Problems, kind: str) -> None:
    told = problems_in(webex("room: R", f"notify: {{{kind}: space}}"))
    ((path, message),) = told.items()
    assert path == f"webex.notify['{kind}']"
    assert message.startswith("is never posted")
    assert problems_in(webex("room: R", f"notify: {{{kind}: none}}")) == {}


def test_a_bot_without_a_space_is_warned_of(problems_in: Problems) -> None:
    assert list(problems_in(webex())) == ["webex"]
    assert list(problems_in(webex("notify: {signin.ok: none}"))) == ["webex"]
    assert problems_in(webex("notify: {signin.ok: {to: space, room: R}}")) == {}
    assert problems_in(webex("notify: {signin.ok: person}", "mail_domain: example.edu")) == {}


def test_a_kind_whose_space_nobody_names_is_warned_of(problems_in: Problems) -> None:
    told = problems_in(webex("notify: {duo.fraud: space, fault: {to: space, room: R}}"))
    assert told == {"webex.notify['duo.fraud']": "is posted nowhere: neither it nor the section 'webex' has a room"}
    assert problems_in(webex("room: R", "notify: {duo.fraud: space}")) == {}


def test_keys_without_an_effect_are_named(problems_in: Problems) -> None:
    assert list(problems_in(webex("room: R", "notify: {fault: {to: person, room: R}}"))) == ["webex.notify.fault.room"]
    silenced = problems_in(webex("room: R", "notify: {fault: {to: none, room: R, template: x}}"))
    assert silenced == {"webex.notify.fault": "room and template have no effect: it goes nowhere"}
    idle = problems_in(
        webex("room: R", "organisations: O", "webhook: {require_sha256: true, url: 'https://w.example.edu/'}")
    )
    assert set(idle) == {"webex.organisations", "webex.webhook.require_sha256", "webex.webhook.url"}
    secret = "s" * 32
    assert (
        problems_in(webex("room: R", "organisations: O", f"webhook: {{secret: {secret}, require_sha256: true}}")) == {}
    )


def test_an_audit_trail_that_is_switched_off_needs_no_directory(problems_in: Problems) -> None:
    told = problems_in("audit: {enabled: false, directory: /var/log/casduo}\n")
    assert told == {"audit": "nothing else in it has an effect: enabled is false"}
    assert problems_in("audit: {enabled: false}\n") == {}
