"""Typing into forms and sending them."""

from __future__ import annotations

import pytest

from casduo.simulators.phone import CannotType, IpPhone, NoSuchKey
from tests.simulators.phone.conftest import LOGIN, MakePhone, Service, form, text


@pytest.fixture(autouse=True)
def login(server: object, service: Service) -> None:
    service.put("/", LOGIN)
    service.put("/login", text("Approve the request"))


def test_a_phone_that_can_posts_the_form(phone: IpPhone, service: Service) -> None:
    phone.press_services()
    phone.type(userid="ada", pin="1815")
    phone.press("Submit")
    seen = service.seen[-1]
    assert (seen.method, seen.path, seen.query) == ("POST", "/login", "")
    assert seen.body == b"userid=ada&pin=1815"
    assert seen.headers["content-type"] == "application/x-www-form-urlencoded"
    assert "Approve the request" in str(phone.screen)
    phone.check()


@pytest.mark.parametrize("model", ["8821", "9841", "6921"])
def test_other_phones_ignore_the_method(make_phone: MakePhone, service: Service, model: str) -> None:
    phone = make_phone(model)
    phone.press_services()
    phone.type(userid="ada", pin="1815")
    phone.press("Submit")
    seen = service.seen[-1]
    assert (seen.method, seen.query, seen.body) == ("GET", "userid=ada&pin=1815", b"")


def test_nothing_is_posted_unless_the_page_says_so(phone: IpPhone, service: Service) -> None:
    service.put("/", LOGIN.replace(' method="post"', ""))
    phone.press_services()
    phone.press("Submit")
    assert service.seen[-1].method == "GET"
    assert service.seen[-1].query == "userid=&pin="


def test_values_follow_a_query_that_is_there_already(phone: IpPhone, service: Service) -> None:
    service.put("/", form("{base}/login?t=abc", ("passcode", "A")))
    phone.press_services()
    phone.type(passcode="a b&c=d/é?")
    phone.press("Submit")
    assert service.seen[-1].query == "t=abc&passcode=a%20b%26c%3Dd%2F%C3%A9%3F"


@pytest.mark.parametrize(("method", "sent"), [("post", b"userid=J%FCrgen+M"), ("", b"userid=J%FCrgen%20M")])
def test_values_go_back_in_the_encoding_of_the_page(phone: IpPhone, service: Service, method: str, sent: bytes) -> None:
    service.put("/", form("{base}/login", ("userid", "A"), method=method), encoding="iso-8859-1")
    phone.press_services()
    phone.type(userid="Jürgen M")
    phone.press("Submit")
    seen = service.seen[-1]
    assert (seen.body or seen.query.encode()) == sent


def test_what_the_encoding_lacks_cannot_be_typed(phone: IpPhone, service: Service) -> None:
    service.put("/", form("{base}/login", ("userid", "A")), encoding="iso-8859-1")
    phone.press_services()
    with pytest.raises(CannotType):
        phone.type(userid="Łukasz")


def test_what_the_page_prefilled_is_sent(phone: IpPhone, service: Service) -> None:
    service.put("/", form("{base}/login", ("userid", "A"), default="grace"))
    phone.press_services()
    assert "USERID: grace" in str(phone.screen)
    phone.press("Submit")
    assert service.seen[-1].query == "userid=grace"


@pytest.mark.parametrize(
    ("flags", "fits", "refused"),
    [
        ("A", "Ada Lovelace #1é", "two\nlines"),
        ("N", "0123456789", "12a"),
        ("NP", "1815", "pin"),
        ("NP", "", "١٨١٥"),
        ("T", "*67#", "67a"),
        ("E", "3+4*(2.5)", "x=3"),
        ("U", "ADA 1", "Ada"),
        ("L", "ada 1", "Ada"),
    ],
)
def test_flags_decide_what_the_keypad_writes(
    phone: IpPhone, service: Service, flags: str, fits: str, refused: str
) -> None:
    service.put("/", form("{base}/login", ("value", flags)))
    phone.press_services()
    phone.type(value=fits)
    with pytest.raises(CannotType) as caught:
        phone.type(value=refused)
    assert refused not in str(caught.value)


def test_only_fields_that_are_there_can_be_filled(phone: IpPhone) -> None:
    with pytest.raises(NoSuchKey):
        phone.type(userid="ada")
    phone.press_services()
    with pytest.raises(CannotType, match="no field password among userid, pin"):
        phone.type(password="secret")


@pytest.mark.parametrize("model", ["8845", "8821"])
def test_a_pin_is_seen_nowhere(make_phone: MakePhone, service: Service, model: str) -> None:
    phone = make_phone(model)
    service.put("/login", "<Nonsense/>")
    phone.press_services()
    phone.type(userid="ada", pin="18151815")
    shown = [str(phone.screen), phone.display(), repr(phone.screen), repr(phone.page)]
    assert "PIN: ********" in shown[0]
    phone.press("Submit")
    shown += [str(phone.requests), str(phone.violations), repr(phone.page)]
    assert "18151815" not in "\n".join(shown)
    assert len(phone.violations) == 1


def test_masked_fields_of_any_name_are_hidden_in_the_list_of_requests(phone: IpPhone, service: Service) -> None:
    service.put("/", form("{base}/login?t=token-value", ("word", "AP"), ("other", "A")))
    phone.press_services()
    phone.type(word="sesame", other="plain")
    phone.press("Submit")
    assert str(phone.requests[-1]) == "GET /login?t=***&word=***&other=plain"


def test_the_delete_key_takes_the_last_character(phone: IpPhone, service: Service) -> None:
    phone.press_services()
    phone.type(userid="adam")
    phone.press("<<")
    assert "USERID: ada" in str(phone.screen)
    phone.press("Submit")
    assert service.seen[-1].body == b"userid=ada&pin="


def test_a_fresh_page_has_fresh_fields(phone: IpPhone) -> None:
    phone.press_services()
    phone.type(userid="ada", pin="1815")
    phone.press("Submit")
    phone.back()
    screen = phone.screen
    assert screen is not None
    assert [field.shown for field in screen.inputs] == ["", ""]


def test_a_form_without_fields_is_sent_all_the_same(phone: IpPhone, service: Service) -> None:
    service.put("/", form("{base}/login"))
    phone.press_services()
    phone.press("<<")
    phone.press("Submit")
    assert (service.seen[-1].path, service.seen[-1].query) == ("/login", "")
    phone.check()
