"""Which objects a phone shows, and which documents it refuses."""

from __future__ import annotations

import pytest

from casduo.simulators.phone import PRESETS, IpPhone, PhoneRefused
from tests.simulators.phone.conftest import LOGIN, MakePhone, Service, form, menu, softkey, text

URL = "http://example.edu/next"
INPUT_ITEM = (
    "<InputItem><DisplayName>PIN</DisplayName><QueryStringParam>pin</QueryStringParam>"
    "<DefaultValue></DefaultValue><InputFlags>NP</InputFlags></InputItem>"
)


def shown(phone: IpPhone, service: Service, document: str) -> IpPhone:
    service.put("/", document)
    phone.press_services()
    return phone


ACCEPTED = {
    "text": text("Hello"),
    "text-without-title-and-prompt": "<CiscoIPPhoneText><Text>Hello</Text></CiscoIPPhoneText>",
    "text-with-references": text("R&amp;D &lt;west&gt; &#252;ber"),
    "empty-menu": menu(),
    "menu-of-100": menu(*[(f"Profile {number}", URL) for number in range(100)]),
    "menu-name-of-64": menu(("x" * 64, URL)),
    "menu-name-of-three-lines": menu(("one\ntwo\nthree", URL)),
    "menu-with-phone-uris": menu(("Exit", "Init:Services"), ("Call", "Dial:1815"), ("Back", "SoftKey:Exit")),
    "form-of-five": form(URL, *[(f"field{number}", "A") for number in range(5)]),
    "form-that-posts": form(URL, ("pin", "NP"), method="post"),
    "form-with-empty-element": LOGIN.replace("<DefaultValue></DefaultValue>", "<DefaultValue/>"),
    "softkey-16": text("Hello", softkey("More", URL, 16)),
    "softkey-with-url-down": text(
        "Hello",
        "<SoftKeyItem><Name>Talk</Name><URL>RTPTx:Stop</URL>".replace("RTPTx:Stop", "Play:off.raw")
        + "<URLDown>Play:on.raw</URLDown><Position>1</Position></SoftKeyItem>",
    ),
}

