from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from casduo.docsgen import GENERATED, generate, main
from casduo.modelwalk import bare, is_model, item_annotation
from casduo.services.model import RegisteredService
from casduo.settings import Settings
from casduo.settings.environment import known_variables

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", GENERATED)
def test_the_committed_reference_is_current(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == generate()[name], "run: python -m casduo.docsgen"


def test_the_references_are_written_where_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(tmp_path)])
    assert {path.name for path in tmp_path.iterdir()} == set(GENERATED)
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / name) for name in GENERATED]


def test_every_variable_is_in_the_reference() -> None:
    text = generate()["settings.md"]
    assert [name for name in known_variables() if f"`{name}`" not in text] == []


def test_defaults_are_written_as_people_write_them() -> None:
    rows = generate()["settings.md"].splitlines()
    assert any(row.startswith("| `idle` | duration | `2h` |") for row in rows)
    assert any(row.startswith("| `max_pause` | duration | `1m` |") for row in rows)
    assert any(row.startswith("| `client_id` | text | required |") for row in rows)
    assert any(row.startswith("| `per_space` | number | `1` |") for row in rows)
    assert any(row.startswith("| `languages` | list | `[en, de, fr, es]` |") for row in rows)


def test_no_table_is_broken_by_its_text() -> None:
    for row in generate()["settings.md"].splitlines():
        if row.startswith("|"):
            assert row.replace("\\|", "").count("|") == 6, row


def models(annotation: object) -> set[type[BaseModel]]:
    declared = bare(annotation)
    if is_model(declared):
        found = {declared}
        for field in declared.model_fields.values():
            found |= models(field.annotation)
        return found
    if isinstance(declared, tuple):
        return set().union(*map(models, declared))
    inner = item_annotation(declared)
    return models(inner) if inner is not None else set()


@pytest.mark.parametrize("root", [Settings, RegisteredService])
def test_every_key_is_described(root: type[BaseModel]) -> None:
    for model in models(root):
        assert model.__doc__
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"
            assert field.description.rstrip(")`").endswith((".", "?")) or field.description.startswith("`")
