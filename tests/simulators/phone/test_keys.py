"""Softkeys, menus, and the phone's own URIs."""

from __future__ import annotations

import pytest

from casduo.simulators.phone import IpPhone, NoSuchKey
from tests.simulators.phone.conftest import LOGIN, PAST, MakePhone, Service, menu, softkey, text

TWO = menu(("Ward", "{base}/ward"), ("Office", "{base}/office"))


@pytest.fixture(autouse=True)
def pages(server: object, service: Service) -> None:
    service.put("/", TWO)
    service.put("/ward", "<CiscoIPPhoneText><Prompt>Ready</Prompt><Text>The ward</Text></CiscoIPPhoneText>")
    service.put("/office", text("The office", title="Office hours"))


def keys(phone: IpPhone) -> tuple[str, ...]:
    assert phone.screen is not None
    return phone.screen.softkeys


@pytest.mark.parametrize(
    ("model", "document", "expected"),
    [
        ("8845", TWO, ("Exit", "Select")),
        ("8845", text("Hello"), ("Exit", "Update")),
        ("8845", LOGIN, ("Cancel", "Submit", "<<")),
        ("7965", TWO, ("Select", "Exit")),
        ("7965", LOGIN, ("Submit", "<<", "Cancel")),
        ("8821", LOGIN, ("Submit", "Cancel", "<<")),
    ],
)
def test_a_page_without_softkeys_has_those_of_the_phone(
    make_phone: MakePhone, service: Service, model: str, document: str, expected: tuple[str, ...]
) -> None:
    service.put("/", document)
    phone = make_phone(model)
    phone.press_services()
    assert keys(phone) == expected


def test_one_softkey_of_the_page_makes_the_others_vanish(phone: IpPhone, service: Service) -> None:
    service.put("/", menu(("Ward", "{base}/ward"), inside=softkey("Help", "{base}/office", 3)))
    phone.press_services()
    assert keys(phone) == ("", "", "Help")
    with pytest.raises(NoSuchKey, match="no softkey 'Exit' among Help"):
        phone.press("Exit")
    with pytest.raises(NoSuchKey):
        phone.press_position(1)
    phone.press_position(3)
    assert "The office" in str(phone.screen)


def test_items_are_picked_by_number(phone: IpPhone) -> None:
    phone.press_services()
    phone.pick(2)
    assert "The office" in str(phone.screen)
    phone.back()
    phone.dial("1")
    assert "The ward" in str(phone.screen)
    with pytest.raises(NoSuchKey):
        phone.pick(1)


@pytest.mark.parametrize("digits", ["0", "3", "", "x", "²"])
def test_items_that_are_not_there_cannot_be_picked(phone: IpPhone, digits: str) -> None:
    phone.press_services()
    with pytest.raises(NoSuchKey):
        phone.dial(digits)


def test_the_select_key_takes_the_line_under_the_cursor(phone: IpPhone) -> None:
    phone.press_services()
    phone.highlight(2)
    assert phone.screen is not None
    assert phone.screen.highlighted == 2
    phone.press("Select")
    assert "The office" in str(phone.screen)


def test_a_page_without_a_title_has_the_name_of_the_item_that_led_there(phone: IpPhone) -> None:
    phone.press_services()
    phone.pick(1)
    assert phone.screen is not None
    assert phone.screen.title == "Ward"


def test_a_first_page_without_a_title_has_the_name_of_the_service(make_phone: MakePhone, service: Service) -> None:
    service.put("/", "<CiscoIPPhoneText><Text>Hello</Text></CiscoIPPhoneText>")
    phone = make_phone(service_name="Mobility")
    phone.press_services()
    assert phone.screen is not None
    assert phone.screen.title == "Mobility"


class TestQueryStringParam:
    def test_a_softkey_adds_the_parameter_of_the_line_under_the_cursor(self, phone: IpPhone, service: Service) -> None:
        items = (("One", "QueryStringParam:message=1"), ("Two", "QueryStringParam:message=2"))
        service.put("/", menu(*items, inside=softkey("Read", "{base}/ward?x=y", 1)))
        phone.press_services()
        phone.highlight(2)
        phone.press("Read")
        assert service.seen[-1].query == "x=y&message=2"
        phone.check()

    def test_a_softkey_s_parameter_is_added_to_the_line_under_the_cursor(
        self, phone: IpPhone, service: Service
    ) -> None:
        service.put("/", menu(("Ward", "{base}/ward"), inside=softkey("Erase", "QueryStringParam:do=erase", 1)))
        phone.press_services()
        phone.press("Erase")
        assert service.seen[-1].query == "do=erase"

    def test_by_itself_it_leads_nowhere(self, phone: IpPhone, service: Service) -> None:
        service.put("/", menu(("One", "QueryStringParam:message=1")))
        phone.press_services()
        phone.pick(1)
        assert len(service.seen) == 1
        assert phone.performed == []


