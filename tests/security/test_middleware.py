"""The middleware, which is a CAS client: what went wrong in other clients."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import Client

from casduo.middleware import CasMiddleware
from casduo.simulators.certificates import CertificateAuthority
from tests.middleware.conftest import APP_URL, SECRET, Browser, ScriptedCas, failure, success, tell_all
from tests.middleware.proxying_cas import ProxyingCas

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def cas() -> Iterator[ScriptedCas]:
    server = ScriptedCas()
    yield server
    server.close()


def protected(cas: ScriptedCas, app: Any = tell_all, **options: Any) -> CasMiddleware:
    """An application behind the middleware."""
    where = {} if "allowed_hosts" in options else {"service_url": APP_URL}
    return CasMiddleware(app, cas_url=cas.url, secret_key=SECRET, **where, **options)


def browser_at(cas: ScriptedCas, app: Any = None, **options: Any) -> Browser:
    return Browser(app or protected(cas, **options), cas)


def begun(cas: ScriptedCas, **options: Any) -> Browser:
    """A browser that has been sent to sign in, and is about to come back."""
    browser = browser_at(cas, **options)
    assert browser.request(f"{APP_URL}/").status_code == 302
    return browser


@pytest.mark.parametrize(
    "rest",
    [
        "%26service%3Dhttps%3A%2F%2Fother.example.edu%2F",
        "%26pgtUrl%3Dhttps%3A%2F%2Fevil.example.com%2F",
        "%26renew%3Dfalse",
        "%23",
        "%0Ayes%0Aada%0A",
        "%0D%0AHost%3A%20evil.example.com",
        "%20x",
        "%2500",
        "%3C%2Fsamlp%3A",
    ],
)
def test_a_ticket_is_sent_as_one_parameter_or_not_at_all(cas: ScriptedCas, rest: str) -> None:
    """CVE-2014-4172 (Java, .NET, phpCAS): the ticket was put into the validation URL unescaped."""
    browser = begun(cas)
    ticket = cas.issue(f"{APP_URL}/")
    answer = browser.request(f"{APP_URL}/?ticket={ticket}{rest}")
    assert answer.status_code in (302, 303, 400, 403)
    for asked in cas.validations:
        assert asked["service"] == [f"{APP_URL}/"]
        assert set(asked) <= {"service", "ticket", "renew"}
        assert len(asked["ticket"]) == 1
    assert ticket in cas.tickets, "it was not used up"
    assert browser.visit(f"{APP_URL}/?ticket={ticket}").json["user"] == "ada"


def answering(cas: ScriptedCas, body: bytes) -> None:
    cas.script = lambda handler: handler.reply(200, body)  # type: ignore[attr-defined]


INSIDE = "<cas:authenticationSuccess><cas:user>mallory</cas:user></cas:authenticationSuccess>"


@pytest.mark.parametrize(
    "body",
    [
        failure("INVALID_TICKET", f"Ticket {INSIDE} not recognized"),
        failure("INVALID_TICKET", "Ticket @ not recognized").replace(b"@", INSIDE.encode()),
        failure("INVALID_TICKET").replace(
            b"</cas:authenticationFailure>", b"</cas:authenticationFailure>" + INSIDE.encode()
        ),
        failure("INVALID_TICKET", "ST-1\nyes\nmallory\n\n"),
        b"yes\nmallory\n",
        success("mallory").replace(b"http://www.yale.edu/tp/cas", b"http://evil.example.com/"),
        success("ada").replace(b"</cas:user>", b"</cas:user><cas:user>mallory</cas:user>"),
        success("ada").replace(b"<cas:attributes>", b"<cas:authenticationFailure code='X'/><cas:attributes>"),
        success("mallory\u2028"),
        success("mallory\n"),
    ],
)
def test_only_one_whole_success_is_a_success(cas: ScriptedCas, body: bytes) -> None:
    """CVE-2017-1000071 (phpCAS 1.3.4): the client looked for any success in what the server said."""
    browser = begun(cas)
    answering(cas, body)
    answer = browser.request(f"{APP_URL}/?ticket=ST-1-abcdefghijklmnop")
    assert answer.status_code != 200 or b"mallory" not in answer.data
    cas.script = None
    assert browser.request(f"{APP_URL}/").status_code == 302, "nobody is signed in"


def test_what_the_user_is_called_comes_from_the_user_and_not_from_an_attribute(cas: ScriptedCas) -> None:
    """omniauth-cas and java-cas-client: an attribute of the name "user" said who somebody is."""
    browser = begun(cas)
    answering(cas, success("ada", {"user": ["mallory"], "proxies": ["x"], "authenticationFailure": ["y"]}))
    browser.request(f"{APP_URL}/?ticket=ST-1-abcdefghijklmnop")
    cas.script = None
    assert browser.request(f"{APP_URL}/").json["user"] == "ada"


def test_an_application_knows_its_own_address(cas: ScriptedCas) -> None:
    """CVE-2022-39369 (phpCAS, Yale): the service came from the Host header, so a ticket of site B worked at site A."""
    lies = {"Host": "evil.example.com", "X-Forwarded-Host": "evil.example.com", "Forwarded": "host=evil.example.com"}
    browser = browser_at(cas)
    sent = browser.request(f"{APP_URL}/", headers=lies).headers["Location"]
    assert f"service={quote(APP_URL, safe='')}" in sent
    assert "evil" not in sent
    ticket = cas.issue("https://evil.example.com/")
    assert browser.request(f"{APP_URL}/?ticket={ticket}", headers=lies).status_code != 200
    assert all(asked["service"] == [f"{APP_URL}/"] for asked in cas.validations)
    several = browser_at(cas, allowed_hosts=["app.example.edu", "library.example.edu"])
    assert several.request(f"{APP_URL}/", headers={"Host": "evil.example.com"}).status_code == 400


def test_a_proxy_ticket_is_taken_by_nobody_who_did_not_ask_for_them(cas: ScriptedCas) -> None:
    """CVE-2014-3527 (Spring Security) and CVE-2012-1104 (phpCAS): proxy tickets of any proxy, for any service."""
    proxied = success("ada", more="<cas:proxies><cas:proxy>https://evil.example.com/pgt</cas:proxy></cas:proxies>")
    for options, ticket in (
        ({}, "ST-1-abcdefghijklmnop"),
        ({}, "PT-1-abcdefghijklmnop"),
        ({"allowed_proxies": ["https://portal.example.edu/pgt"]}, "PT-1-abcdefghijklmnop"),
        ({"allowed_proxies": ["https://portal.example.edu/*"]}, "ST-1-abcdefghijklmnop"),
    ):
        browser = begun(cas, **options)
        answering(cas, proxied)
        assert browser.request(f"{APP_URL}/?ticket={ticket}").status_code != 200
        program = Client(browser.client.application, use_cookies=False)
        assert program.get(f"/?ticket={ticket}", base_url=APP_URL).status_code != 200
        cas.script = None
        assert browser.request(f"{APP_URL}/").status_code == 302


@contextmanager
def serving_with(leaf: Any) -> Iterator[ScriptedCas]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf.cert, leaf.key)
    server = ScriptedCas(tls=context, host="localhost")
    yield server
    server.close()


@pytest.mark.parametrize("wrong", ["name", "authority", "expired", ""])
def test_the_certificate_of_the_server_is_checked_name_and_all(tmp_path: Path, wrong: str) -> None:
    """CVE-2012-5583 (phpCAS): the name in the certificate was not compared."""
    trusted = CertificateAuthority.create(tmp_path / "trusted")
    authority = CertificateAuthority.create(tmp_path / "other", "a stranger") if wrong == "authority" else trusted
    leaf = {
        "name": lambda: authority.issue(["sso.example.edu"], localhost=False),
        "expired": lambda: authority.issue(expired=True),
    }.get(wrong, authority.issue)()
    with serving_with(leaf) as cas:
        browser = begun(cas, ca_file=str(trusted.ca_file))
        answer = browser.request(f"{APP_URL}/?ticket={cas.issue(f'{APP_URL}/')}")
        assert answer.status_code in ((503,) if wrong else (302, 303))
        assert bool(cas.validations) == (not wrong)


@pytest.mark.parametrize(
    ("pgt", "iou"),
    [
        ("PGT-1-abcdefghijklmnop", "PGTIOU-../../../../etc/passwd"),
        ("PGT-1-abcdefghijklmnop", "PGTIOU-<script>alert(1)</script>"),
        ("PGT-1-abcdefghijklmnop", "../PGTIOU-1"),
        ("PGT-1-abcdefghijklmnop", "PGTIOU-1\n"),
        ("PGT-1-abcdefghijklmnop", "PGTIOU-" + "a" * 1000),
        ("PGT-<script>alert(1)</script>", "PGTIOU-1-abcdefghijklmnop"),
        ("PGT-1/../2", "PGTIOU-1-abcdefghijklmnop"),
        ("TGT-1-abcdefghijklmnop", "PGTIOU-1-abcdefghijklmnop"),
        ("", "PGTIOU-1-abcdefghijklmnop"),
    ],
)
def test_what_comes_to_the_callback_is_a_ticket_or_nothing(pgt: str, iou: str) -> None:
    """CVE-2010-3690, 3691 and 3692 (phpCAS): PGTIOU and PGT went into pages and names of files as they came."""
    cas = ProxyingCas()
    kept: dict[str, str] = {}

    class Grants:
        def put(self, key: str, value: str, *args: Any, **more: Any) -> None:
            kept[key] = value

        def take(self, key: str, *args: Any, **more: Any) -> str | None:
            return kept.get(key)

    app = protected(cas, session="memory", proxy_callback="/cas/pgt", proxy_grants=Grants())
    anybody = Client(app, use_cookies=False)
    for method in ("GET", "POST"):
        fields = {"pgtId": pgt, "pgtIou": iou}
        more = {"query_string": fields} if method == "GET" else {"data": fields}
        answer = anybody.open("/cas/pgt", method=method, base_url=APP_URL, **more)
        assert b"<script>" not in answer.data
        assert iou.encode() not in answer.data
    assert kept == {}
    cas.close()


def test_a_ticket_planted_in_a_link_signs_nobody_in(cas: ScriptedCas) -> None:
    """CVE-2015-9284 (omniauth): a strange page began a sign-in, and the victim was somebody else from then on."""
    victim = browser_at(cas)
    planted = cas.issue(f"{APP_URL}/", "mallory")
    victim.request(f"{APP_URL}/?ticket={planted}")
    assert planted in cas.tickets, "nobody asked about it"
    assert victim.visit(f"{APP_URL}/").json["user"] == "ada"
    victim.request(f"{APP_URL}/?ticket={planted}")
    assert victim.request(f"{APP_URL}/").json["user"] == "ada"


def message(ticket: str) -> str:
    return "logoutRequest=" + quote(
        '<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="LR-1" Version="2.0">'
        f"<samlp:SessionIndex>{ticket}</samlp:SessionIndex></samlp:LogoutRequest>",
        safe="",
    )


def test_nobody_ends_a_session_without_its_ticket(cas: ScriptedCas) -> None:
    """GSS.Authentication.CAS issue 1034: a sign-out message from anybody was believed, for all it said."""
    app = protected(cas)
    browser = browser_at(cas, app)
    browser.visit(f"{APP_URL}/")
    (ticket,) = cas.issued
    anybody = Client(app, use_cookies=False)
    for guess in (
        ticket[:-1],
        ticket + "x",
        ticket.lower(),
        ticket.upper(),
        "ST-*",
        "%",
        "",
        ticket.replace("ST", "PT"),
    ):
        anybody.post("/", base_url=APP_URL, data=message(guess), content_type=FORM)
    assert browser.request(f"{APP_URL}/").json["user"] == "ada"
    two = message(f"{ticket}</samlp:SessionIndex><samlp:SessionIndex>ST-x")
    assert anybody.post("/", base_url=APP_URL, data=two, content_type=FORM).status_code == 400
    assert browser.request(f"{APP_URL}/").json["user"] == "ada"
    assert anybody.post("/", base_url=APP_URL, data=message(ticket), content_type=FORM).status_code == 200
    assert browser.request(f"{APP_URL}/").status_code == 302


def test_a_sign_out_message_from_elsewhere_can_be_refused(cas: ScriptedCas) -> None:
    """GSS.Authentication.CAS issue 1034: where the server's address is known, nobody else is listened to."""
    app = protected(cas, single_logout_from=["10.0.0.0/8"])
    browser = browser_at(cas, app)
    browser.visit(f"{APP_URL}/")
    (ticket,) = cas.issued
    anybody = Client(app, use_cookies=False)
    for address, status in (("192.0.2.9", 403), ("", 403), ("10.1.2.3", 200)):
        environ = {"REMOTE_ADDR": address, "HTTP_X_FORWARDED_FOR": "10.1.2.3"}
        answer = anybody.post("/", base_url=APP_URL, data=message(ticket), content_type=FORM, environ_base=environ)
        assert answer.status_code == status
    assert browser.request(f"{APP_URL}/").status_code == 302


def test_answers_of_the_server_are_not_followed_elsewhere(cas: ScriptedCas) -> None:
    """CVE-2012-5583 and its kind: a redirect of the validation would let somebody else say who came."""
    browser = begun(cas)

    def redirect(handler: Any) -> None:
        handler.send_response(302)
        handler.send_header("Location", f"{cas.url}/p3/serviceValidate?service=x&ticket=y")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    cas.script = redirect
    assert browser.request(f"{APP_URL}/?ticket=ST-1-abcdefghijklmnop").status_code == 503
