"""The Refresh header, on a clock that only moves by hand."""

from __future__ import annotations

import time

import pytest

from casduo.simulators.clock import VirtualClock
from casduo.simulators.phone import IpPhone
from casduo.simulators.server import SimulatorServer
from tests.simulators.phone.conftest import LOGIN, PAST, MakePhone, Service, menu, text


def waiting(service: Service, refresh: str, document: str = text("Wait")) -> None:
    service.put("/", document, ("Refresh", refresh), PAST)
    service.put("/wait", text("Still waiting"), ("Refresh", "3; url={base}/wait"), PAST)


def paths(service: Service) -> list[str]:
    return [seen.path for seen in service.seen]


@pytest.fixture(autouse=True)
def running(server: SimulatorServer) -> None:
    """All these tests have a server."""


def test_the_next_page_comes_when_it_is_due(phone: IpPhone, service: Service, clock: VirtualClock) -> None:
    waiting(service, "3; url={base}/wait")
    phone.press_services()
    assert phone.screen is not None
    assert phone.screen.refresh_in == 3.0
    clock.advance(2.0)
    assert not phone.tick()
    assert phone.screen.refresh_in == 1.0
    clock.advance(1.0)
    assert phone.tick()
    assert "Still waiting" in str(phone.screen)
    assert not phone.tick()
    phone.check()


def test_time_passes_with_every_refresh_at_its_moment(phone: IpPhone, service: Service, clock: VirtualClock) -> None:
    waiting(service, "3; url={base}/wait")
    phone.press_services()
    began = clock()
    phone.pass_time(10.0)
    assert paths(service) == ["/", "/wait", "/wait", "/wait"]
    assert [sent.at - began for sent in phone.requests] == [0.0, 3.0, 6.0, 9.0]
    assert clock() - began == 10.0


def test_only_a_virtual_clock_can_be_moved(server: SimulatorServer) -> None:
    phone = IpPhone("SEP001122334455", "8845", service_url=f"{server.url}/", clock=time.time)
    with pytest.raises(TypeError):
        phone.pass_time(1.0)


def test_without_an_address_the_page_itself_comes_again(phone: IpPhone, service: Service) -> None:
    waiting(service, "5")
    phone.press_services()
    phone.pass_time(5.0)
    assert paths(service) == ["/", "/"]
    assert phone.screen is not None
    assert phone.screen.softkeys == ("Exit", "Update")


@pytest.mark.parametrize("refresh", ["0; url={base}/wait", "; url={base}/wait"])
def test_without_a_number_it_waits_for_the_key_next(phone: IpPhone, service: Service, refresh: str) -> None:
    waiting(service, refresh)
    phone.press_services()
    assert phone.screen is not None
    assert phone.screen.refresh_in is None
    phone.pass_time(3600.0)
    assert paths(service) == ["/"]
    assert phone.screen.softkeys == ("Exit", "Next")
    phone.press("Next")
    assert paths(service) == ["/", "/wait"]


def test_a_refreshed_page_takes_the_place_of_the_one_before(phone: IpPhone, service: Service) -> None:
    service.put("/", menu(("Begin", "{base}/first")))
    service.put("/first", text("Wait"), ("Refresh", "3; url={base}/wait"))
    service.put("/wait", text("Done"))
    phone.press_services()
    phone.pick(1)
    phone.pass_time(3.0)
    phone.back()
    assert paths(service) == ["/", "/first", "/wait", "/"]


def test_a_refresh_that_fails_is_not_tried_again(phone: IpPhone, service: Service, server: SimulatorServer) -> None:
    waiting(service, "3; url={base}/wait")
    phone.press_services()
    server.stop_listening()
    phone.pass_time(30.0)
    assert phone.prompt_error == "HTTP Error [10]"
    assert len(phone.requests) == 2
    server.listen_again()
    phone.press("Next")
    assert phone.prompt_error == ""
    assert "Still waiting" in str(phone.screen)


def test_leaving_the_page_ends_its_refresh(phone: IpPhone, service: Service) -> None:
    waiting(service, "3; url={base}/wait")
    phone.press_services()
    phone.exit()
    phone.pass_time(10.0)
    assert paths(service) == ["/"]


@pytest.mark.parametrize(
    ("refresh", "reason"),
    [
        ("3; url=/wait", "not an absolute http URL"),
        ("3; /wait", "that is not"),
        ("soon", "that is not"),
        ("3; url=http://example.edu/".ljust(300, "x"), "is the most"),
        ("1; url={base}/wait", "after 1 second"),
        ("3; url=Init:Services", "not an absolute http URL"),
    ],
)
def test_what_is_not_by_the_rules_is_counted(phone: IpPhone, service: Service, refresh: str, reason: str) -> None:
    waiting(service, refresh)
    phone.press_services()
    assert phone.screen is not None
    [violation] = phone.violations
    assert reason in violation


def test_two_refresh_headers_are_one_too_many(phone: IpPhone, service: Service) -> None:
    service.put("/", text("Wait"), ("Refresh", "3"), ("Refresh", "4"))
    phone.press_services()
    assert phone.violations == ["GET /: more than one Refresh header"]


def test_a_form_must_not_refresh(phone: IpPhone, service: Service) -> None:
    waiting(service, "30; url={base}/wait", LOGIN)
    phone.press_services()
    assert phone.violations == ["GET /: a Refresh on a form, which loses what was typed"]


def test_a_key_for_the_next_page_needs_one(phone: IpPhone, service: Service) -> None:
    key = "<SoftKeyItem><Name>On</Name><URL>SoftKey:Next</URL><Position>1</Position></SoftKeyItem>"
    service.put("/", text("Hello", key))
    phone.press_services()
    assert len(phone.violations) == 1
    phone.violations.clear()
    service.put("/", text("Hello", key), ("Refresh", "0; url={base}/wait"))
    service.put("/wait", text("Next page"))
    phone.press_services()
    phone.press("On")
    phone.check()
    assert "Next page" in str(phone.screen)


def test_a_phone_restarts_while_it_waits_for_the_answer(phone: IpPhone, service: Service) -> None:
    service.put("/", text("Logged in"))
    service.called = lambda path: phone.restart("ada-ward")
    phone.press_services()
    assert phone.screen is None
    assert phone.restarts == 1
    assert "ada-ward" in phone.display()


def test_a_restart_can_come_a_moment_later(phone: IpPhone, service: Service) -> None:
    service.put("/", text("Logged in"))
    service.called = lambda path: phone.restart("ada-ward", after=4.0)
    phone.press_services()
    assert "Logged in" in str(phone.screen)
    phone.pass_time(3.0)
    assert phone.restarts == 0
    phone.pass_time(1.0)
    assert phone.restarts == 1
    assert phone.screen is None


def test_what_was_on_every_model_is_gone_after_a_restart(make_phone: MakePhone, service: Service) -> None:
    service.put("/", text("Hello"), ("Set-Cookie", "em=abc"), encoding="iso-8859-1")
    phone = make_phone("7965")
    phone.press_services()
    phone.exit()
    assert phone.cookies.names() == ("em",)
    phone.restart()
    assert phone.cookies.names() == ()
    assert "No profile" in phone.display()
