from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BeforeValidator, Field, SecretStr, ValidationError

from casduo.fieldtypes import Duration, Section, one_or_many
from casduo.problems import did_you_mean, listed, path_text, problems_of
from casduo.yamlfile import parse_yaml


class Cat(Section):
    type: Literal["cat"]
    lives: int = 9


class Dog(Section):
    type: Literal["dog"]
    collar: str


class Shelf(Section):
    height: int = Field(ge=1, le=9)
    material: Literal["oak", "beech"] = "oak"


def _shelf(value: object) -> object:
    return {"height": 1} if value is True else value


class Library(Section):
    name: str
    open: bool = True
    pin: SecretStr | None = None
    pin_file: str | None = None
    hours: Duration = 3600.0
    shelves: tuple[Shelf, ...] = Field(default=(Shelf(height=1),), min_length=1)
    labels: Annotated[tuple[str, ...], BeforeValidator(one_or_many)] = ()
    rooms: dict[str, Shelf] = Field(default={})
    pets: tuple[Annotated[Cat | Dog, Field(discriminator="type")], ...] = ()
    main: Annotated[Shelf | None, BeforeValidator(_shelf)] = None
    vault: Shelf | None = None
    from_: str = Field(default="", alias="from")


def told(text: str) -> dict[str, str]:
    document = parse_yaml(text.encode(), "f")
    with pytest.raises(ValidationError) as caught:
        Library.model_validate(document.data)
    return {problem.path: problem.message for problem in problems_of(caught.value, document, Library)}


@pytest.mark.parametrize(
    ("text", "path", "sentence"),
    [
        ("{}", "name", "is missing"),
        ("name: 7", "name", "must be text; put it into quotes"),
        ("name:", "name", "has no value; it must be text; put it into quotes"),
        ("name: x\nopen: perhaps", "open", "must be true or false, not 'perhaps'"),
        ("name: x\nopne: true", "opne", "unknown key, did you mean 'open'?"),
        ("name: x\nform: a", "form", "unknown key, did you mean 'from'?"),
        ("name: x\nmain: {hieght: 2, height: 1}", "main.hieght", "unknown key, did you mean 'height'?"),
        ("name: x\nmain: {zzz: 2, height: 1}", "main.zzz", "unknown key; known here: height, material"),
        ("name: x\nmain: 4", "main", "must be a mapping (key: value)"),
        ("name: x\nmain: {}", "main.height", "is missing"),
        ("name: x\nshelves: []", "shelves", "must have at least 1 entry"),
        ("name: x\nshelves: oak", "shelves", "must be a list"),
        ("name: x\nshelves: [{height: 0}]", "shelves[0].height", "must be 1 or more"),
        ("name: x\nshelves: [{height: 1}, {height: 10}]", "shelves[1].height", "must be 9 or less"),
        ("name: x\nshelves: [{height: 1.5}]", "shelves[0].height", "must be a whole number, not '1.5'"),
        (
            "name: x\nshelves: [{height: 1, material: oka}]",
            "shelves[0].material",
            "must be oak or beech, not 'oka', did you mean 'oak'?",
        ),
        ("name: x\nlabels: [a, 1]", "labels[1]", "must be text; put it into quotes"),
        ("name: x\nlabels: 1", "labels", "must be a list"),
        ("name: x\nrooms: {hall: {}}", "rooms.hall.height", "is missing"),
        ("name: x\nrooms: {'a b': {}}", "rooms['a b'].height", "is missing"),
        ("name: x\npets: [{type: dgo}]", "pets[0]", "unknown type 'dgo', did you mean 'dog'?; known: cat or dog"),
        ("name: x\npets: [{}]", "pets[0]", "needs the key 'type': cat or dog"),
        ("name: x\npets: [{type: dog}]", "pets[0].collar", "is missing"),
        ("name: x\npets: [{type: cat, lifes: 1}]", "pets[0].lifes", "unknown key, did you mean 'lives'?"),
        ("name: x\nhours: soon", "hours", "must be a duration such as 30s, 15m, 8h or 2d"),
        ("name: x\nfrom: 1", "from", "must be text; put it into quotes"),
    ],
)
def test_a_finding_becomes_one_sentence_at_its_key(text: str, path: str, sentence: str) -> None:
    assert told(text) == {path: sentence}


def test_all_findings_are_told_in_the_order_of_the_file() -> None:
    document = parse_yaml(b"hours: soon\nopen: 7\nshelves: [{height: no}, {}]\n", "f")
    with pytest.raises(ValidationError) as caught:
        Library.model_validate(document.data)
    problems = problems_of(caught.value, document, Library)
    assert [(problem.line, problem.column) for problem in problems] == [(1, 1), (1, 1), (2, 1), (3, 12), (3, 25)]


def test_a_part_of_a_document_is_told_by_its_whole_path() -> None:
    document = parse_yaml(b"libraries:\n  - name: x\n    open: perhaps\n", "f")
    with pytest.raises(ValidationError) as caught:
        Library.model_validate(document.data["libraries"][0])
    (problem,) = problems_of(caught.value, document, Library, ("libraries", 0))
    assert (problem.path, problem.line, problem.column) == ("libraries[0].open", 3, 5)


def test_the_value_of_a_secret_is_never_told() -> None:
    problems = told("name: x\npin: 31337\nvault: {height: many}")
    assert problems["pin"] == "must be text; put it into quotes"
    assert "31337" not in str(problems)


def test_a_missing_section_says_what_it_needs() -> None:
    class House(Section):
        shelf: Shelf
        pet: Dog

    document = parse_yaml(b"{}", "f")
    with pytest.raises(ValidationError) as caught:
        House.model_validate({})
    problems = {problem.path: problem.message for problem in problems_of(caught.value, document, House)}
    assert problems == {"shelf": "is missing; it needs height", "pet": "is missing; it needs type and collar"}


def test_paths_are_written_as_people_write_them() -> None:
    assert path_text(("services", 2, "requires_duo", "fail")) == "services[2].requires_duo.fail"
    assert path_text(("attributes", "cn;lang-de")) == "attributes['cn;lang-de']"
    assert path_text(()) == ""


def test_near_misses_are_recognised() -> None:
    assert did_you_mean("requires-duo", ["requires_duo", "name"]) == ", did you mean 'requires_duo'?"
    assert did_you_mean("Requires_Duo", ["requires_duo"]) == ", did you mean 'requires_duo'?"
    assert did_you_mean("xyz", ["requires_duo"]) == ""


def test_lists_read_as_sentences() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b or c"
    assert listed([]) == ""
