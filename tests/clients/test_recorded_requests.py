"""What deployed clients send, replayed over TLS, and what the server answers, read as each of them reads it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote, quote_plus, urlsplit

import pytest

from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.server import SimulatorServer
from tests.clients import readers
from tests.clients.readers import Answer, Learned, Refused, Unreadable
from tests.clients.recordings import (
    RECORDINGS,
    apache_encoded,
    dotnet_encoded,
    host_of,
    java_encoded,
    look_up,
    php_encoded,
    replay,
    ruby_encoded,
)
from tests.support.served import Served, serving
from tests.support.visitor import Visitor

DISPLAY_NAME = 'Zoë O\'Łukasz & Söhne <R&D> "日本" 🎓 ]]>'
COURSES = ["Algebra", "Sets & <Maps>", "Übung; Teil 2"]
PEOPLE = f"""
      mail: mail
      displayName: {{static: {json.dumps([DISPLAY_NAME], ensure_ascii=False)}}}
      course: {{static: {json.dumps(COURSES, ensure_ascii=False)}}}
"""

REGISTRY = f"""
services:
  - id: shop
    name: A shop in PHP
    url: https://shop.example.edu/**
    client: phpcas
    attributes:{PEOPLE}
  - id: wiki
    name: A wiki in Java
    url: https://wiki.example.edu/**
    client: java
    logout: {{type: front_channel}}
    attributes:{PEOPLE}
  - id: office
    name: An office in .NET
    url: https://office.example.edu/**
    client: dotnet
    attributes:{PEOPLE}
  - id: course
    name: Courses in Ruby on Rails
    url: https://course.example.edu/**
    client: rubycas
    attributes:
      mail: mail
      course: {{static: ['1,2', Sets & Maps, Übung]}}
  - id: forum
    name: A forum with omniauth-cas
    url: https://forum.example.edu/**
    attributes:{PEOPLE}
  - id: loose
    name: A forum that writes its addresses anew
    url: https://loose.example.edu/**
    service_match: loose
  - id: intranet
    name: Pages behind Apache
    url: https://intranet.example.edu/**
    client: mod_auth_cas
    attributes:{PEOPLE}
  - id: portal
    name: A portal that asks others
    url: https://portal.example.edu/**
    proxy: {{allow: true, callback: 'https://localhost:*/pgt', private_addresses: true}}
