"""What the documents name is there: pages and headings, commands and options, settings, kinds of event, files."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_origin

import click
import pytest

from casduo.cli import main
from casduo.events.catalogue import EVENTS, KINDS
from casduo.modelwalk import bare, field_annotation, is_model, item_annotation
from casduo.services.model import RegisteredService
from casduo.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CHANGES.md", *sorted((ROOT / "docs").glob("*.md")))
EVENT_NAMES = {event.name for event in EVENTS} | set(KINDS)
SECTIONS = set(Settings.model_fields) | {"x-"}
ABOUT_EVENTS = [
    path for path in PAGES if path.stem in {"webex", "approvals", "audit", "events", "operations", "design"}
]
FILES = re.compile(r"(?:[a-z_*]+/)*[a-z_*]+\.(?:py|lua|html|example\.yaml)")
WORDS = re.compile(r"[a-z_]+(?:\.[a-z_*]+)+")


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prose_of(path: Path) -> str:
    return re.sub(r"^ *```.*?^ *```", "", text_of(path), flags=re.M | re.S)


def spans(path: Path) -> list[str]:
    """What stands in code spans, on one line or broken over two."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose_of(path))]


def headings(path: Path) -> set[str]:
    """The names under which browsers find the headings of a page."""
    found = re.findall(r"^#+ (.*)", text_of(path), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in found}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose_of(path)):
        if re.match(r"https?:", target):
            continue
        file, _, anchor = target.partition("#")
        page = (path.parent / file).resolve() if file else path
        assert page.exists(), target
        if anchor:
            assert anchor in headings(page), target


def commands(path: Path) -> Iterator[list[str]]:
    """The words behind ``casduo`` of every command on a page."""
    lines = [
        line
        for block in re.findall(r"^ *```console\n(.*?)^ *```", text_of(path), re.M | re.S)
        for line in joined(block)
    ]
    written = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")] + spans(path)
    for line in written:
        for part in re.split(r" (?:\||&&|;) ", line):
            if part.startswith("casduo "):
                yield shlex.split(part.replace("[", "").replace("]", ""), comments=True)[1:]


def joined(block: str) -> list[str]:
    return block.replace("\\\n", " ").splitlines()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_commands_and_their_options_exist(path: Path) -> None:
    for words in commands(path):
        command: click.Command = main
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            names = words.pop(0).split("|")
            for name in names:
                found = command.get_command(click.Context(command), name)
                assert found is not None, f"{command.name} {name}"
            assert found is not None
            command = found
        options = {option for each in command.params for option in each.opts} | {"--help", "-h", "--version"}
        asked = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert asked <= options, (command.name, asked - options)


def is_key(root: object, name: str) -> bool:
    """Whether there is a key of this name, in parts with full stops in between."""
    annotation: object = root
    for part in name.split("."):
        declared = bare(annotation)
        if get_origin(declared) is dict:
            return True
        models = declared if isinstance(declared, tuple) else (declared, bare(item_annotation(declared)))
        steps = [field_annotation(model, part) for model in models if is_model(model)]
        annotation = next((step for step in steps if step is not None), None)
        if annotation is None:
            return False
    return True


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_settings_that_are_named_exist(path: Path) -> None:
    named = {span for span in spans(path) if WORDS.fullmatch(span) and span.partition(".")[0] in SECTIONS}
    files = {span for span in named if re.search(r"\.(?:md|lock|jsonl|yaml|json|py|html)$", span)}
    missing = {span for span in named - files if not is_key(Settings, span)}
    # The registry has keys of the same names, and so have events; *.* are all of them that begin so.
    missing = {span for span in missing if span not in EVENT_NAMES and not is_key(RegisteredService, span)}
    assert {span for span in missing if not span.endswith(".*")} == set()


@pytest.mark.parametrize("path", ABOUT_EVENTS, ids=lambda path: path.name)
def test_kinds_of_event_that_are_named_exist(path: Path) -> None:
    subjects = {name.partition(".")[0] for name in EVENT_NAMES}
    named = {span for span in spans(path) if WORDS.fullmatch(span) and span.partition(".")[0] in subjects}
    unknown = {span for span in named if span not in EVENT_NAMES and not is_key(Settings, span)}
    unknown = {span for span in unknown if not span.endswith((".py", ".yaml")) and not is_key(RegisteredService, span)}
    starred = {span for span in unknown if span.endswith(".*") and any(kind.startswith(span[:-1]) for kind in KINDS)}
    assert unknown - starred == set()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_files_that_are_named_exist(path: Path) -> None:
    named = {span for span in spans(path) if FILES.fullmatch(span) and "/" in span}
    for name in named:
        places = (ROOT, ROOT / "casduo", ROOT / "docs", ROOT / "views")
        assert any(next(place.glob(name), None) for place in places), name


@pytest.mark.parametrize("key", ["requires_approval", "target"])
def test_every_key_of_an_approval_is_told_of(key: str) -> None:
    model = bare(field_annotation(RegisteredService, key))
    page = text_of(ROOT / "docs" / "approvals.md")
    assert [name for name in model.model_fields if not re.search(rf"\b{name}\b", page)] == []


@pytest.mark.parametrize(("section", "page"), [("webex", "webex"), ("approvals", "approvals"), ("audit", "audit")])
def test_settings_of_these_sections_are_told_of(section: str, page: str) -> None:
    model = bare(field_annotation(Settings, section))
    usual = {"connect_timeout", "read_timeout", "timeout", "proxy", "proxy_file", "token_file"}
    text = text_of(ROOT / "docs" / f"{page}.md")
    assert [name for name in model.model_fields if name not in usual and not re.search(rf"\b{name}\b", text)] == []


def test_the_sections_of_the_sample_can_be_switched_on_as_they_are(tmp_path: Path) -> None:
    sample = text_of(ROOT / "casduo.example.yaml")
    sections = re.split(r"\n\n", sample)
    switched = [
        re.sub(r"^# ?", "", found[0], flags=re.M)
        for part in sections
        for found in re.finditer(r"^# (?:webex|approvals|audit|rest):$.*", part, re.M | re.S)
    ]
    assert len(switched) == 4
    for name in re.findall(r"secrets/\w+", sample):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("0123456789" * 4)
    path = tmp_path / "casduo.yaml"
    path.write_text("\n\n".join([sample, *switched]))
    settings = load_settings(path, {})
    assert settings.webex is not None
    assert settings.rest.enabled
    assert settings.approvals.refusals == 3
