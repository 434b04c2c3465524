"""The pages about concepts say what the code does: defaults, keys, examples, commands."""

from __future__ import annotations

import re
import textwrap

import pytest
from click.testing import CliRunner

from casduo.app import behind_proxies
from casduo.cli import main
from casduo.fieldtypes import format_duration
from casduo.services.file import read_registry
from casduo.settings import Settings
from tests.support.proxies import ROOT

PAGES = ("access", "attributes", "deploying", "proxying", "sessions", "sign-out", "throttling")
TEXTS = {name: (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in PAGES}
SETTINGS = Settings.model_validate(
    {
        "server": {"url": "https://sso.example.edu/cas"},
        "authentication": [{"type": "users_file", "path": "users.yaml"}],
        "duo": {"api_host": "api-1.duosecurity.com", "universal": {"client_id": "D" * 20, "client_secret": "s" * 40}},
    }
)


def test_limits_of_the_page_are_the_defaults() -> None:
    in_words = {"15m": "15 minutes", "5s": "5 seconds", "5m": "5 minutes", "1m": "1 minute"}
    for name in ("login_pair", "login_user", "login_address"):
        limit = getattr(SETTINGS.throttling, name)
        [row] = [line for line in TEXTS["throttling"].splitlines() if f"`throttling.{name}`" in line]
        window, pause, longest = (in_words[format_duration(x)] for x in (limit.window, limit.pause, limit.max_pause))
        assert f"{limit.failures} in {window}, then {pause} doubling to {longest}" in row


def test_lifetimes_of_the_page_are_the_defaults() -> None:
    text, session = TEXTS["sessions"], SETTINGS.session
    assert (session.idle, session.lifetime) == (2 * 3600, 8 * 3600)
    assert "`session.idle` (2 hours), at most `session.lifetime` (8 hours)" in text
    assert (session.remember_me.idle, session.remember_me.lifetime) == (14 * 86400, 30 * 86400)
    assert "`session.remember_me` (14 and 30 days)" in text
    assert SETTINGS.tickets.service_ticket == 30
    assert "`tickets.service_ticket` (30 seconds)" in text


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", TEXTS["access"], re.S))
def test_examples_of_entries_are_taken(block: str) -> None:
    lines = textwrap.dedent(block)
    keys = lines if not lines.startswith("url:") else ""
    urls = [line.partition("#")[0] for line in lines.splitlines() if line.startswith("url:")] or [
        "url: https://a.edu/**"
    ]
    for url in urls:
        entry = textwrap.indent(f"name: Example\n{url}\n{keys}", "    ")
        reading = read_registry(f"services:\n  - id: example\n{entry}".encode(), "page", SETTINGS, with_lint=False)
        assert [str(problem) for problem in reading.problems] == []


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_the_page_exist(page: str) -> None:
    commands = re.findall(r"^[$#] casduo ([a-z]+(?: [a-z]+)?)", TEXTS[page], re.MULTILINE)
    commands += re.findall(r"`casduo ([a-z]+(?: [a-z]+)?)", TEXTS[page])
    for command in commands:
        words = command.split()[:2] if command.split()[0] in ("sessions", "audit", "outbox") else command.split()[:1]
        assert CliRunner().invoke(main, [*words, "--help"]).exit_code == 0, command


@pytest.mark.parametrize("page", PAGES)
def test_settings_that_the_page_names_exist(page: str) -> None:
    reference = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    sections = "server|session|tickets|throttling|validation|logout|login|redis|duo|audit"
    for section, key in re.findall(rf"`({sections})\.([a-z_]+)(?:\.[a-z_]+)?(?::[^`]*)?`", TEXTS[page]):
        if key not in ("py", "md"):
            assert re.search(rf"`(?:{section}\.)?{key}`", reference), f"{section}.{key}"


def test_hops_are_counted_as_the_page_says() -> None:
    rows = re.findall(r"\| `whatever they claim, ([^`]+)` \| `(\d)`: ([\d.]+) \|", TEXTS["deploying"])
    assert len(rows) == 2
    for header, hops, address in rows:
        seen: list[str] = []

        def application(environ: dict[str, str], _: object, seen: list[str] = seen) -> list[bytes]:
            seen.append(environ["REMOTE_ADDR"])
            return []

        environ = {"REMOTE_ADDR": "10.0.0.99", "HTTP_X_FORWARDED_FOR": f"203.0.113.66, {header}"}
        behind_proxies(application, int(hops))(environ, lambda *_: None)  # type: ignore[arg-type]
        assert seen == [address]