"""

Reader = Callable[[Answer], Learned]


def at(read: Callable[[Answer, datetime], Learned], seconds: float = 0) -> Reader:
    """Return a reader of assertions whose clock is some seconds fast."""
    return lambda answer: read(answer, datetime.now(UTC) + timedelta(seconds=seconds))


READERS: dict[str, Reader] = {
    "phpcas 1.0": readers.phpcas_text,
    "phpcas 2.0": readers.phpcas_xml,
    "phpcas 3.0": readers.phpcas_xml,
    "phpcas proxied": readers.phpcas_xml,
    "phpcas saml": readers.phpcas_saml,
    "java 1.0": readers.java_text,
    "java 2.0": readers.java_xml,
    "java 3.0": readers.java_xml,
    "java proxied": readers.java_xml,
    "java json": readers.java_json,
    "java saml": at(readers.java_saml),
    "dotnet 1.0": readers.dotnet_text,
    "dotnet 2.0": readers.dotnet_xml,
    "dotnet saml": at(readers.dotnet_saml),
    "dotnet saml as form": at(readers.dotnet_saml),
    "rubycas": readers.rubycas,
    "rubycas 1.0": readers.rubycas,
    "omniauth": readers.omniauth,
    "mod_auth_cas 1.0": readers.mod_auth_cas_text,
    "mod_auth_cas 2.0": readers.mod_auth_cas_xml,
}
"""How the answer to each recording is read that does not demand or bring anything special."""

HOMES = {
    "phpcas": "https://shop.example.edu/",
    "java": "https://wiki.example.edu/",
    "dotnet": "https://office.example.edu/",
    "rubycas": "https://course.example.edu/",
    "omniauth": "https://forum.example.edu/",
    "mod_auth_cas": "https://intranet.example.edu/",
}

ADDRESSES = {
    "phpcas": ["basket?a=1&a=2", "~ada/b%20c?q=two+words&r=~x%20y&s=B%C3%BCcher", "?x[]=1&x[]=2", "?next=%2Fa%3Fb%3Dc"],
    "java": ["view?page=two+words&mark=*~", "view?a=1&a=2&b", "B%C3%BCcher?q=%C3%9C"],
    # Other values of one name are merged by .NET, and a parameter without a value gets an empty name.
    "dotnet": ["Default.aspx?gatewayResponse=true", "list.aspx?a=1%2c2&b=3", "list.aspx?=flag", "a.aspx?q=%c3%bc+x"],
    "rubycas": ["courses?page=2&sort=name", "courses?q=two+words&r=%2B"],
    "omniauth": ["auth/cas/callback?url=https%3A%2F%2Fforum.example.edu%2Ft%2Fa+b%3Fc%3Dd"],
    # Apache hands its module a path that is decoded already, and a query that is not.
    "mod_auth_cas": ["two words/Bücher?q=B%c3%bccher", "?a=1&a=2&flag", "a+b?q=1+1", "~ada/?reserved=%26;:@,!$'()*"],
}


def family_of(name: str) -> str:
    return name.partition(" ")[0]


@pytest.fixture(scope="module")
def cas(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, authority: CertificateAuthority) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("cas")
    settings = f"outbound: {{ca_file: '{authority.ca_file}'}}\n"
    with serving(directory, valkey_url, tls=authority.issue(), registry=REGISTRY, settings=settings) as found:
        yield found


@pytest.fixture
def ada(cas: Served) -> Iterator[Visitor]:
    """Ada, who has signed in."""
    with Visitor(cas.ca) as visitor:
        visitor.submit(visitor.step(f"{cas.url}login"))
        yield visitor


def cookies_of(visitor: Visitor) -> str:
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in visitor.http.cookies)


def arrival(cas: Served, visitor: Visitor, query: str) -> str:
    """Go to the login page as a client sends the browser there, and return the address that the answer leads to."""
    answer = look_up(cas, f"/cas/login?{query}", cookies_of(visitor))
    assert answer.status == 302, answer.body
    return answer.headers["location"]


def ticket_for(cas: Served, visitor: Visitor, name: str, service: str) -> str:
    """Return the ticket with which the browser comes back to a client that wrote ``service`` its own way."""
    saml = name.startswith(("java saml", "dotnet saml"))
    brought, asked = ("SAMLart", "TARGET") if saml else ("ticket", "service")
    location = arrival(cas, visitor, f"{asked}={RECORDINGS[name].encode(service)}")
    address, _, ticket = location.rpartition(f"{brought}=")
    assert address == quote(service, safe="%/?:@&=+$,;[]!'()*~") + ("&" if "?" in service else "?")
    assert re.fullmatch(r"[SP]T-[A-Za-z0-9-]{20,29}", ticket)
    return ticket


def answer_to(cas: Served, name: str, service: str, ticket: str, callback: str = "") -> Answer:
    """Replay a recorded validation."""
    answer = replay(cas, RECORDINGS[name].bytes(host_of(cas), service, ticket, callback))
    # Java takes anything from 400 on for a fault of the line, others want exactly this.
    assert answer.status == 200
    assert "content-encoding" not in answer.headers
    return answer


@pytest.mark.parametrize(
    ("name", "address"), [(name, address) for name in READERS for address in ADDRESSES[family_of(name)]]
)
def test_each_client_comes_in_by_the_address_it_writes(cas: Served, ada: Visitor, name: str, address: str) -> None:
    service = HOMES[family_of(name)] + address
    answer = answer_to(cas, name, service, ticket_for(cas, ada, name, service))
    assert READERS[name](answer).user == "ada"


@pytest.mark.parametrize("name", READERS)
def test_each_client_learns_of_a_ticket_that_is_no_good(cas: Served, ada: Visitor, name: str) -> None:
    home = HOMES[family_of(name)]
    used = ticket_for(cas, ada, name, home)
    assert READERS[name](answer_to(cas, name, home, used)).user == "ada"
    elsewhere = ticket_for(cas, ada, name, f"{home}elsewhere")
    forged = ["ST-1", "ST-aaaa-aaaaaaaaaaaaaaaaaaaaaaaa", "PT-aaaa-aaaaaaaaaaaaaaaaaaaaaaaa"]
    for ticket in (used, elsewhere, elsewhere, *forged):
        with pytest.raises(Refused):
            READERS[name](answer_to(cas, name, home, ticket))


@pytest.mark.parametrize(
    "name", [name for name in READERS if READERS[name] in (readers.phpcas_xml, readers.java_xml, readers.java_json)]
)
def test_clients_that_tell_why_are_told(cas: Served, ada: Visitor, name: str) -> None:
    home = HOMES[family_of(name)]
    for ticket, code in [("ST-1", "INVALID_TICKET"), (ticket_for(cas, ada, name, f"{home}else"), "INVALID_SERVICE")]:
        with pytest.raises(Refused) as caught:
            READERS[name](answer_to(cas, name, home, ticket))
        assert caught.value.code == code


@pytest.mark.parametrize(
    "name",
    [
        "phpcas 2.0",
        "phpcas 3.0",
        "phpcas saml",
        "java 2.0",
        "java 3.0",
        "java json",
        "java saml",
        "dotnet saml",
        "mod_auth_cas 2.0",
    ],
)
def test_attributes_arrive_whatever_characters_they_hold(cas: Served, ada: Visitor, name: str) -> None:
    home = HOMES[family_of(name)]
    learned = READERS[name](answer_to(cas, name, home, ticket_for(cas, ada, name, home)))
    assert learned.user == "ada"
    assert learned.attributes["mail"] == "ada@example.edu"
    assert learned.attributes["displayName"] == DISPLAY_NAME
    assert learned.attributes["course"] == COURSES
    assert learned.attributes["isFromNewLogin"] in ("false", False)


def test_omniauth_keeps_the_last_of_several_values(cas: Served, ada: Visitor) -> None:
    home = HOMES["omniauth"]
    learned = readers.omniauth(answer_to(cas, "omniauth", home, ticket_for(cas, ada, "omniauth", home)))
    assert learned.user == "ada"
    assert learned.attributes["displayName"] == DISPLAY_NAME
    assert learned.attributes["course"] == COURSES[-1]


def test_rubycas_gets_several_values_in_one_that_yaml_leaves_alone(cas: Served, ada: Visitor) -> None:
    """It would keep the last one only, so its profile joins them, and not by a comma, which would make a number."""
    home = HOMES["rubycas"]
    learned = readers.rubycas(answer_to(cas, "rubycas", home, ticket_for(cas, ada, "rubycas", home)))
    assert learned.attributes["course"] == "1,2;Sets & Maps;Übung"
    assert learned.attributes["mail"] == "ada@example.edu"
    assert learned.attributes["isFromNewLogin"] is False


@pytest.mark.parametrize("name", ["java saml", "dotnet saml"])
@pytest.mark.parametrize("fast", [-25, 50])
def test_an_assertion_counts_on_machines_whose_clock_is_off(cas: Served, ada: Visitor, name: str, fast: int) -> None:
    home = HOMES[family_of(name)]
    answer = answer_to(cas, name, home, ticket_for(cas, ada, name, home))
    read = {"java saml": readers.java_saml, "dotnet saml": readers.dotnet_saml}[name]
    assert at(read, fast)(answer).user == "ada"
    with pytest.raises(Unreadable):
        at(read, 100)(answer)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("phpcas renew", readers.phpcas_xml),
        ("java renew", readers.java_xml),
        ("dotnet renew", readers.dotnet_xml),
        ("rubycas renew", readers.rubycas),
        ("mod_auth_cas renew", readers.mod_auth_cas_xml),
    ],
)
def test_renew_wants_a_ticket_that_is_fresh_from_a_password(cas: Served, ada: Visitor, name: str, read: Reader) -> None:
    home = HOMES[family_of(name)]
    with pytest.raises(Refused) as caught:
        read(answer_to(cas, name, home, ticket_for(cas, ada, name, home)))
    assert caught.value.code == "INVALID_TICKET"
    page = ada.step(f"{cas.url}login?service={RECORDINGS[name].encode(home)}&renew=true")
    fresh = ada.submit(page).headers["Location"].rpartition("ticket=")[2]
    assert read(answer_to(cas, name, home, fresh)).user == "ada"


@pytest.mark.parametrize("name", [name for name in READERS if name.startswith("java")])
def test_java_has_its_session_id_in_the_address_at_login_and_no_more_at_validation(
    cas: Served, ada: Visitor, name: str
) -> None:
    with_id, without = (f"https://wiki.example.edu/view{id}?page=two+words" for id in (";jsessionid=0A1B2C.node1", ""))
    ticket = ticket_for(cas, ada, name, with_id)
    assert READERS[name](answer_to(cas, name, without, ticket)).user == "ada"


def test_dotnet_merges_values_of_one_name_and_has_to_be_asked_for_by_the_merged_address(
    cas: Served, ada: Visitor
) -> None:
    """It writes ``a=1&a=2`` as ``a=1%2c2``, always. Only other people's links to the login page are at odds."""
    linked, merged = (f"https://office.example.edu/list.aspx?{query}" for query in ("a=1&a=2", "a=1%2c2"))
    with pytest.raises(Refused) as caught:
        readers.dotnet_xml(answer_to(cas, "dotnet 2.0", merged, ticket_for(cas, ada, "dotnet 2.0", linked)))
    assert caught.value.code == "INVALID_SERVICE"
    ticket = ticket_for(cas, ada, "dotnet 2.0", merged)
    assert readers.dotnet_xml(answer_to(cas, "dotnet 2.0", merged, ticket)).user == "ada"


