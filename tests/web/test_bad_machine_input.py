"""What no decent application sends: it is told that its request cannot be read, and nothing of it is used up."""

from __future__ import annotations

import gzip
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casduo.tickets.ids import parse_ticket_id
from tests.support.portal import Portal, proxy_granting
from tests.support.raw import FORM, Answer, call
from tests.support.site import LIBRARY, Site
from tests.support.wires import (
    LAX,
    PROXY_WIRES,
    SAML,
    SAML_TYPE,
    Wire,
    assert_refused,
    envelope,
    every_machine,
    fresh,
)

OTHER = "https://archive.example.edu/"


@pytest.fixture
def site(proxying_site: Site) -> Site:
    return proxying_site


def live(site: Site, portal: Portal, wire: Wire) -> dict[str, str]:
    """What an application may well send, with a ticket that is good."""
    if wire in PROXY_WIRES:
        return {"service": LIBRARY, "ticket": proxy_granting(site, portal)}
    return fresh(site)


def lives(site: Site, ticket: str) -> bool:
    known = parse_ticket_id(ticket)
    assert known is not None
    return bool(site.composed.parts.store.command("EXISTS", known.key))


def minted(site: Site) -> set[str]:
    """The proxy tickets that nobody has used yet, by their keys."""
    return set(site.composed.parts.store.command("KEYS", "*:pt:*"))


def untouched(site: Site, wire: Wire, asked: dict[str, str], answer: Answer, before: set[str]) -> None:
    """The application is told that its request cannot be read, nothing was granted, and its ticket is still good."""
    assert_refused(wire, answer, "INVALID_REQUEST")
    assert minted(site) <= before
    assert lives(site, asked["ticket"])


# Parameters


@every_machine
@pytest.mark.parametrize(
    "raw",
    [
        "&service=" + quote(OTHER, safe=""),
        "&service=%0a",
        "&pgtUrl=https://a.example.edu/%00",
        "&pgtUrl=https://a.example.edu/&pgtUrl=https://b.example.edu/",
        "&targetService=%0d%0a&TARGET=%0d%0a",
        "&x=%ff",
        "&%ff=x",
        "&x=\xff",
        "&x=%c3",
        "&x=%ed%a0%80",
        "&x=%c0%af",
        "&a=1" * 101,
        "&x=" + "a" * 70_000,
        "&service=" + "a" * 70_000,
    ],
    ids=lambda raw: raw[:40],
)
def test_a_query_that_cannot_be_read(site: Site, portal: Portal, wire: Wire, raw: str) -> None:
    asked, before = live(site, portal, wire), minted(site)
    untouched(site, wire, asked, wire.ask(site, asked, raw), before)


@every_machine
def test_a_blank_parameter_contradicts_nothing(site: Site, portal: Portal, wire: Wire) -> None:
    assert wire.accepts(wire.ask(site, live(site, portal, wire), "&service=&pgtUrl=&renew=&x="))


@every_machine
def test_of_two_tickets_neither_is_used(site: Site, portal: Portal, wire: Wire) -> None:
    first, second, before = live(site, portal, wire), live(site, portal, wire), minted(site)
    for pairs in ([*first.items(), ("ticket", second["ticket"])], [("ticket", second["ticket"]), *first.items()]):
        untouched(site, wire, first, wire.ask(site, pairs), before)
        assert lives(site, second["ticket"])


@every_machine
@pytest.mark.parametrize(
    "end", ["\n", "\r\n", "\x00", "\t", "\x0b", "\u00a0", "\u2028", "\ufeff", "\uff10", " ", "%00"]
)
def test_a_ticket_with_more_than_letters_is_none(site: Site, portal: Portal, wire: Wire, end: str) -> None:
    asked, before = live(site, portal, wire), minted(site)
    for spoiled in (asked["ticket"] + end, end + asked["ticket"], f"{asked['ticket'][:8]}{end}{asked['ticket'][8:]}"):
        answer = wire.ask(site, {**asked, "ticket": spoiled})
        # White space around an artifact is XML's; other control characters are not even XML.
        if wire is SAML and end in ("\n", "\r\n", "\t", " ") and asked["ticket"] in spoiled:
            continue
        code = "INVALID_REQUEST" if wire is SAML and end in ("\x00", "\x0b") else "INVALID_TICKET"
        assert_refused(wire, answer, code)
        assert minted(site) <= before
    assert wire is SAML or lives(site, asked["ticket"])