class TestBack:
    def test_the_page_before_is_fetched_again(self, phone: IpPhone, service: Service) -> None:
        phone.press_services()
        phone.pick(1)
        phone.press("Exit")
        assert [seen.path for seen in service.seen] == ["/", "/ward", "/"]
        assert phone.screen is not None
        assert phone.screen.kind == "menu"

    def test_behind_the_first_page_is_nothing(self, phone: IpPhone) -> None:
        phone.press_services()
        phone.press("Exit")
        assert phone.screen is None

    def test_expired_pages_are_skipped(self, phone: IpPhone, service: Service) -> None:
        service.put("/ward", menu(("On", "{base}/office")), PAST)
        phone.press_services()
        phone.pick(1)
        phone.pick(1)
        phone.back()
        assert [seen.path for seen in service.seen] == ["/", "/ward", "/office", "/"]
        phone.check()

    def test_a_sent_form_that_expires_is_not_sent_again(self, phone: IpPhone, service: Service) -> None:
        service.put("/", LOGIN)
        service.put("/login", text("Wait", softkey("Go", "{base}/office", 1)), PAST)
        phone.press_services()
        phone.press("Submit")
        phone.press("Go")
        phone.back()
        assert [seen.method for seen in service.seen] == ["GET", "POST", "GET", "GET"]
        assert service.seen[-1].path == "/"

    def test_a_page_that_cannot_be_fetched_again_stays_behind(self, phone: IpPhone, service: Service) -> None:
        phone.press_services()
        phone.pick(1)
        first = service.answers.pop("/")
        phone.back()
        assert phone.prompt_error == "HTTP Error [8]"
        assert phone.screen is not None
        assert phone.screen.kind == "text"
        service.answers["/"] = first
        phone.back()
        assert phone.screen.kind == "menu"

    @pytest.mark.parametrize(
        ("expires", "model", "violations"),
        [
            ("Thu, 01 Jan 1970 00:00:00 GMT", "8845", 1),
            ("Thu, 01 Jan 1970 00:00:00 GMT", "7841", 0),
            ("0", "8845", 1),
            ("-1", "7841", 1),
            ("Fri, 15 Jan 2100 08:00:00 GMT", "8845", 0),
        ],
    )
    def test_expires_has_to_be_a_date_the_model_believes(
        self, make_phone: MakePhone, service: Service, expires: str, model: str, violations: int
    ) -> None:
        service.put("/ward", menu(("On", "{base}/office")), ("Expires", expires))
        phone = make_phone(model)
        phone.press_services()
        phone.pick(1)
        phone.pick(1)
        phone.back()
        assert len(set(phone.violations)) == violations
        skipped = violations == 0 and "1970" in expires
        assert service.seen[-1].path == ("/" if skipped else "/ward")


class TestPhoneUris:
    @pytest.mark.parametrize("model", ["8845", "7965"])
    def test_init_services_closes_the_window(self, make_phone: MakePhone, service: Service, model: str) -> None:
        service.put("/", text("Hello", softkey("Exit", "Init:Services", 1)))
        phone = make_phone(model)
        phone.press_services()
        phone.press("Exit")
        assert phone.screen is None
        with pytest.raises(NoSuchKey, match="no service is open"):
            phone.press("Exit")

    def test_key_services_opens_the_service_anew(self, phone: IpPhone, service: Service) -> None:
        service.put("/", text("Hello", softkey("Again", "Key:Services", 1)))
        phone.press_services()
        phone.press("Again")
        assert [seen.path for seen in service.seen] == ["/", "/"]

    def test_what_changes_nothing_here_is_written_down(self, phone: IpPhone, service: Service) -> None:
        service.put("/", menu(("Clear", "Init:CallHistory"), ("Call", "Dial:1815")))
        phone.press_services()
        phone.pick(1)
        phone.pick(2)
        assert phone.performed == ["Init:CallHistory", "Dial:1815"]
        assert len(service.seen) == 1

    def test_update_fetches_the_page_s_own_address(self, phone: IpPhone, service: Service) -> None:
        phone.press_services()
        phone.pick(1)
        phone.press("Update")
        assert [seen.path for seen in service.seen] == ["/", "/ward", "/ward"]
        phone.back()
        assert service.seen[-1].path == "/"

    def test_update_sends_a_pin_again_that_went_into_the_address(self, make_phone: MakePhone, service: Service) -> None:
        service.put("/", LOGIN)
        service.put("/login", text("Wait"), PAST)
        phone = make_phone("8821")
        phone.press_services()
        phone.type(pin="1815")
        phone.press("Submit")
        phone.press("Update")
        assert [seen.query for seen in service.seen[1:]] == ["userid=&pin=1815"] * 2


class TestExecute:
    def put(self, service: Service, path: str, *uris: str, attributes: str = 'Priority="0"') -> None:
        items = "".join(f'<ExecuteItem {attributes} URL="{uri}"/>' for uri in uris)
        service.put(path, f"<CiscoIPPhoneExecute>{items}</CiscoIPPhoneExecute>")

    def test_it_may_be_an_answer(self, phone: IpPhone, service: Service) -> None:
        self.put(service, "/go", "Init:CallHistory", "{base}/office", "Play:ring.raw")
        service.put("/", menu(("Go", "{base}/go")))
        phone.press_services()
        phone.pick(1)
        phone.check()
        assert phone.performed == ["Init:CallHistory", "Play:ring.raw"]
        assert "The office" in str(phone.screen)
        phone.back()
        assert service.seen[-1].path == "/"

    @pytest.mark.parametrize(
        ("uris", "reason"),
        [
            ((), "no ExecuteItem"),
            (("Play:a",) * 4, "4 times ExecuteItem"),
            (("{base}/ward", "{base}/office"), "more than one http URL"),
            (("SoftKey:Exit",), "not allowed in an Execute object"),
        ],
    )
    def test_it_has_limits(self, phone: IpPhone, service: Service, uris: tuple[str, ...], reason: str) -> None:
        self.put(service, "/", *uris)
        phone.press_services()
        assert phone.prompt_error == "XML Error [4]"
        assert reason in phone.violations[0]

    def test_its_priority_is_0_1_or_2(self, phone: IpPhone, service: Service) -> None:
        self.put(service, "/", "Play:a", attributes='Priority="3"')
        phone.press_services()
        assert phone.prompt_error == "XML Error [4]"

    def test_a_loop_ends(self, phone: IpPhone, service: Service) -> None:
        self.put(service, "/", "{base}/")
        phone.press_services()
        assert phone.violations == ["Execute objects that lead to each other without end"]
        assert len(service.seen) == 4