@pytest.mark.parametrize(("host", "accepted"), [("loose", True), ("forum", False)])
@pytest.mark.parametrize(
    ("at_login", "at_validation"),
    [
        ("cb?url=https://a.example.edu/b?c", "cb?url=https%3A%2F%2Fa.example.edu%2Fb%3Fc"),
        ("cb?url=https%253A%252F%252Fa.example.edu", "cb?url=https%3A%2F%2Fa.example.edu"),
        ("cb?url=b&locale=de", "cb?locale=de&url=b"),
    ],
)
def test_a_client_that_writes_its_address_anew_needs_an_entry_that_is_loose(
    cas: Served, ada: Visitor, host: str, accepted: bool, at_login: str, at_validation: str
) -> None:
    """omniauth-cas takes the query of its own address apart and puts it together again, sorted."""
    home = f"https://{host}.example.edu/"
    answer = answer_to(cas, "omniauth", home + at_validation, ticket_for(cas, ada, "omniauth", home + at_login))
    if accepted:
        assert readers.omniauth(answer).user == "ada"
    else:
        assert b'code="INVALID_SERVICE"' in answer.body


@pytest.mark.parametrize(
    ("at_login", "at_validation"),
    [
        ("cb?q=two words", "cb?q=two+words"),
        ("cb?q=two+words", "cb?q=two%20words"),
        ("cb?q=%2D%5f%7E", "cb?q=-_~"),
        ("cb?q=%c3%bc", "cb?q=ü"),
        ("cb?a=1", "cb?a=1&ticket=ST-1"),
        ("cb", "cb?"),
        ("cb?a=1", "cb?a=1&"),
        ("cb#part", "cb"),
    ],
)
def test_another_spelling_of_the_same_address_is_the_same_service(
    cas: Served, ada: Visitor, at_login: str, at_validation: str
) -> None:
    home = HOMES["omniauth"]
    location = arrival(cas, ada, f"service={ruby_encoded(home + at_login)}")
    ticket = parse_qs(urlsplit(location).query)["ticket"][0]
    assert readers.omniauth(answer_to(cas, "omniauth", home + at_validation, ticket)).user == "ada"


