"""All documents: links lead somewhere, files and tests that they name exist, and the index knows every page."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from casduo.webflow.flows import FLOWS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGES.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "benchmarks/README.md"]
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+(?:\([^()]*\))?)\)")


@cache
def text_of(path: Path) -> str:
    """Return a page without its blocks of code."""
    return re.sub(r"^(```+).*?^\1", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


@cache
def anchors_of(path: Path) -> frozenset[str]:
    """Return what one can link to, as GitHub makes it of headings."""
    found: list[str] = []
    for heading in re.findall(r"^#{1,6} +(.*?) *#*$", text_of(path), re.MULTILINE):
        plain = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", plain.replace("`", "")).replace(" ", "-")
        count = found.count(name)
        found.append(f"{name}-{count}" if count else name)
    return frozenset(found) | set(re.findall(r'<a (?:id|name)="([^"]+)"', text_of(path)))


def missing(page: Path) -> list[str]:
    wrong = []
    for link in _LINK.findall(text_of(page)):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        if (
            not target.exists()
            or ROOT not in (target, *target.parents)
            or (anchor and target.suffix == ".md" and anchor not in anchors_of(target))
        ):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert missing(page) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    """The check checks: a page that is not there, a heading that is not there, a file outside of the checkout."""
    page = ROOT / "docs" / "design.md"
    assert anchors_of(page) >= {"the-parts", "rules-that-are-easy-to-break"}
    broken = tmp_path / "page.md"
    broken.write_text("[a](nowhere.md) [b](#none)\n\n# Some\n\n[c](#some)\n", encoding="utf-8")
    assert missing(broken)[:2] == ["nowhere.md", "#none"]


def test_the_index_has_a_line_for_every_page_and_every_recipe() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in _LINK.findall(text_of(index))}
    pages = {page for page in (ROOT / "docs").rglob("*.md") if page != index and page.parent.name != "flows"}
    assert sorted(str(page.relative_to(ROOT)) for page in pages - linked) == []


def test_every_file_that_the_design_names_exists() -> None:
    """The traces through the files are read to find one's way: a name that is wrong leads astray."""
    names = re.findall(
        r"`([a-z_]+(?:/[a-z0-9_*]+)*(?:\.(?:py|lua|html|yaml)|/))`", text_of(ROOT / "docs" / "design.md")
    )
    assert len(names) > 60
    places = (ROOT, ROOT / "casduo")
    assert sorted({name for name in names if not any(list(place.glob(name)) for place in places)}) == []


def test_every_function_and_class_that_the_design_names_exists() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "casduo").rglob("*.py"))
    names = re.findall(r"`([A-Za-z_]+)\.([a-z_]+)`", text_of(ROOT / "docs" / "design.md"))
    found = [
        (owner, name) for owner, name in names if name not in ("py", "lua", "html", "yaml", "md") and owner[0].isupper()
    ]
    assert found
    for owner, name in found:
        assert f"class {owner}" in code, owner
        assert f"def {name}" in code, name


def test_every_state_that_the_design_names_is_one_of_a_flow() -> None:
    states = {row.name for flow in FLOWS.values() for row in flow.rows}
    named = set(re.findall(r"`([a-z]+[A-Z][A-Za-z]+)`", text_of(ROOT / "docs" / "design.md")))
    assert len(named) > 6
    assert named - states == set()


def test_every_test_that_a_page_names_exists() -> None:
    there = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        there |= set(re.findall(r"^\s*def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    named = {(page.name, name) for page in PAGES for name in re.findall(r"`(test_\w+)`", text_of(page))}
    assert len({name for page, name in named if page == "threat-model.md"}) > 60
    assert sorted((page, name) for page, name in named if name not in there) == []


def test_every_row_of_the_threat_model_has_a_test() -> None:
    rows = re.findall(r"^\| ([STRIDE]) \|.*$", text_of(ROOT / "docs" / "threat-model.md"), re.MULTILINE)
    whole = re.findall(r"^\| [STRIDE] \|.*`test_\w+` \|$", text_of(ROOT / "docs" / "threat-model.md"), re.MULTILINE)
    assert len(rows) == len(whole) > 50
    assert set(rows) == set("STRIDE")


def test_every_line_of_the_log_that_the_page_about_operations_names_is_written() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "casduo").rglob("*.py"))
    prefixes = "duo|signout|outbox|message|press|webex|phone|approval|settings|reload|serving|worker|valkey"
    page = text_of(ROOT / "docs" / "operations.md").partition("\n## Signals\n")[2]
    names = set(re.findall(rf"`((?:{prefixes})\.[a-z_]+)`", page))
    written = {name for name in names if f'"{name}"' in code}
    assert {"signout.failed", "outbox.delivered", "press.begun", "settings.problem", "worker.died"} <= written
    assert sorted(names - written) == []
