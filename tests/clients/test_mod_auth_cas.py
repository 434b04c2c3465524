"""Apache with the unmodified mod_auth_cas, CAS 2.0 and CAS 1.0, against a real server over TLS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from casduo.simulators.certificates import CertificateAuthority
from tests.support.apache import PROTECTED, Apache, Host, apache, variables
from tests.support.served import Served, serving
from tests.support.visitor import Visitor, login_form

DISPLAY_NAME = 'Zoë O\'Łukasz & Söhne <R&D> "日本" 🎓'
COURSES = ("Algebra", "Sets & <Maps>", "Übung; Teil 2")

REGISTRY = f"""
services:
  - id: library
    name: Library catalogue
    url:
      - https://localhost:*/library/**
      - https://localhost:*/reserve/**
      - https://localhost:*/students/**
      - https://localhost:*/staff/**
      - https://localhost:*/open/**
      - https://localhost:*/exam/**
      - https://localhost:*/both/**
    attributes:
      mail: mail
      groups: groups
      displayName: {{static: {json.dumps([DISPLAY_NAME], ensure_ascii=False)}}}
      course: {{static: {json.dumps(COURSES, ensure_ascii=False)}}}
"""

HEADERS = ("CASAuthNHeader Cas-Person", "CASScrubRequestHeaders On")
# Below /library/ names of directories are not ASCII, and the module would write them into the path of its cookie.
LIBRARY = {"/library/": [*PROTECTED, *HEADERS, "CASScope /library/"]}
DENIED = "AuthzSendForbiddenOnFailure On"
# Apache 2.4 lets nobody in whom a module has let pass without a name (mod_auth_cas issue 204). So strangers who bring
# the module's gateway cookie, and neither a session nor a ticket, are let in before the module is asked.
STRANGERS = r"%{HTTP_COOKIE} =~ /_CAS_G=/ && %{HTTP_COOKIE} !~ /_CAS_S=/ && %{QUERY_STRING} !~ /(^|&)ticket=ST-/"

HOSTS = {
    "cas2": Host(
        {
            **LIBRARY,
            "/reserve/": [*PROTECTED, *HEADERS],
            "/students/": ["AuthType CAS", "Require cas-attribute groups:students", DENIED],
            "/staff/": ["AuthType CAS", "Require cas-attribute groups:staff", DENIED],
            "/open/": [*PROTECTED, "CASGateway /open/", f'Require expr "{STRANGERS}"'],
            "/exam/": [*PROTECTED, *HEADERS, "CASRenew /exam/"],
            "/both/": [*PROTECTED, *HEADERS, "CASGateway /both/", "CASRenew /both/"],
            "/elsewhere/": PROTECTED,
        },
        directives=["CASVersion 2", "CASAttributePrefix Cas-", 'CASAttributeDelimiter " | "'],
    ),
    "cas1": Host(LIBRARY, directives=["CASVersion 1"], validate="validate"),
    # Nobody listens at port 1, and below / lies no certificate of any authority.
    "down": Host(LIBRARY, directives=["CASValidateURL https://localhost:1/cas/serviceValidate"]),
    "distrustful": Host(LIBRARY, directives=["CASCertificatePath /", "CASDebug On", "LogLevel auth_cas:debug"]),
}


@pytest.fixture(scope="module")
def cas(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, authority: CertificateAuthority) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("cas"), valkey_url, tls=authority.issue(), registry=REGISTRY) as found:
        yield found


@pytest.fixture(scope="module")
def httpd(cas: Served, authority: CertificateAuthority) -> Iterator[Apache]:
    with apache(cas.url, authority.issue(), list(HOSTS.values())) as found:
        yield found


@pytest.fixture
def hosts(httpd: Apache) -> dict[str, str]:
    """The addresses of Apache's hosts by their names."""
    return dict(zip(HOSTS, httpd.urls, strict=True))


@pytest.fixture
def visitor(cas: Served) -> Iterator[Visitor]:
    with Visitor(cas.ca) as found:
        yield found


@pytest.fixture
def ada(visitor: Visitor, hosts: dict[str, str]) -> Visitor:
    """Ada, who has signed in to the library."""
    visitor.sign_in(visitor.visit(f"{hosts['cas2']}/library/"))
    return visitor


def query_of(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query)


def test_a_stranger_is_asked_for_a_password_and_arrives_with_a_name(visitor: Visitor, hosts: dict[str, str]) -> None:
    address = f"{hosts['cas2']}/library/"
    page = visitor.visit(address)
    assert login_form(page) is not None
    assert query_of(page.url) == {"service": [address]}
    shown = visitor.sign_in(page)
    assert shown.url == address
    assert variables(shown)["REMOTE_USER"] == "ada"
    assert variables(shown)["HTTP_CAS_PERSON"] == "ada"