@pytest.mark.parametrize(
    ("encode", "service", "marked"),
    [
        # .NET marks the way back, so as not to ask again at once.
        (dotnet_encoded, "https://office.example.edu/Default.aspx?a=1&gatewayResponse=true", True),
        (php_encoded, "https://shop.example.edu/basket?a=1&a=2", False),
        (java_encoded, "https://wiki.example.edu/view?page=two+words", False),
        (apache_encoded, "https://intranet.example.edu/?a=1&flag", False),
    ],
)
def test_a_gateway_returns_strangers_by_the_very_address_and_others_with_a_ticket(
    cas: Served, ada: Visitor, encode: Callable[[str], str], service: str, marked: bool
) -> None:
    query = f"service={encode(service)}&gateway=true"
    answer = look_up(cas, f"/cas/login?{query}")
    assert (answer.status, answer.headers["location"]) == (302, service)
    assert ("gatewayResponse=true" in answer.headers["location"]) is marked
    assert arrival(cas, ada, query).startswith(f"{service}&ticket=ST-")


def test_renew_beside_gateway_shows_the_form(cas: Served, ada: Visitor) -> None:
    """mod_auth_cas sends both where both are set for a place."""
    service = apache_encoded(HOMES["mod_auth_cas"])
    answer = look_up(cas, f"/cas/login?service={service}&renew=true&gateway=true", cookies_of(ada))
    assert answer.status == 200
    assert b'name="password"' in answer.body


