"""What goes over the wire: encodings, headers, escaping and the places of softkeys, as an emulated phone reads them."""

from __future__ import annotations

import itertools

import pytest
from lxml import etree

from casduo.phone.answers import answer_of
from casduo.phone.models import Traits, traits_of
from casduo.phone.screens import InputField, InputScreen, MenuItem, MenuScreen, Refresh, SoftKey, TextScreen
from casduo.simulators.phone.presets import PRESETS
from tests.phone.pages import CASES, HOSTILE, LANGUAGES, POST_MODELS, Case, environ_of, received, screen, web

URL = "https://sso.example.edu/em/SEP001122334455/wait?t=T&profile=1"
EVERYWHERE = list(itertools.product(sorted(PRESETS), LANGUAGES))
KEYS = (
    SoftKey("Exit", "Init:Services", "exit"),
    SoftKey("Send", URL, "act"),
    SoftKey("<<", "SoftKey:<<", "update"),
    SoftKey("More", URL, "more"),
)
TEXT = TextScreen(title="Title", prompt="Prompt", text="Text", softkeys=KEYS)
MENU = MenuScreen(title="Title", prompt="Prompt", items=(MenuItem("Ward", URL),), softkeys=KEYS)
FORM = InputScreen(title="Title", prompt="Prompt", url=URL, fields=(InputField("pin", "PIN", "NP"),), softkeys=KEYS)
SCREENS = (TEXT, MENU, FORM)


def traits_of_preset(model: str) -> Traits:
    return traits_of(environ_of(PRESETS[model]), POST_MODELS)


def body_of(shown: TextScreen | MenuScreen | InputScreen, traits: Traits) -> bytes:
    return answer_of(shown, traits, web().document)[0]


def headers_of(shown: TextScreen | MenuScreen | InputScreen, traits: Traits | None = None) -> dict[str, str]:
    return dict(answer_of(shown, traits or Traits(), web().document)[1])


@pytest.mark.parametrize(("model", "language"), EVERYWHERE)
def test_a_strict_phone_takes_every_page_in_every_language(model: str, language: str) -> None:
    refused = {case.name: got.violations for case in CASES if (got := received(case, model, language)).violations}
    assert refused == {}


@pytest.mark.parametrize(("model", "language"), EVERYWHERE)
def test_every_page_has_a_way_out(model: str, language: str) -> None:
    without = [case.name for case in CASES if not _leaves(case, model, language)]
    assert without == []


def _leaves(case: Case, model: str, language: str) -> bool:
    return any(
        key.url == "Init:Services" or "/cancel?" in key.url or "/wait?" in key.url
        for key in received(case, model, language).page.softkeys
    )


def test_elements_stand_in_the_vendors_order() -> None:
    names = {
        type(shown).__name__: [child.tag for child in etree.fromstring(body_of(shown, Traits()))] for shown in SCREENS
    }
    keys = ["SoftKeyItem"] * 4
    assert names == {
        "TextScreen": ["Title", "Prompt", "Text", *keys],
        "MenuScreen": ["Title", "Prompt", "MenuItem", *keys],
        "InputScreen": ["Title", "Prompt", "URL", "InputItem", *keys],
    }
    item = etree.fromstring(body_of(FORM, Traits())).find("InputItem")
    assert item is not None
    assert [child.tag for child in item] == ["DisplayName", "QueryStringParam", "DefaultValue", "InputFlags"]


@pytest.mark.parametrize("shown", SCREENS, ids=lambda shown: type(shown).__name__)
@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1"])
def test_declaration_and_content_type_name_the_encoding(shown: TextScreen, charset: str) -> None:
    traits = Traits(charset=charset)  # type: ignore[arg-type]
    body, headers = answer_of(shown, traits, web().document)
    assert body.startswith(f'<?xml version="1.0" encoding="{charset}"?>\n<CiscoIPPhone'.encode())
    assert dict(headers)["Content-Type"] == f"text/xml; charset={charset}"
    assert dict(headers)["Content-Length"] == str(len(body))
    assert b"<!--" not in body
    assert b"\n\n" not in body


def test_what_an_old_encoding_lacks_goes_by_number() -> None:
    shown = TextScreen(title="Zürich", prompt="", text="東京 …", softkeys=KEYS)
    old = body_of(shown, Traits(charset="iso-8859-1"))
    assert "Zürich".encode("iso-8859-1") in old
    assert b"&#26481;&#20140; &#8230;" in old
    assert "東京 …".encode() in body_of(shown, Traits())