@every_machine
@pytest.mark.parametrize("text", ["yes\nada\n", "\nyes\nmallory\n\n", "<cas:user>mallory</cas:user>", "]]>", "{{7*7}}"])
@pytest.mark.parametrize("name", ["service", "ticket", "pgtUrl", "format", "renew"])
def test_nothing_of_a_request_comes_back(site: Site, wire: Wire, name: str, text: str) -> None:
    asked = {"service": LIBRARY, "ticket": "ST-abcd-" + "A" * 24, name: text}
    answer = wire.ask(site, asked)
    assert not wire.accepts(answer)
    assert text.strip().encode() not in answer.body
    assert b"mallory" not in answer.body


# Bodies


@pytest.mark.parametrize("wire", [wire for wire in (LAX, *PROXY_WIRES)], ids=lambda wire: wire.name)
@pytest.mark.parametrize(
    ("body", "more"),
    [
        (b"x=1", {"kind": "application/json"}),
        (b"x=1", {"kind": "multipart/form-data; boundary=x"}),
        (b"x=1", {"kind": ""}),
        (b"x=1", {"kind": FORM, "CONTENT_LENGTH": "100"}),
        (b"x=1", {"kind": FORM, "CONTENT_LENGTH": "-1"}),
        (b"x=1", {"kind": FORM, "CONTENT_LENGTH": "abc"}),
        (b"x=1", {"kind": FORM, "HTTP_TRANSFER_ENCODING": "chunked"}),
        (b"x=%ff", {"kind": FORM}),
        (b"\xff", {"kind": FORM}),
        (b"&".join([b"a=1"] * 101), {"kind": FORM}),
        (b"x=" + b"a" * 10_000_000, {"kind": FORM}),
        (b"service=https://archive.example.edu/&targetService=https://archive.example.edu/", {"kind": FORM}),
        (b"ticket=ST-x&pgt=PGT-x", {"kind": FORM}),
        (gzip.compress(b"x=1", mtime=0), {"kind": FORM, "HTTP_CONTENT_ENCODING": "gzip"}),
    ],
    ids=lambda each: each[:20].decode("latin-1") if isinstance(each, bytes) else ",".join(each),
)
def test_a_form_that_cannot_be_read(site: Site, portal: Portal, wire: Wire, body: bytes, more: dict[str, Any]) -> None:
    asked, before = live(site, portal, wire), minted(site)
    untouched(site, wire, asked, wire.ask(site, asked, method="POST", body=body, **more), before)


# XML


def around(ticket: str, before: str = "", *, inside: str = "", after: str = "") -> bytes:
    """An envelope with something before its root, within its request, or behind everything."""
    whole = envelope(ticket).decode().replace("<samlp:AssertionArtifact>", f"{inside}<samlp:AssertionArtifact>")
    return f"{before}{whole}{after}".encode()


def bomb(levels: int = 9) -> str:
    """Entities that name each other ten times: a billion laughs."""
    laughs = [(level, f"&l{level - 1};" * 10) for level in range(1, levels + 1)]
    entities = "".join(f'<!ENTITY l{level} "{text}">' for level, text in laughs)
    return f'<!DOCTYPE x [<!ENTITY l0 "ha">{entities}]>'