class PgtCallback:
    """Takes proxy-granting tickets as phpCAS does, whose patterns are the strictest."""

    def __init__(self) -> None:
        self.taken: dict[str, str] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        fields = {name: values[-1] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
        iou, pgt = readers.phpcas_callback(environ["REQUEST_METHOD"], fields)
        self.taken[iou] = pgt
        start_response("200 OK", [("Content-Type", "text/html")])
        return [b"taken"]


@pytest.fixture
def callback(authority: CertificateAuthority) -> Iterator[tuple[PgtCallback, str]]:
    taking = PgtCallback()
    with SimulatorServer(taking, certificate=authority.issue()) as server:
        yield taking, f"{server.url}/pgt"


@pytest.mark.parametrize(
    ("name", "read", "accepting", "read_proxied"),
    [
        ("phpcas proxy", readers.phpcas_xml, "phpcas proxied", readers.phpcas_xml),
        ("java proxy", readers.java_xml, "java proxied", readers.java_xml),
        ("rubycas proxy", readers.rubycas, "rubycas", readers.rubycas),
    ],
)
def test_a_client_that_is_a_proxy_finds_its_ticket_and_others_see_whom_it_came_through(
    cas: Served,
    ada: Visitor,
    callback: tuple[PgtCallback, str],
    name: str,
    read: Reader,
    accepting: str,
    read_proxied: Reader,
) -> None:
    taking, address = callback
    portal, target = "https://portal.example.edu/", HOMES[family_of(name)]
    learned = read(answer_to(cas, name, portal, ticket_for(cas, ada, name, portal), address))
    pgt = taking.taken[learned.iou]
    request = f"GET /cas/proxy?pgt={pgt}&targetService={RECORDINGS[name].encode(target)} HTTP/1.1\r\n"
    answer = replay(cas, f"{request}Host: {host_of(cas)}\r\n\r\n".encode())
    bought = re.search(rb"<cas:proxySuccess>\s*<cas:proxyTicket>(PT-[^<]+)</cas:proxyTicket>", answer.body)
    assert bought is not None, answer.body
    proxied = read_proxied(answer_to(cas, accepting, target, bought[1].decode()))
    assert (proxied.user, proxied.proxies) == ("ada", (address,))


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ("service=https%3A%2F%2Fshop.example.edu%2Fbye%3Fa%3D1", "https://shop.example.edu/bye?a=1"),
        ("service=https%3a%2f%2foffice.example.edu%2fbye.aspx", "https://office.example.edu/bye.aspx"),
        ("TARGET=https%3a%2f%2foffice.example.edu%2fbye.aspx", "https://office.example.edu/bye.aspx"),
        ("url=https%3A%2F%2Fshop.example.edu%2Fbye", None),
        ("destination=https%3A%2F%2Fcourse.example.edu%2F&gateway=true", None),
        ("destination=https%3A%2F%2Fcourse.example.edu%2F&url=https%3A%2F%2Fcourse.example.edu%2F", None),
        (
            "url=https%3A%2F%2Fcourse.example.edu%2F&service=https%3A%2F%2Fcourse.example.edu%2Fbye",
            "https://course.example.edu/bye",
        ),
        ("destination=https%3A%2F%2Fevil.example%2F&url=https%3A%2F%2Fevil.example%2F", None),
        ("service=https%3A%2F%2Fevil.example%2F&gateway=true", None),
        ("", None),
    ],
)
def test_signing_out_ends_the_session_wherever_the_client_wants_people_to_go(
    cas: Served, ada: Visitor, query: str, location: str | None
) -> None:
    answer = look_up(cas, f"/cas/logout?{query}", cookies_of(ada), referrer=HOMES["rubycas"])
    assert (answer.status, answer.headers.get("location")) == (302 if location else 200, location)
    assert b"evil.example" not in answer.body
    login = look_up(cas, f"/cas/login?service={quote_plus(HOMES['phpcas'])}", cookies_of(ada))
    assert login.status == 200
    assert b'name="password"' in login.body


def test_java_reads_the_message_that_the_browser_brings_it(cas: Served, ada: Visitor) -> None:
    home = HOMES["java"]
    ticket = ticket_for(cas, ada, "java 3.0", home)
    assert readers.java_xml(answer_to(cas, "java 3.0", home, ticket)).user == "ada"
    page = look_up(cas, "/cas/logout", cookies_of(ada), referrer=home)
    (frame,) = re.findall(r'<iframe src="([^"]+)"', page.body.decode())
    address = urlsplit(html.unescape(frame))
    fields = parse_qs(address.query, strict_parsing=True)
    assert f"{address.scheme}://{address.netloc}{address.path}" == home
    assert list(fields) == ["callback", "logoutRequest"]
    assert readers.java_sign_out(fields["logoutRequest"][0]) == ticket
