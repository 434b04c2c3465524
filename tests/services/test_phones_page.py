"""What docs/phones.md says can be written, and what it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from casduo.authentication.ucm_pin import attributes_of
from casduo.events import phone as events
from casduo.events.phone import PhoneEvent
from casduo.languages import LANGUAGES
from casduo.phone.urls import LONGEST_BASE
from casduo.services.file import read_registry
from casduo.settings import Settings, load_settings
from casduo.settings.phones import PhoneSettings
from casduo.settings.ucm import UcmSettings
from casduo.ucm.model import UcmUser

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "phones.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Those of the page."""
    text = "server: {url: https://sso.example.edu/cas}\n" + BLOCKS[0].replace(
        "{type: ldap, ...}", "{type: users_file, path: u}"
    )
    for name in re.findall(r"secrets/\w+", text):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("secret")
    text += "duo: {api_host: api-12345678.duosecurity.com, universal: {client_id: DI01234567890123456X, "
    text += "client_secret: '0123456789012345678901234567890123456789'}}\n"
    path = tmp_path / "casduo.yaml"
    path.write_text(text)
    return load_settings(path, {})


def test_settings_and_registry_go_together(settings: Settings) -> None:
    reading = read_registry(BLOCKS[1].encode(), "registry.yaml", settings, with_lint=True)
    assert (reading.registry is not None, reading.problems) == (True, ())


def test_an_address_of_their_own_for_old_phones(settings: Settings) -> None:
    entry = f"services:\n  - id: em\n    name: Em\n    channel: phone\n{BLOCKS[2]}"
    problems = read_registry(entry.encode(), "registry.yaml", settings, with_lint=True).problems
    assert [(problem.level, problem.message) for problem in problems] == [
        ("warning", "plain http: PINs and passcodes cross the network in the clear")
    ]


@pytest.mark.parametrize(("section", "model"), [("phones", PhoneSettings), ("ucm", UcmSettings)])
def test_settings_that_are_named_exist(section: str, model: type[PhoneSettings | UcmSettings]) -> None:
    named = set(re.findall(rf"`{section}\.(\w+)", PAGE))
    assert named <= set(model.model_fields)
    assert len(named) >= 5


def test_events_are_all_told_of() -> None:
    kinds = [each for each in vars(events).values() if isinstance(each, type) and issubclass(each, PhoneEvent)]
    names = {kind.name for kind in kinds if kind is not PhoneEvent}
    assert set(re.findall(r"`(phone\.[a-z_]+)`", PAGE)) >= names
    assert len(names) > 3


def test_attributes_are_all_told_of() -> None:
    told = attributes_of(UcmUser("a", "a", "a", "a", "a", "a", "a", "a", ("a",), "a"))
    assert [name for name in told if f"`{name}`" not in PAGE] == []


def test_facts_that_may_change() -> None:
    assert f"at most {LONGEST_BASE} characters before `/**`" in PAGE
    assert set(LANGUAGES) == {"en", "de", "fr", "es"}


def test_links_lead_somewhere() -> None:
    for target, anchor in re.findall(r"\]\(([\w/.-]*\.md)?#([\w-]+)\)", PAGE):
        text = (DOCS / target).read_text(encoding="utf-8") if target else PAGE
        headings = {
            re.sub(r"[^\w -]", "", line).strip().replace(" ", "-").lower()
            for line in re.findall(r"^#+ (.*)", text, re.M)
        }
        assert anchor in headings, (target, anchor)
    for target in re.findall(r"\]\(([\w/.-]+\.md)\)", PAGE):
        assert (DOCS / target).exists(), target