def test_the_five_characters_go_by_the_names_that_every_phone_knows() -> None:
    shown = TextScreen(title="""R&D <7> "x" 'y' &#39; &amp;""", prompt="", text="", softkeys=KEYS)
    expected = b"<Title>R&amp;D &lt;7&gt; &quot;x&quot; &apos;y&apos; &amp;#39; &amp;amp;</Title>"
    assert expected in body_of(shown, Traits())


@pytest.mark.parametrize("model", sorted(PRESETS))
def test_a_hostile_name_arrives_as_a_name(model: str) -> None:
    case = next(case for case in CASES if case.name == "profiles: hostile")
    assert received(case, model).page.items[0].name == "R&D <ward> \"7\" #1 'Zürich' 100% 東京"
    assert HOSTILE not in received(case, model).page.items[0].name


@pytest.mark.parametrize(
    ("model", "places"),
    [
        ("7965", {"Send": 1, "<<": 2, "Exit": 3, "More": 4}),
        ("8845", {"Exit": 1, "Send": 2, "<<": 3, "More": 4}),
        ("7841", {"Exit": 1, "Send": 2, "<<": 3, "More": 4}),
        ("8821", {"Send": 1, "Exit": 2, "<<": 3, "More": 4}),
    ],
)
def test_keys_are_where_the_model_has_them(model: str, places: dict[str, int]) -> None:
    root = etree.fromstring(body_of(FORM, traits_of_preset(model)))
    found = [(key.findtext("Name"), int(key.findtext("Position") or 0)) for key in root.iter("SoftKeyItem")]
    assert dict(found) == places
    assert [place for _, place in found] == sorted(place for _, place in found)


def test_places_close_up_only_where_there_are_few() -> None:
    shown = TextScreen(title="Title", prompt="", text="Text", softkeys=(KEYS[0], KEYS[3]))
    for model, places in (("8845", ["1", "4"]), ("8821", ["1", "2"]), ("7965", ["3", "4"])):
        root = etree.fromstring(body_of(shown, traits_of_preset(model)))
        assert [key.findtext("Position") for key in root.iter("SoftKeyItem")] == places


@pytest.mark.parametrize(("model", "posts"), [("8845", True), ("7841", True), ("8821", False), ("7965", False)])
def test_a_form_is_posted_where_the_model_can(model: str, posts: bool) -> None:
    assert (b'<URL method="post">' in body_of(FORM, traits_of_preset(model))) is posts


def test_only_the_first_form_may_be_gone_back_to() -> None:
    kept = [case.name for case in CASES if "Expires" not in headers_of(screen(case))]
    assert kept == ["form"]
    headers = headers_of(TEXT)
    assert headers["Expires"] == "Sat, 01 Jan 2000 00:00:00 GMT"
    assert headers["Cache-Control"] == "no-store"
    assert received(CASES[1]).content.expired


def test_a_waiting_text_refreshes() -> None:
    shown = TextScreen(title="", prompt="", text="Text", softkeys=KEYS, refresh=Refresh(3, URL))
    assert headers_of(shown)["Refresh"] == f"3; url={URL}"
    assert "Refresh" not in headers_of(TEXT)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_only_waiting_texts_refresh(case: Case) -> None:
    waits = case.view == "phone_moment" or (
        case.view == "duo_push" and case.data["request"] and not case.typing and not case.choosing
    )
    got = received(case).content
    assert (got.refresh is not None) is bool(waits)
    if got.refresh is not None:
        ends = {"entry": "/", "logout": "/logout"}.get(case.data.get("again", ""), f"/wait?t={'T' * 52}")
        assert got.refresh.url.endswith(ends)


def test_6900_phones_get_title_or_prompt() -> None:
    one = Traits(one_heading=True)
    assert b"<Prompt>" not in body_of(TEXT, one)
    assert b"<Title>" in body_of(TEXT, one)
    for shown in (MENU, FORM):
        assert b"<Title>" not in body_of(shown, one)
        assert b"<Prompt>Prompt</Prompt>" in body_of(shown, one)


def test_a_text_has_a_prompt_only_where_the_phone_would_make_one_up() -> None:
    assert b"<Prompt>" in body_of(TEXT, Traits(needs_prompt=True))
    assert b"<Prompt>" not in body_of(TEXT, Traits(needs_prompt=False))
    assert b"<Prompt>" in body_of(MENU, Traits(needs_prompt=False))


def test_what_is_empty_is_left_out() -> None:
    shown = TextScreen(title="", prompt="\x00", text="Text", softkeys=KEYS)
    assert etree.fromstring(body_of(shown, Traits()))[0].tag == "Text"