def test_attributes_arrive_in_headers_whatever_characters_they_hold(ada: Visitor, hosts: dict[str, str]) -> None:
    shown = variables(ada.visit(f"{hosts['cas2']}/library/"))
    assert shown["HTTP_CAS_MAIL"] == "ada@example.edu"
    assert shown["HTTP_CAS_GROUPS"] == "students"
    assert shown["HTTP_CAS_DISPLAYNAME"] == DISPLAY_NAME
    assert shown["HTTP_CAS_COURSE"] == " | ".join(COURSES)
    assert shown["HTTP_CAS_ISFROMNEWLOGIN"] == "true"


def test_headers_that_the_visitor_invents_do_not_arrive(ada: Visitor, hosts: dict[str, str]) -> None:
    invented = {"Cas-Person": "root", "Cas-Groups": "staff", "Cas-Office": "dean"}
    shown = variables(ada.visit(f"{hosts['cas2']}/library/", headers=invented))
    assert (shown["HTTP_CAS_PERSON"], shown["HTTP_CAS_GROUPS"]) == ("ada", "students")
    assert "HTTP_CAS_OFFICE" not in shown


@pytest.mark.parametrize(
    ("username", "place", "status"),
    [("ada", "students", 200), ("ada", "staff", 403), ("grace", "staff", 200), ("grace", "students", 403)],
)
def test_an_attribute_can_be_required(
    visitor: Visitor, hosts: dict[str, str], username: str, place: str, status: int
) -> None:
    address = f"{hosts['cas2']}/{place}/"
    shown = visitor.sign_in(visitor.visit(address), username)
    assert (shown.url, shown.status_code) == (address, status)


def test_the_second_place_is_entered_without_a_password(ada: Visitor, cas: Served, hosts: dict[str, str]) -> None:
    address = f"{hosts['cas2']}/reserve/"
    shown = variables(ada.visit(address))
    assert shown["REMOTE_USER"] == "ada"
    assert shown["HTTP_CAS_ISFROMNEWLOGIN"] == "false"
    there, by, back, here = ada.path
    assert (there, here) == (address, address)
    assert by.startswith(f"{cas.url}login?")
    assert list(query_of(back)) == ["ticket"]


@pytest.mark.parametrize(
    "asked",
    [
        "?a=1&a=2",
        "?b=2&a=1&b=",
        "?flag",
        "?q=two%20words",
        "?q=two+words&sum=1%2B1",
        "?q=B%C3%BCcher",
        "?q=50%25&half=%2525",
        "?next=https%3A%2F%2Fexample.org%2F%3Fa%3D1%26b%3D2%23end",
        "?next=/a/b?c=d",
        "?reserved=%26%3D%3F%23%3B;:@,!$'()*~",
        "?ticket=42&page=7",
        "two%20words",
        "B%C3%BCcher/%E6%97%A5%E6%9C%AC?q=%C3%9C",
        "plus+sign&more=/",
    ],
)
def test_the_address_asked_for_survives_the_way_to_the_server_and_back(
    visitor: Visitor, hosts: dict[str, str], asked: str
) -> None:
    shown = visitor.sign_in(visitor.visit(f"{hosts['cas2']}/library/{asked}"))
    assert variables(shown)["REMOTE_USER"] == "ada"
    assert variables(shown)["REQUEST_URI"] == f"/library/{asked}"


def test_a_gateway_lets_strangers_in_without_a_name_and_without_a_loop(
    visitor: Visitor, cas: Served, hosts: dict[str, str]
) -> None:
    address = f"{hosts['cas2']}/open/?a=1&a=2"
    shown = variables(visitor.visit(address))
    assert "REMOTE_USER" not in shown
    assert visitor.path[0] == visitor.path[2] == address
    assert query_of(visitor.path[1]) == {"service": [address], "gateway": ["true"]}
    assert len(visitor.path) == 3


def test_a_gateway_knows_those_who_have_a_session(ada: Visitor, hosts: dict[str, str]) -> None:
    shown = variables(ada.visit(f"{hosts['cas2']}/open/"))
    assert shown["REMOTE_USER"] == "ada"
    assert query_of(ada.path[1])["gateway"] == ["true"]


@pytest.mark.parametrize(
    ("place", "sent"), [("exam", {"renew": ["true"]}), ("both", {"renew": ["true"], "gateway": ["true"]})]
)
def test_renew_asks_for_the_password_again_even_beside_gateway(
    ada: Visitor, hosts: dict[str, str], place: str, sent: dict[str, list[str]]
) -> None:
    address = f"{hosts['cas2']}/{place}/"
    page = ada.visit(address)
    assert login_form(page) is not None
    assert query_of(page.url) == {"service": [address], **sent}
    shown = variables(ada.sign_in(page))
    assert shown["REMOTE_USER"] == "ada"
    assert shown["HTTP_CAS_ISFROMNEWLOGIN"] == "true"
    # The module keeps a session of its own, and that one is from a password.
    assert variables(ada.visit(address))["REMOTE_USER"] == "ada"
    assert ada.path == [address]


