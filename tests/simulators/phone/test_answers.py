"""What must be around an object for a phone to look at it: status, headers, encoding, size."""

from __future__ import annotations

from dataclasses import replace

import pytest

from casduo.simulators.phone import PRESETS, IpPhone
from tests.simulators.phone.conftest import XML, MakePhone, Service, text

UTF8 = b'<?xml version="1.0" encoding="utf-8"?>'
LATIN = b'<?xml version="1.0" encoding="iso-8859-1"?>'
PAGE = text("Hello").encode()


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        (UTF8 + PAGE, "text/html; charset=utf-8", "text/html"),
        (UTF8 + PAGE, "application/xml; charset=utf-8", "application/xml"),
        (UTF8 + PAGE, "", "missing"),
        (UTF8 + PAGE, "text/xml", "names no charset"),
        (UTF8 + PAGE, "text/xml; charset=utf-16", "takes iso-8859-1 and utf-8"),
        (LATIN + PAGE, XML, "the XML declaration says iso-8859-1"),
        (UTF8 + PAGE, "text/xml; charset=iso-8859-1", "the Content-Type iso-8859-1"),
        (b'<?xml version="1.0"?>' + PAGE, XML, "names no encoding"),
        (PAGE, XML, "does not begin with an XML declaration"),
        (b"\n" + UTF8 + PAGE, XML, "does not begin with an XML declaration"),
        ("\ufeff".encode() + UTF8 + PAGE, XML, "does not begin with an XML declaration"),
        (UTF8 + "Bücher".encode("latin-1"), XML, "bytes that are not utf-8"),
        (b"", XML, "does not begin with an XML declaration"),
        (b"OK", XML, "does not begin with an XML declaration"),
        (UTF8 + text("x" * 200_000).encode(), XML, "196608 bytes"),
    ],
)
def test_it_has_to_be_xml_that_says_so(phone: IpPhone, service: Service, body: bytes, kind: str, reason: str) -> None:
    service.put_raw("/", body, kind)
    phone.press_services()
    assert phone.prompt_error == "XML Error [4]"
    assert phone.screen is None
    [violation] = phone.violations
    assert reason in violation


def test_compressed_answers_are_not_understood(phone: IpPhone, service: Service) -> None:
    service.put("/", text("Hello"), ("Content-Encoding", "gzip"))
    phone.press_services()
    assert phone.prompt_error == "XML Error [4]"


def test_the_charset_may_be_written_in_capitals(phone: IpPhone, service: Service) -> None:
    service.put_raw("/", UTF8.replace(b"utf-8", b"UTF-8") + PAGE, "text/xml;charset=UTF-8")
    phone.press_services()
    phone.check()


def test_a_phone_with_one_encoding_refuses_the_other(make_phone: MakePhone, service: Service) -> None:
    phone = make_phone("7960")
    service.put("/", text("Hällo"))
    phone.press_services()
    assert phone.prompt_error == "XML Error [4]"
    service.put("/", text("Hällo &#322;"), encoding="iso-8859-1")
    phone.press_services()
    assert phone.prompt_error == ""
    assert "Hällo ł" in str(phone.screen)


def test_a_preset_can_be_varied(make_phone: MakePhone, service: Service) -> None:
    phone = make_phone(replace(PRESETS["8845"], accept_charset="utf-8"))
    service.put("/", text("Hello"), encoding="iso-8859-1")
    phone.press_services()
    assert phone.prompt_error == "XML Error [4]"


@pytest.mark.parametrize(
    ("model", "status", "prompt"),
    [
        ("8845", "404 Not Found", "HTTP Error [8]"),
        ("8845", "503 Service Unavailable", "HTTP Error [8]"),
        ("8845", "204 No Content", "HTTP Error [8]"),
        ("6921", "503 Service Unavailable", "Server Busy"),
        ("6921", "404 Not Found", "File Not Found"),
        ("6921", "500 Internal Server Error", "HTTP Error [8]"),
    ],
)
def test_any_status_but_200_is_an_error_on_the_prompt_line(
    make_phone: MakePhone, service: Service, model: str, status: str, prompt: str
) -> None:
    phone = make_phone(model)
    service.put_raw("/", UTF8 + PAGE, status=status)
    phone.press_services()
    assert phone.prompt_error == prompt
    assert phone.violations == [f"GET /: {prompt}: the status {status[:3]}"]


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect"])
def test_redirects_are_not_followed(phone: IpPhone, service: Service, status: str) -> None:
    service.put("/next", text("Hello"))
    service.put_raw("/", b"", XML, ("Location", f"{service.base}/next"), status=status)
    phone.press_services()
    assert phone.prompt_error == "HTTP Error [8]"
    assert "a redirect" in phone.violations[0]
    assert [seen.path for seen in service.seen] == ["/"]
