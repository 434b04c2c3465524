"""Objects sent to the phone: who may, what it answers, what it does."""

from __future__ import annotations

import base64
import http.client
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import pytest

from casduo.simulators.phone import IpPhone
from casduo.simulators.phone.receiver import PushReceiver
from tests.simulators.phone.conftest import DEVICE, Service, softkey, text

HEAD = '<?xml version="1.0" encoding="utf-8"?>'
BASIC = "Basic " + base64.b64encode(b"casduo:pa ss").decode()


def execute(*uris: str) -> str:
    items = "".join(f'<ExecuteItem Priority="0" URL="{uri}"/>' for uri in uris)
    return f"{HEAD}<CiscoIPPhoneExecute>{items}</CiscoIPPhoneExecute>"


class Sender:
    """Sends objects on one connection, which a phone answers in order and one by one."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.path = parts.path
        self.connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)

    def send(self, xml: str, *, field: str = "XML", authorization: str = BASIC) -> tuple[int, str]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if authorization:
            headers["Authorization"] = authorization
        self.connection.request("POST", self.path, urlencode({field: xml}), headers)
        response = self.connection.getresponse()
        return response.status, response.read().decode()

    def status(self, method: str, path: str) -> int:
        self.connection.request(method, path)
        response = self.connection.getresponse()
        response.read()
        return response.status

    def wait(self) -> None:
        """Return when the phone has done what it was sent: the next request is read after that."""
        self.status("GET", self.path)


@pytest.fixture
def sender(phone: IpPhone, service: Service) -> Iterator[Sender]:
    service.put_raw("/authenticate", b"AUTHORIZED", "text/plain")
    with PushReceiver(phone, f"{service.base}/authenticate") as receiver:
        sender = Sender(receiver.url)
        yield sender
        sender.connection.close()


def test_an_authorised_sender_has_uris_carried_out(sender: Sender, phone: IpPhone, service: Service) -> None:
    service.put("/done", text("Logged in"))
    status, answer = sender.send(execute("Init:CallHistory", f"{service.base}/done?a=1&amp;b=2"))
    assert status == 200
    assert answer == (
        f"{HEAD}<CiscoIPPhoneResponse>"
        '<ResponseItem Status="0" Data="Success" URL="Init:CallHistory" />'
        f'<ResponseItem Status="0" Data="Success" URL="{service.base}/done?a=1&amp;b=2" />'
        "</CiscoIPPhoneResponse>"
    )
    sender.wait()
    assert phone.performed == ["Init:CallHistory"]
    assert "Logged in" in str(phone.screen)
    phone.check()


def test_the_authentication_url_is_asked_with_everything_in_the_query(sender: Sender, service: Service) -> None:
    sender.send(execute("Init:CallHistory"))
    [seen] = service.seen
    assert (seen.method, seen.query) == ("GET", f"UserID=casduo&Password=pa%20ss&devicename={DEVICE}")


def test_a_page_may_be_sent_and_cannot_be_fetched_again(sender: Sender, phone: IpPhone, service: Service) -> None:
    phone.press_services()
    sender.send(HEAD + text("Approved, press Update", softkey("Update", "SoftKey:Update", 1)))
    sender.wait()
    assert "Approved" in str(phone.screen)
    assert phone.prompt_error == ""
    asked = len(service.seen)
    phone.press("Update")
    assert len(service.seen) == asked


@pytest.mark.parametrize("answer", [b"AUTHORIZED\n", b"UNAUTHORIZED", b"authorized", b""])
def test_any_other_answer_is_a_refusal(sender: Sender, phone: IpPhone, service: Service, answer: bytes) -> None:
    service.put_raw("/authenticate", answer, "text/plain")
    assert sender.send(execute("Init:CallHistory"))[1] == f'{HEAD}<CiscoIPPhoneError Number="4" />'
    sender.wait()
    assert phone.performed == []


def test_nobody_to_ask_is_a_refusal(sender: Sender, service: Service) -> None:
    service.put_raw("/authenticate", b"AUTHORIZED", status="500 Internal Server Error")
    assert 'Number="4"' in sender.send(execute("Init:CallHistory"))[1]


def test_an_unreachable_authentication_url_is_a_refusal(phone: IpPhone) -> None:
    with PushReceiver(phone, "http://nowhere.invalid/authenticate") as receiver:
        sender = Sender(receiver.url)
        assert 'Number="4"' in sender.send(execute("Init:CallHistory"))[1]
        sender.connection.close()


@pytest.mark.parametrize("authorization", ["", "Bearer abc", "Basic ???", "Basic YWRh"])
def test_without_credentials_it_asks_for_them(sender: Sender, service: Service, authorization: str) -> None:
    assert sender.send(execute("Init:CallHistory"), authorization=authorization)[0] == 401
    assert service.seen == []


@pytest.mark.parametrize(
    "xml", ["", "<CiscoIPPhoneExecute/>", execute("SoftKey:Exit"), execute("Play:" + "x" * 50_000)]
)
def test_an_invalid_object_is_a_parse_error_and_counted(sender: Sender, phone: IpPhone, xml: str) -> None:
    assert sender.send(xml)[1] == f'{HEAD}<CiscoIPPhoneError Number="1" />'
    assert phone.violations[0].startswith("push: XML Error [4]: ")


def test_the_field_is_named_in_capitals(sender: Sender) -> None:
    assert 'Number="1"' in sender.send(execute("Init:CallHistory"), field="xml")[1]


def test_there_is_one_address_and_one_method(sender: Sender) -> None:
    assert sender.status("POST", "/cgi/execute") == 404
    assert sender.status("GET", sender.path) == 405


def test_a_server_may_push_while_it_answers_the_phone(sender: Sender, phone: IpPhone, service: Service) -> None:
    service.put("/", text("Hello"))

    def push(path: str) -> None:
        if path == "/":
            sender.send(execute("Init:CallHistory"))
            sender.wait()

    service.called = push
    phone.press_services()
    assert phone.performed == ["Init:CallHistory"]
    assert "Hello" in str(phone.screen)
