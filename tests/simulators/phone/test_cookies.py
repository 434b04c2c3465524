"""The few cookies a phone keeps."""

from __future__ import annotations

import pytest

from casduo.simulators.clock import VirtualClock
from casduo.simulators.phone.cookies import CookieJar
from tests.simulators.phone.conftest import MakePhone, Service, menu, text

URL = "https://sso.example.edu/em/login"


class Jar:
    """A jar with its time and what it lost."""

    def __init__(self) -> None:
        self.jar = CookieJar()
        self.now = 1000.0
        self.lost: list[str] = []

    def take(self, header: str, url: str = URL) -> None:
        self.jar.take(header, url, self.now, self.lost.append)

    def sent(self, url: str = URL) -> str:
        return self.jar.header(url, self.now)


@pytest.fixture
def jar() -> Jar:
    return Jar()


def test_cookies_go_back_to_their_host_on_any_port(jar: Jar) -> None:
    jar.take("em=abc; Path=/; HttpOnly; SameSite=Lax")
    assert jar.sent() == "em=abc"
    assert jar.sent("https://sso.example.edu:8443/other") == "em=abc"
    assert jar.sent("https://other.example.edu/") == ""


def test_the_fifth_cookie_is_lost(jar: Jar) -> None:
    for number in range(1, 6):
        jar.take(f"c{number}=x")
    jar.take("c2=y")
    assert jar.sent() == "c1=x; c2=y; c3=x; c4=x"
    assert jar.lost == ["a cookie c5 after 4 others: it is lost"]


@pytest.mark.parametrize("size", [255, 256])
def test_a_cookie_has_255_bytes_at_most(jar: Jar, size: int) -> None:
    jar.take("token=" + "x" * (size - 6))
    assert bool(jar.sent()) == (size == 255)
    assert len(jar.lost) == (1 if size > 255 else 0)


def test_the_ninth_host_takes_the_place_of_the_longest_idle_one(jar: Jar) -> None:
    for number in range(8):
        jar.now += 1.0
        jar.take(f"c{number}=x", f"http://host{number}/")
    jar.now += 1.0
    assert jar.sent("http://host0/") == "c0=x"
    jar.take("c8=x", "http://host8/")
    assert jar.sent("http://host1/") == ""
    assert jar.jar.names() == ("c0", "c2", "c3", "c4", "c5", "c6", "c7", "c8")
    assert jar.lost == []


def test_half_an_idle_hour_ends_them(jar: Jar) -> None:
    jar.take("em=abc")
    jar.now += 1800.0
    assert jar.sent() == "em=abc"
    jar.now += 1801.0
    assert jar.sent() == ""


@pytest.mark.parametrize("end", ["Max-Age=0", "Max-Age=-1", "Expires=Thu, 01 Jan 1970 00:00:00 GMT"])
def test_a_cookie_can_be_taken_back(jar: Jar, end: str) -> None:
    jar.take(f"em=; {end}")
    jar.take("em=abc; Max-Age=600; Expires=nonsense")
    assert jar.sent() == "em=abc"
    jar.take(f"em=; {end}")
    assert jar.sent() == ""


def test_paths_and_secure_are_honoured(jar: Jar) -> None:
    jar.take("wide=1; Path=em")
    jar.take("em=2; Path=/em; Secure; Expires=nonsense")
    assert jar.sent("https://sso.example.edu/em/login") == "wide=1; em=2"
    assert jar.sent("https://sso.example.edu/em") == "wide=1; em=2"
    assert jar.sent("https://sso.example.edu/emergency") == "wide=1"
    assert jar.sent("http://sso.example.edu/em/login") == "wide=1"


def test_a_header_without_a_pair_is_no_cookie(jar: Jar) -> None:
    jar.take("Secure")
    assert jar.jar.names() == ()
    assert len(jar.lost) == 1


@pytest.mark.usefixtures("server")
class TestOnAPhone:
    @pytest.fixture(autouse=True)
    def pages(self, service: Service, server: object) -> None:
        service.put("/", menu(("On", "{base}/on")), ("Set-Cookie", "em=abc; Path=/; HttpOnly"), encoding="iso-8859-1")
        service.put("/on", text("Hello"), encoding="iso-8859-1")

    def test_they_are_sent_with_the_next_request(self, make_phone: MakePhone, service: Service) -> None:
        phone = make_phone()
        phone.press_services()
        phone.pick(1)
        assert service.seen[-1].headers["cookie"] == "em=abc"
        phone.check()

    @pytest.mark.parametrize(("model", "kept"), [("8845", False), ("7965", True)])
    def test_closing_the_window_forgets_them_where_there_are_windows(
        self, make_phone: MakePhone, service: Service, model: str, kept: bool
    ) -> None:
        phone = make_phone(model)
        phone.press_services()
        phone.exit()
        phone.press_services()
        assert ("cookie" in service.seen[-1].headers) == kept

    def test_some_models_keep_none(self, make_phone: MakePhone, service: Service) -> None:
        phone = make_phone("860")
        phone.press_services()
        phone.pick(1)
        assert "cookie" not in service.seen[-1].headers

    def test_they_end_after_half_an_idle_hour(
        self, make_phone: MakePhone, service: Service, clock: VirtualClock
    ) -> None:
        phone = make_phone()
        phone.press_services()
        clock.advance(1801.0)
        phone.pick(1)
        assert "cookie" not in service.seen[-1].headers

    def test_a_lost_one_is_a_violation(self, make_phone: MakePhone, service: Service) -> None:
        service.put("/", text("Hello"), ("Set-Cookie", "token=" + "x" * 297))
        phone = make_phone()
        phone.press_services()
        assert "token of 303 bytes" in phone.violations[0]
        assert "Hello" in str(phone.screen)
