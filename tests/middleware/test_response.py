"""Reading validation answers: strict, and never anything but a verdict or InvalidResponse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.middleware.errors import InvalidResponse
from casduo.middleware.response import MAX_BYTES, Failure, Success, parse_proxy_response, parse_service_response

OPEN = '<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">'
CLOSE = "</cas:serviceResponse>"


def response(inner: str) -> bytes:
    return f"{OPEN}{inner}{CLOSE}".encode()


def success(inner: str) -> bytes:
    return response(f"<cas:authenticationSuccess>{inner}</cas:authenticationSuccess>")


def test_user_and_attributes_are_read() -> None:
    body = success(
        "<cas:user>ada</cas:user><cas:attributes><cas:mail>ada@example.edu</cas:mail>"
        "<cas:memberOf>staff</cas:memberOf><cas:memberOf>faculty</cas:memberOf><cas:empty/></cas:attributes>"
    )
    assert parse_service_response(body) == Success(
        "ada", {"mail": ("ada@example.edu",), "memberOf": ("staff", "faculty"), "empty": ("",)}
    )


def test_attributes_may_be_missing() -> None:
    assert parse_service_response(success("<cas:user>ada</cas:user>")) == Success("ada", {})


def test_any_prefix_of_the_namespace_will_do() -> None:
    body = (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<serviceResponse xmlns="http://www.yale.edu/tp/cas">\n'
        b"<authenticationSuccess><user>ada</user></authenticationSuccess>\n</serviceResponse>\n"
    )
    assert parse_service_response(body) == Success("ada", {})


def test_other_scripts_and_references_are_read() -> None:
    body = success("<cas:user>zoë</cas:user><cas:attributes><cas:cn>&#x1F600; &lt;b&gt;</cas:cn></cas:attributes>")
    assert parse_service_response(body) == Success("zoë", {"cn": ("\U0001f600 <b>",)})


def test_the_iou_of_a_proxy_granting_ticket_is_read_and_hidden() -> None:
    verdict = parse_service_response(
        success("<cas:user>ada</cas:user><cas:proxyGrantingTicket> PGTIOU-1.a </cas:proxyGrantingTicket>")
    )
    assert verdict == Success("ada", {}, iou="PGTIOU-1.a")
    assert "PGTIOU" not in repr(verdict)


@pytest.mark.parametrize("text", ["", "PGT-1", "TGT-1", "PGTIOU-", "PGTIOU-a b", "PGTIOU-" + "a" * 250, "pgtiou-1"])
def test_what_is_no_iou_is_passed_over(text: str) -> None:
    body = success(f"<cas:user>ada</cas:user><cas:proxyGrantingTicket>{text}</cas:proxyGrantingTicket>")
    assert parse_service_response(body) == Success("ada", {})


def proxied(inner: str) -> bytes:
    return success(f"<cas:user>ada</cas:user><cas:proxies>{inner}</cas:proxies>")


def test_proxies_are_read_in_their_order_where_they_are_allowed() -> None:
    body = proxied("<cas:proxy>https://b.example/pgt</cas:proxy>\n<cas:proxy> https://a.example/pgt\n</cas:proxy>")
    verdict = parse_service_response(body, proxied=True)
    assert verdict == Success("ada", {}, ("https://b.example/pgt", "https://a.example/pgt"))


@pytest.mark.parametrize(
    "inner",
    [
        "",
        "<cas:proxy/>",
        "<cas:proxy> </cas:proxy>",
        "<proxy>https://a.example</proxy>",
        "<cas:other>https://a.example</cas:other>",
        "<cas:proxy>https://a.example<cas:b/></cas:proxy>",
        "<cas:proxy>https://a.example&#10;x</cas:proxy>",
        f"<cas:proxy>https://{'a' * 2048}</cas:proxy>",
        "<cas:proxy>https://a.example</cas:proxy>" * 33,
        "<cas:proxy>https://a.example</cas:proxy></cas:proxies><cas:proxies><cas:proxy>https://b</cas:proxy>",
    ],
)
def test_a_chain_that_is_none_is_invalid(inner: str) -> None:
    with pytest.raises(InvalidResponse):
        parse_service_response(proxied(inner), proxied=True)


class TestProxyTickets:
    def test_a_ticket_is_read(self) -> None:
        body = response("<cas:proxySuccess><cas:proxyTicket>PT-1-a</cas:proxyTicket></cas:proxySuccess>")
        assert parse_proxy_response(body) == "PT-1-a"

    def test_a_refusal_keeps_its_code(self) -> None:
        body = response('<cas:proxyFailure code="INVALID_TICKET">PGT-1 unknown</cas:proxyFailure>')
        assert parse_proxy_response(body) == Failure("INVALID_TICKET", "PGT-1 unknown")

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            response(""),
            response("<cas:proxySuccess/>"),
            response("<cas:proxySuccess><cas:proxyTicket/></cas:proxySuccess>"),
            response("<cas:proxySuccess><cas:proxyTicket>ST-1</cas:proxyTicket></cas:proxySuccess>"),
            response("<cas:proxySuccess><cas:proxyTicket>PT-a&amp;b</cas:proxyTicket></cas:proxySuccess>"),
            response("<cas:proxySuccess><cas:proxyTicket>PT-1<cas:a/></cas:proxyTicket></cas:proxySuccess>"),
            response("<cas:proxySuccess><cas:user>ada</cas:user></cas:proxySuccess>"),
            response("<cas:proxySuccess>" + "<cas:proxyTicket>PT-1</cas:proxyTicket>" * 2 + "</cas:proxySuccess>"),
            response("<cas:proxyFailure>no</cas:proxyFailure>"),
            response('<cas:authenticationFailure code="INVALID_TICKET">no</cas:authenticationFailure>'),
            success("<cas:user>ada</cas:user>"),
            b"<!DOCTYPE a>" + response("<cas:proxySuccess><cas:proxyTicket>PT-1</cas:proxyTicket></cas:proxySuccess>"),
        ],
    )
    def test_anything_else_is_invalid(self, body: bytes) -> None:
        with pytest.raises(InvalidResponse):
            parse_proxy_response(body)


def test_a_failure_keeps_its_code_and_hides_its_text() -> None:
    verdict = parse_service_response(
        response('<cas:authenticationFailure code="INVALID_TICKET"> ST-1-abc unknown </cas:authenticationFailure>')
    )
    assert verdict == Failure("INVALID_TICKET", "ST-1-abc unknown")
    assert "ST-1-abc" not in repr(verdict)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"yes\nada\n", id="cas 1"),
        pytest.param(b"<html><body>Error</body></html>", id="html"),
        pytest.param(b"\xff\xfe\x00", id="not utf-8"),
        pytest.param('<?xml version="1.0" encoding="utf-16"?><a/>'.encode("utf-16"), id="utf-16"),
        pytest.param(b'<?xml version="1.0" encoding="no-such"?><a/>', id="unknown encoding"),
        pytest.param(
            b"<serviceResponse><authenticationSuccess><user>ada</user></authenticationSuccess></serviceResponse>",
            id="no namespace",
        ),
        pytest.param(success("<cas:user>ada</cas:user>").replace(b"yale", b"evil"), id="foreign namespace"),
        pytest.param(response(""), id="no outcome"),
        pytest.param(response("<cas:proxySuccess/>"), id="unknown outcome"),
        pytest.param(success(""), id="no user"),
        pytest.param(success("<cas:user/>"), id="empty user"),
        pytest.param(success("<cas:user> ada</cas:user>"), id="white space before the user"),
        pytest.param(success("<cas:user>ada&#10;root</cas:user>"), id="line break in the user"),
        pytest.param(success("<cas:user>ada&#x85;</cas:user>"), id="control character in the user"),
        pytest.param(success(f"<cas:user>{'a' * 257}</cas:user>"), id="long user"),
        pytest.param(success("<cas:user>ada<cas:b/></cas:user>"), id="markup in the user"),
        pytest.param(success("<user>ada</user>"), id="user outside the namespace"),
        pytest.param(
            success("<cas:attributes><cas:user>eve</cas:user></cas:attributes><cas:user>ada</cas:user>"),
            id="user not first",
        ),
        pytest.param(success("<cas:user>ada</cas:user><cas:user>eve</cas:user>"), id="two users"),
        pytest.param(success("<cas:user>ada</cas:user><cas:attributes/><cas:attributes/>"), id="attributes twice"),
        pytest.param(success("<cas:user>ada</cas:user><cas:other/>"), id="unknown element"),
        pytest.param(
            success("<cas:user>ada</cas:user><cas:proxies><cas:proxy>https://p</cas:proxy></cas:proxies>"),
            id="through a proxy",
        ),
        pytest.param(
            success("<cas:user>ada</cas:user><cas:attributes><cas:a><cas:b>1</cas:b></cas:a></cas:attributes>"),
            id="nested attribute",
        ),
        pytest.param(
            success('<cas:user>ada</cas:user><cas:attributes><x:a xmlns:x="urn:x">1</x:a></cas:attributes>'),
            id="attribute in a foreign namespace",
        ),
        pytest.param(response("<cas:authenticationFailure>no</cas:authenticationFailure>"), id="failure without code"),
        pytest.param(response('<cas:authenticationFailure code="a b">no</cas:authenticationFailure>'), id="odd code"),
        pytest.param(
            response(
                '<cas:authenticationFailure code="INVALID_TICKET">no</cas:authenticationFailure>'
                "<cas:authenticationSuccess><cas:user>ada</cas:user></cas:authenticationSuccess>"
            ),
            id="failure and success (CVE-2017-1000071)",
        ),
        pytest.param(
            response(
                '<cas:authenticationFailure code="INVALID_TICKET"><cas:authenticationSuccess><cas:user>eve</cas:user>'
                "</cas:authenticationSuccess>"
            ),
            id="not closed",
        ),
        pytest.param(b"<!DOCTYPE a>" + success("<cas:user>ada</cas:user>"), id="document type"),
        pytest.param(
            b'<!DOCTYPE a [<!ENTITY u "ada">]>' + success("<cas:user>&u;</cas:user>"),
            id="entity",
        ),
        pytest.param(
            b'<!DOCTYPE a [<!ENTITY u SYSTEM "file:///etc/passwd">]>' + success("<cas:user>&u;</cas:user>"),
            id="external entity",
        ),
        pytest.param(success("<cas:user>ada</cas:user>") + b" " * MAX_BYTES, id="longer than 1 MiB"),
        pytest.param(b"<a>" * 200_000, id="deep nesting"),
    ],
)
def test_anything_else_is_invalid(body: bytes) -> None:
    with pytest.raises(InvalidResponse):
        parse_service_response(body)


def test_success_inside_a_failure_is_a_failure() -> None:
    body = response(
        '<cas:authenticationFailure code="INVALID_TICKET"><cas:authenticationSuccess><cas:user>eve</cas:user>'
        "</cas:authenticationSuccess></cas:authenticationFailure>"
    )
    assert parse_service_response(body) == Failure("INVALID_TICKET", "")


@given(st.binary(max_size=300))
def test_random_bytes_are_invalid(body: bytes) -> None:
    with pytest.raises(InvalidResponse):
        parse_service_response(body)


@given(st.text(max_size=80))
def test_whatever_the_user_is_it_is_taken_as_it_is_or_refused(text: str) -> None:
    try:
        verdict = parse_service_response(success(f"<cas:user>{text}</cas:user>"))
    except (InvalidResponse, UnicodeEncodeError):
        return
    assert isinstance(verdict, Success)
    assert verdict.user == verdict.user.strip()
    assert verdict.user.isprintable() or not any(ord(character) < 32 for character in verdict.user)


PIECES = [
    OPEN,
    CLOSE,
    "<cas:authenticationSuccess>",
    "</cas:authenticationSuccess>",
    "<cas:user>ada</cas:user>",
    "<cas:user>",
    "</cas:user>",
    '<cas:authenticationFailure code="X">',
    "</cas:authenticationFailure>",
    "<cas:attributes>",
    "</cas:attributes>",
    "<!-- c -->",
    "<![CDATA[",
    "]]>",
    "<!DOCTYPE a>",
    "&lt;",
    "text",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_pieces_in_any_order_give_a_verdict_or_are_invalid(pieces: list[str]) -> None:
    try:
        verdict = parse_service_response("".join(pieces).encode())
    except InvalidResponse:
        return
    assert isinstance(verdict, Success | Failure)