def test_a_ticket_without_a_password_is_refused_where_renew_is_demanded(
    ada: Visitor, cas: Served, hosts: dict[str, str]
) -> None:
    address = f"{hosts['cas2']}/exam/"
    assert ada.visit(f"{address}?ticket={ada.ticket(cas.url, address)}").status_code == 401


def test_the_oldest_protocol_tells_the_name(visitor: Visitor, hosts: dict[str, str]) -> None:
    address = f"{hosts['cas1']}/library/?q=B%C3%BCcher&a=1&a=2"
    shown = variables(visitor.sign_in(visitor.visit(address), "grace"))
    assert (shown["REMOTE_USER"], shown["HTTP_CAS_PERSON"]) == ("grace", "grace")
    assert "HTTP_CAS_MAIL" not in shown


@pytest.mark.parametrize("version", ["cas1", "cas2"])
@pytest.mark.parametrize("ticket", ["ST-1", "ST-aaaa-aaaaaaaaaaaaaaaaaaaaaaaa", "PT-aaaa-aaaaaaaaaaaaaaaaaaaaaaaa"])
def test_a_forged_ticket_opens_nothing(visitor: Visitor, hosts: dict[str, str], version: str, ticket: str) -> None:
    address = f"{hosts[version]}/library/"
    refused = visitor.visit(f"{address}?ticket={ticket}")
    assert (refused.status_code, visitor.path) == (401, [f"{address}?ticket={ticket}"])
    assert login_form(visitor.visit(address)) is not None


def test_a_forged_ticket_with_a_forged_session_leads_to_the_form(
    visitor: Visitor, cas: Served, hosts: dict[str, str]
) -> None:
    address = f"{hosts['cas2']}/library/"
    visitor.http.cookies.set("MOD_AUTH_CAS_S", "0" * 32, domain="localhost.local", path="/library/")
    page = visitor.visit(f"{address}?a=1&ticket=ST-aaaa-aaaaaaaaaaaaaaaaaaaaaaaa")
    assert login_form(page) is not None
    assert query_of(page.url) == {"service": [f"{address}?a=1"]}


@pytest.mark.parametrize("version", ["cas1", "cas2"])
def test_a_ticket_is_good_once(ada: Visitor, cas: Served, hosts: dict[str, str], version: str) -> None:
    address = f"{hosts[version]}/library/"
    shown_twice = f"{address}?ticket={ada.ticket(cas.url, address)}"
    with Visitor(cas.ca) as first, Visitor(cas.ca) as second:
        assert variables(first.visit(shown_twice))["REMOTE_USER"] == "ada"
        assert second.visit(shown_twice).status_code == 401


def test_a_ticket_for_another_place_is_refused_and_gone(ada: Visitor, cas: Served, hosts: dict[str, str]) -> None:
    ticket = ada.ticket(cas.url, f"{hosts['cas2']}/library/?a=1")
    for place in ("reserve/", "library/?a=2", "library/?a=1"):
        address = f"{hosts['cas2']}/{place}"
        with Visitor(cas.ca) as stranger:
            refused = stranger.visit(f"{address}{'&' if '?' in place else '?'}ticket={ticket}")
        assert refused.status_code == 401, place


@pytest.mark.parametrize("somebody", ["visitor", "ada"])
def test_an_address_that_is_not_registered_ends_at_the_server(
    request: pytest.FixtureRequest, cas: Served, hosts: dict[str, str], somebody: str
) -> None:
    visitor: Visitor = request.getfixturevalue(somebody)
    page = visitor.visit(f"{hosts['cas2']}/elsewhere/")
    assert page.status_code == 403
    assert page.url.startswith(cas.url)
    assert login_form(page) is None
    assert len(visitor.path) == 2


def test_apache_answers_with_an_error_while_tickets_cannot_be_validated(
    visitor: Visitor, hosts: dict[str, str]
) -> None:
    address = f"{hosts['down']}/library/"
    for answer in (visitor.sign_in(visitor.visit(address)), visitor.visit(address)):
        assert answer.status_code == 401
        assert answer.url.startswith(f"{address}?ticket=ST-")


def test_the_certificate_of_the_server_is_looked_at(visitor: Visitor, httpd: Apache, hosts: dict[str, str]) -> None:
    answer = visitor.sign_in(visitor.visit(f"{hosts['distrustful']}/library/"))
    assert answer.status_code == 401
    assert "SSL certificate problem" in httpd.log.read_text(encoding="utf-8", errors="replace")