REFUSED = {
    # markup
    "comment": (text("Hello <!-- hidden -->"), "a comment"),
    "cdata": (text("<![CDATA[Hello]]>"), "a CDATA section"),
    "doctype": ("<!DOCTYPE CiscoIPPhoneText>" + text("Hello"), "a DOCTYPE"),
    "processing-instruction": ("<?style none?>" + text("Hello"), "a processing instruction"),
    "namespace": (text("Hello").replace("<CiscoIPPhoneText>", '<CiscoIPPhoneText xmlns="urn:x">'), "a namespace"),
    "prefix": ("<x:CiscoIPPhoneText><Text>Hello</Text></x:CiscoIPPhoneText>", "a namespace"),
    "control-character": (text("Hello\x85"), "U+0085"),
    "control-character-by-reference": (text("Hello &#127;"), "U+007F"),
    "forbidden-reference": (text("Hello &#1;"), "not well-formed"),
    "html-entity": (text("caf&eacute;"), "not well-formed"),
    "bare-ampersand": (text("R & D"), "not well-formed"),
    "unclosed": ("<CiscoIPPhoneText><Text>Hello</Text>", "not well-formed"),
    "two-roots": (text("one") + text("two"), "not well-formed"),
    # shape
    "unknown-object": ("<CiscoIPPhonePoem><Text>Hello</Text></CiscoIPPhonePoem>", "no object CiscoIPPhonePoem"),
    "wrong-case-of-object": ("<CiscoIpPhoneText><Text>Hello</Text></CiscoIpPhoneText>", "only CiscoIPPhoneText"),
    "unknown-element": (text("Hello", "<Colour>red</Colour>"), "has no Colour"),
    "wrong-case-of-element": (text("Hello").replace("Prompt>", "prompt>"), "only Prompt"),
    "wrong-order": (
        "<CiscoIPPhoneText><Prompt>Ready</Prompt><Title>T</Title><Text>Hello</Text></CiscoIPPhoneText>",
        "Title stands behind Prompt",
    ),
    "softkey-before-the-text": (
        f"<CiscoIPPhoneText>{softkey('Exit', 'SoftKey:Exit', 1)}<Text>Hello</Text></CiscoIPPhoneText>",
        "Text stands behind SoftKeyItem",
    ),
    "two-titles": (text("Hello").replace("<Prompt>", "<Title>T</Title><Prompt>"), "2 times Title"),
    "attribute": (text("Hello").replace("<Text>", '<Text lang="en">'), "no attribute lang"),
    "loose-text": (text("Hello", "loose"), "text between"),
    "loose-text-in-a-root": ("<CiscoIPPhoneMenu>loose</CiscoIPPhoneMenu>", "text in CiscoIPPhoneMenu"),
    "element-in-text": (text("Hello <b>you</b>"), "text between"),
    "element-for-text": (text("<b/>"), "elements in Text"),
    # text
    "no-text": ("<CiscoIPPhoneText><Title>T</Title></CiscoIPPhoneText>", "no Text"),
    # menu
    "item-101": (menu(*[(f"Profile {number}", URL) for number in range(101)]), "101 times MenuItem"),
    "name-of-65": (menu(("x" * 65, URL)), "65 characters"),
    "name-of-four-lines": (menu(("1\n2\n3\n4", URL)), "two line breaks"),
    "item-without-a-name": (menu((" ", URL)), "without a Name"),
    "item-without-a-url": (menu(("Ward", "")), "neither an absolute http URL"),
    "item-url-missing": ("<CiscoIPPhoneMenu><MenuItem><Name>x</Name></MenuItem></CiscoIPPhoneMenu>", "no URL"),
    # form
    "sixth-field": (form(URL, *[(f"field{number}", "A") for number in range(6)]), "6 times InputItem"),
    "form-without-a-url": (f"<CiscoIPPhoneInput>{INPUT_ITEM}</CiscoIPPhoneInput>", "no URL"),
    "post-in-capitals": (form(URL, ("pin", "NP"), method="POST"), "neither 'get' nor 'post'"),
    "method-in-capitals": (form(URL).replace("<URL>", '<URL METHOD="post">'), "only method"),
    "unknown-flag": (form(URL, ("pin", "X")), "InputFlags"),
    "mask-alone": (form(URL, ("pin", "P")), "InputFlags"),
    "mask-before-the-flag": (form(URL, ("pin", "PN")), "InputFlags"),
    "field-named-badly": (form(URL, ("user id", "A")), "plain name"),
    "two-fields-of-one-name": (form(URL, ("pin", "N"), ("pin", "N")), "same QueryStringParam"),
    "field-without-a-default": (
        form(URL, ("pin", "N")).replace("<DefaultValue></DefaultValue>", ""),
        "no DefaultValue",
    ),
    "field-without-a-label": (form(URL, ("pin", "N")).replace(">PIN<", "><"), "without a DisplayName"),
    "relative-form-url": (form("/login", ("pin", "N")), "not an absolute http URL"),
    "form-url-of-the-phone": (form("Init:Services", ("pin", "N")), "not an absolute http URL"),
    # softkeys
    "no-position": (text("Hello", softkey("Exit", URL, 1).replace("<Position>1</Position>", "")), "no Position"),
    "position-0": (text("Hello", softkey("Exit", URL, 0)), "Position"),
    "position-17": (text("Hello", softkey("Exit", URL, 17)), "Position"),
    "position-in-words": (text("Hello", softkey("Exit", URL, "one")), "Position"),
    "applications-button": (text("Hello", softkey("Exit", URL, -1)), "Position"),
    "one-place-twice": (text("Hello", softkey("A", URL, 1) + softkey("B", URL, 1)), "same Position"),
    "softkey-without-a-name": (text("Hello", softkey("", URL, 1)), "without a Name"),
    # addresses
    "relative": (menu(("Ward", "/em/select")), "neither an absolute http URL"),
    "other-scheme": (menu(("Ward", "ftp://example.edu/")), "phones have no URI ftp"),
    "unknown-softkey-action": (text("Hello", softkey("Go", "SoftKey:Go", 1)), "phones have no URI SoftKey:Go"),
    "unknown-init": (text("Hello", softkey("Go", "Init:Everything", 1)), "phones have no URI Init:Everything"),
    "blank-in-a-url": (menu(("Ward", "http://example.edu/a b")), "percent-encoded"),
    "umlaut-in-a-url": (menu(("Ward", "http://example.edu/ü")), "percent-encoded"),
    "bad-escape": (menu(("Ward", "http://example.edu/%zz")), "percent-encoded"),
    "fragment": (menu(("Ward", "http://example.edu/#top")), "'#'"),
    "device-name-in-a-page": (menu(("Ward", "http://example.edu/?device=#DEVICENAME#")), "'#'"),
    "user-in-a-url": (menu(("Ward", "http://ada@example.edu/")), "not an absolute http URL"),
    "port-that-is-none": (menu(("Ward", "http://example.edu:99999/")), "not an absolute http URL"),
    "no-host": (menu(("Ward", "http:///em")), "not an absolute http URL"),
    "url-of-257": (menu(("Ward", "http://example.edu/".ljust(257, "x"))), "257 characters"),
}


@pytest.mark.parametrize("document", ACCEPTED.values(), ids=ACCEPTED)
def test_what_the_schema_allows_is_shown(phone: IpPhone, service: Service, document: str) -> None:
    shown(phone, service, document)
    phone.check()
    assert phone.screen is not None
    assert phone.prompt_error == ""