BROKEN = {
    "empty": lambda ticket: b"",
    "blank": lambda ticket: b" \n",
    "text": lambda ticket: ticket.encode(),
    "a form": lambda ticket: urlencode({"ticket": ticket, "SAMLart": ticket}).encode(),
    "json": lambda ticket: f'{{"ticket": "{ticket}"}}'.encode(),
    "zeros": lambda ticket: b"\x00" * 100,
    "gzip": lambda ticket: gzip.compress(envelope(ticket)),
    "no end": lambda ticket: envelope(ticket)[:-1],
    "two documents": lambda ticket: envelope(ticket) * 2,
    "something behind": lambda ticket: around(ticket, after="<x/>"),
    "something before": lambda ticket: around(ticket, "x"),
    "late declaration": lambda ticket: around(ticket, ' <?xml version="1.0"?>'),
    "another root": lambda ticket: around(ticket, "<x>", after="</x>"),
    "no namespace": lambda ticket: envelope(ticket).replace(b"samlp:", b""),
    "unknown prefix": lambda ticket: envelope(ticket).replace(b"xmlns:samlp", b"xmlns:other"),
    "SOAP 1.2": lambda ticket: envelope(ticket).replace(
        b"http://schemas.xmlsoap.org/soap/envelope/", b"http://www.w3.org/2003/05/soap-envelope"
    ),
    "SAML 2.0": lambda ticket: envelope(ticket).replace(b"SAML:1.0:protocol", b"SAML:2.0:protocol"),
    "crossed tags": lambda ticket: envelope(ticket).replace(b"</samlp:Request>", b"</samlp:request>"),
    "attribute twice": lambda ticket: envelope(ticket).replace(b"RequestID=", b'RequestID="x" RequestID='),
    "not UTF-8": lambda ticket: envelope(ticket).replace(b"_r1", b"\xff"),
    "NUL": lambda ticket: envelope(ticket).replace(b"_r1", b"\x00"),
    "not XML": lambda ticket: envelope(ticket).replace(b"_r1", b"&#0;"),
    "surrogate": lambda ticket: envelope(ticket).replace(b"_r1", b"&#xD800;"),
    "unknown entity": lambda ticket: around(ticket, inside="<x>&ada;</x>"),
    "doctype": lambda ticket: around(ticket, "<!DOCTYPE x>"),
    "billion laughs": lambda ticket: around(ticket, bomb(), inside="<x>&l9;</x>"),
    "laughs in an attribute": lambda ticket: around(ticket, bomb(), inside='<x y="&l9;"/>'),
    "quadratic": lambda ticket: around(
        ticket, f'<!DOCTYPE x [<!ENTITY a "{"a" * 20_000}">]>', inside=f"<x>{'&a;' * 5_000}</x>"
    ),
    "external entity": lambda ticket: around(
        ticket, '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>', inside="<x>&a;</x>"
    ),
    "entity as ticket": lambda ticket: around("@", f'<!DOCTYPE x [<!ENTITY t "{ticket}">]>').replace(b"@", b"&t;"),
    "external DTD": lambda ticket: around(ticket, '<!DOCTYPE x SYSTEM "https://127.0.0.1:1/x.dtd">'),
    "parameter entity": lambda ticket: around(
        ticket, '<!DOCTYPE x [<!ENTITY % p SYSTEM "https://127.0.0.1:1/x.dtd"> %p;]>'
    ),
    "UTF-7": lambda ticket: around(ticket, '<?xml version="1.0" encoding="UTF-7"?>'),
    "UTF-32": lambda ticket: envelope(ticket).decode().encode("utf-32"),
    "EBCDIC": lambda ticket: around(ticket, '<?xml version="1.0" encoding="cp037"?>'),
    "deep": lambda ticket: around(ticket, inside="<x>" * 200 + "</x>" * 200),
    "too long": lambda ticket: envelope(ticket) + b" " * 65_536,
    "10 MB": lambda ticket: envelope(ticket) + b" " * 10_000_000,
    "no artifact": lambda ticket: envelope(),
    "empty artifact": lambda ticket: envelope("", ticket),
    "in a header": lambda ticket: (
        envelope()
        .replace(b"<SOAP-ENV:Header/>", b"<SOAP-ENV:Header><AssertionArtifact/></SOAP-ENV:Header>")
        .replace(b"AssertionArtifact/>", f"AssertionArtifact>{ticket}</AssertionArtifact>".encode())
    ),
    "artifact in an artifact": lambda ticket: envelope("@").replace(
        b"@", f"<samlp:AssertionArtifact>{ticket}</samlp:AssertionArtifact>".encode()
    ),
    "comment in the ticket": lambda ticket: envelope("@").replace(b"@", f"{ticket[:9]}<!---->{ticket[9:]}".encode()),
    "instruction in the ticket": lambda ticket: envelope("@").replace(b"@", f"{ticket[:9]}<?x?>{ticket[9:]}".encode()),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_xml_that_is_no_request(site: Site, portal: Portal, broken: str) -> None:
    asked, before = live(site, portal, SAML), minted(site)
    answer = SAML.ask(site, asked, body=BROKEN[broken](asked["ticket"]))
    untouched(site, SAML, asked, answer, before)
    assert b"root:" not in answer.body
    assert portal.targets == []


def test_a_request_that_breaks_off_anywhere_uses_nothing_up(site: Site, portal: Portal) -> None:
    asked, before = live(site, portal, SAML), minted(site)
    whole = envelope(asked["ticket"])
    for end in range(0, len(whole), 7):
        untouched(site, SAML, asked, SAML.ask(site, asked, body=whole[:end]), before)
    assert SAML.accepts(SAML.ask(site, asked))


def test_a_body_that_was_cut_off_uses_nothing_up(site: Site, portal: Portal) -> None:
    asked, before = live(site, portal, SAML), minted(site)
    for length in ("9999", "-1", "abc", "\u0661", "9" * 5000):
        untouched(site, SAML, asked, SAML.ask(site, asked, CONTENT_LENGTH=length), before)
    untouched(site, SAML, asked, SAML.ask(site, asked, HTTP_TRANSFER_ENCODING="chunked"), before)


MANY_ATTRIBUTES = "<x " + " ".join(f"a{number}='1'" for number in range(1000)) + "/>"
INCLUSION = "<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='/etc/passwd' parse='text'/>"


@pytest.mark.parametrize(
    "strange",
    [
        lambda ticket: around(ticket, "<!-- <!DOCTYPE x> -->"),
        lambda ticket: around(ticket, inside="<ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'/>"),
        lambda ticket: around(
            ticket, inside='<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>'
        ),
        lambda ticket: around(ticket, "".join(f"<!-- {number} -->" for number in range(500))),
        lambda ticket: around(ticket, inside=MANY_ATTRIBUTES),
        lambda ticket: around(ticket, inside=f"<x>{'&lt;' * 5000}</x>"),
    ],
    ids=["comment", "signature", "inclusion", "comments", "attributes", "references"],
)
def test_strange_xml_around_a_ticket_does_no_harm(site: Site, portal: Portal, strange: Any) -> None:
    answer = SAML.ask(site, {"service": LIBRARY}, body=strange(fresh(site)["ticket"]))
    assert SAML.accepts(answer)
    assert b"root:" not in answer.body


# Anything


CONTROLS = st.characters(max_codepoint=31) | st.just("\x7f")
CLEAN = st.sampled_from(["service", "TARGET", "targetService", "pgtUrl"])
NO_TEXT = (
    st.binary(min_size=1, max_size=6).filter(lambda octets: not octets.isascii()).map(lambda octets: octets + b"\xff")
)
POISON = st.one_of(
    st.builds(
        lambda name, start, control, end: f"&{name}={quote(start + control + end, safe='')}",
        CLEAN,
        st.text(st.characters(codec="utf-8"), max_size=10),
        CONTROLS,
        st.text(st.characters(codec="utf-8"), max_size=10),
    ),
    st.builds(lambda octets: f"&x={quote(octets)}", NO_TEXT),
    st.builds(lambda octets: f"&x={octets.decode('latin-1')}".replace("&", "&x"), NO_TEXT),
)
JUNK = st.text(st.sampled_from("abc=%&;+ 0\u00e9"), max_size=20).filter(lambda text: not text.startswith("="))


@every_machine
def test_no_poisoned_query_uses_anything_up(site: Site, portal: Portal, wire: Wire) -> None:
    asked, before = live(site, portal, wire), minted(site)

    @given(junk=JUNK, poison=POISON)
    @settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
    def ask(junk: str, poison: str) -> None:
        untouched(site, wire, asked, wire.ask(site, asked, f"{poison}&y={junk}"), before)

    ask()
    assert wire.accepts(wire.ask(site, asked))


def test_no_spoiled_envelope_is_more_than_refused(site: Site) -> None:
    """Whatever is done to a request: it validates, or it is refused; where it cannot be read its ticket lives on."""
    asked = [fresh(site)]

    @given(at=st.integers(0, 500), gone=st.integers(0, 40), new=st.binary(max_size=20) | st.sampled_from(PIECES))
    @settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
    def ask(at: int, gone: int, new: bytes) -> None:
        whole = envelope(asked[0]["ticket"])
        answer = SAML.ask(site, {"service": LIBRARY}, body=whole[:at] + new + whole[at + gone :])
        assert (answer.status, answer.header("Content-Type")) == (200, SAML_TYPE)
        if SAML.accepts(answer):
            assert not lives(site, asked[0]["ticket"])
            asked[0] = fresh(site)
            return
        assert b'"samlp:Requester"' in answer.body or b'"samlp:RequestDenied"' in answer.body
        assert lives(site, asked[0]["ticket"])

    ask()


PIECES = [
    b"</samlp:AssertionArtifact>",
    b"<samlp:AssertionArtifact>",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"]]>",
    b"<?x",
    b"&lt;",
    b"&#83;",
    b"<!DOCTYPE x>",
    b"\x00",
    b"\xff\xfe",
]


@given(body=st.binary(max_size=300), query=st.text(st.characters(max_codepoint=255), max_size=60))
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_octets_are_answered(site: Site, body: bytes, query: str) -> None:
    answer = call(site, "POST", "/cas/samlValidate", query, body, SAML_TYPE)
    assert (answer.status, answer.header("Content-Type")) == (200, SAML_TYPE)
    assert b'"samlp:Requester"' in answer.body