@pytest.mark.parametrize(("document", "reason"), REFUSED.values(), ids=REFUSED)
def test_anything_else_is_refused_and_counted(phone: IpPhone, service: Service, document: str, reason: str) -> None:
    shown(phone, service, document)
    assert phone.screen is None
    assert phone.prompt_error == "XML Error [4]"
    [violation] = phone.violations
    assert violation.startswith("GET /: XML Error [4]: ")
    assert reason in violation
    with pytest.raises(PhoneRefused, match=r"XML Error \[4\]"):
        phone.check()


@pytest.mark.parametrize("name", ["Directory", "Image", "IconMenu", "Status", "Error"])
def test_objects_that_are_not_drawn_are_told_from_invalid_ones(phone: IpPhone, service: Service, name: str) -> None:
    shown(phone, service, f"<CiscoIPPhone{name} />")
    assert phone.prompt_error == "XML Error [5]"
    assert len(phone.violations) == 1


def test_a_model_without_forms_refuses_one(make_phone: MakePhone, service: Service) -> None:
    phone = shown(make_phone("860"), service, LOGIN)
    assert phone.prompt_error == "XML Error [5]"
    shown(phone, service, text("This phone cannot do that"))
    assert phone.prompt_error == ""


def test_a_refused_page_leaves_the_one_before_on_the_display(phone: IpPhone, service: Service) -> None:
    shown(phone, service, menu(("Broken", "{base}/broken"), ("Fine", "{base}/fine")))
    service.put("/broken", "<Nonsense/>")
    service.put("/fine", text("Hello"))
    phone.pick(1)
    assert phone.screen is not None
    assert phone.screen.kind == "menu"
    assert phone.screen.prompt == "XML Error [4]"
    phone.pick(2)
    assert phone.screen.kind == "text"
    assert phone.screen.prompt == "Ready"


@pytest.mark.parametrize("length", [200, 201])
def test_a_url_longer_than_200_is_shown_and_counted(phone: IpPhone, service: Service, length: int) -> None:
    shown(phone, service, menu(("Ward", "http://example.edu/".ljust(length, "x"))))
    assert phone.screen is not None
    assert len(phone.violations) == (1 if length > 200 else 0)


def test_softkey_actions_belong_to_kinds_of_pages(phone: IpPhone, service: Service) -> None:
    shown(phone, service, text("Hello", softkey("Send", "SoftKey:Submit", 1) + softkey("Exit", "SoftKey:Exit", 2)))
    assert phone.violations == ["GET /: SoftKeyItem 'Send': a page of kind text has no SoftKey:Submit"]
    phone.press("Send")
    assert str(phone.screen) == "Extension Mobility\nHello\nReady\n[Send] [Exit]"


def test_query_parameters_belong_to_menus(phone: IpPhone, service: Service) -> None:
    shown(phone, service, text("Hello", softkey("Add", "QueryStringParam:a=b", 1)))
    assert len(phone.violations) == 1


def test_7900_phones_expect_a_prompt(make_phone: MakePhone, service: Service) -> None:
    phone = shown(make_phone("7965"), service, "<CiscoIPPhoneText><Text>Hello</Text></CiscoIPPhoneText>")
    assert phone.violations == ["GET /: CP-7965G expects a Prompt"]
    assert phone.screen is not None


def test_6900_phones_show_the_prompt_or_the_title(make_phone: MakePhone, service: Service) -> None:
    phone = shown(make_phone("6921"), service, text("Hello"))
    assert phone.violations == ["GET /: CP-6921 shows no Title where there is a Prompt"]
    assert phone.screen is not None
    assert phone.screen.title == ""


def test_the_wireless_desk_keys_end_at_8_and_have_one_for_applications(make_phone: MakePhone, service: Service) -> None:
    phone = shown(make_phone("8821"), service, text("Hello", softkey("Exit", "Init:Services", -1)))
    phone.check()
    phone.press_position(-1)
    assert phone.screen is None
    shown(phone, service, text("Hello", softkey("Exit", URL, 9)))
    assert phone.prompt_error == "XML Error [4]"


def test_some_phones_replace_the_device_name_in_pages(make_phone: MakePhone, service: Service) -> None:
    service.put("/ward", text("Hello"))
    phone = shown(make_phone(replace_in_pages=True), service, menu(("Ward", "{base}/ward?device=#DEVICENAME#")))
    phone.pick(1)
    phone.check()
    assert service.seen[-1].query == "device=SEP001122334455"


def test_every_preset_shows_a_plain_page(make_phone: MakePhone, service: Service) -> None:
    for name, preset in PRESETS.items():
        charset = "utf-8" if "utf-8" in preset.charsets else "iso-8859-1"
        service.put(
            "/", "<CiscoIPPhoneText><Prompt>Ready</Prompt><Text>Hëllo</Text></CiscoIPPhoneText>", encoding=charset
        )
        phone = make_phone(name)
        phone.press_services()
        phone.check()
        assert "Hëllo" in str(phone.screen)
