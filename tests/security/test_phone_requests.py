"""What comes to the addresses of phones from elsewhere: browsers, other sites, other protocols, and requests that no
phone sends.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from casduo.errors import SettingsError
from casduo.log import _json_line
from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from tests.security.handset import ELSEWHERE, HERE, HOSTILE, GiveWard, Handset, Shown, approved
from tests.support.portal import (
    Portal,
    ask_proxy,
    asked_with,
    refusal_of,
    registry_with,
    session_at_the_portal,
    trusting,
)
from tests.support.raw import FORM, call
from tests.support.rest import REST, Program
from tests.support.site import PASSWORDS, Build, has_ticket
from tests.support.ward import BASE, EXTENSION_MOBILITY, OTHER_PHONE, PHONE, Ward, running_ward

EM = f"{BASE}/{PHONE}"
RAW_HOSTILE = HOSTILE.encode().decode("latin-1")
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]")


@pytest.fixture
def ward(ward_with: GiveWard) -> Ward:
    return ward_with(worker=False, settings=REST)


def asked(ward: Ward) -> int:
    """How often UCM was asked anything at all."""
    return len(ward.ucm.requests)


def untouched(ward: Ward) -> bool:
    """Whether neither UCM nor Duo heard of anything."""
    return asked(ward) == len(ward.duo.requests) == 0


# Other ways to the same service


@pytest.mark.parametrize(
    "service",
    [EM, f"{EM}/", f"{EM}/login", f"{BASE}/", BASE, f"{BASE}/?device={PHONE}", EM.upper().replace("HTTPS", "https")],
)
@pytest.mark.parametrize("more", [{}, {"gateway": "true"}, {"renew": "true"}, {"method": "POST"}, {"method": "HEADER"}])
def test_no_browser_gets_a_ticket_for_the_service_of_phones(ward: Ward, service: str, more: dict[str, str]) -> None:
    """MFEM 4, CWE-288: another way in. A password and a session say nothing about a phone."""
    browser = ward.site.browser()
    for name in ("service", "TARGET"):
        answer = browser.login_page(**{"service": "", name: service, **more})
        assert answer.status_int in (400, 403)
        assert "password" not in answer.text
    browser.sign_in("ada", "")
    answer = browser.login_page(service, **more)
    assert not has_ticket(answer)
    assert "ticket" not in answer.headers
    assert answer.status_int in (400, 403)
    assert ward.site.journal.named("ticket.granted") == []
    assert asked(ward) == 0


def test_no_program_gets_a_ticket_for_the_service_of_phones(ward: Ward) -> None:
    """CWE-288: nor by the REST protocol, with a password or with a PIN."""
    program = Program(ward.site)
    session = program.session()
    for service in (EM, f"{BASE}/"):
        assert program.ticket(session, service).status == 403
        assert program.sign_in("ada", service=service).status == 403
        assert program.post("/v1/users", username="ada", password=PASSWORDS["ada"], service=service).status == 403
    for name, pin in (("mary", "31415"), ("ada", "24680")):
        assert program.sign_in(name, password=pin).status == 401
        assert program.post("/v1/users", username=name, password=pin).status == 401
    assert asked(ward) == 0


def test_no_proxy_gets_a_ticket_for_the_service_of_phones(build: Build, portal: Portal, trusted: LeafFiles) -> None:
    """CWE-288: nor by a proxy-granting ticket."""
    ucm = "ucm: {axl: {servers: ['localhost:1'], username: axlreader, password: axl-secret}}\n"
    more = EXTENSION_MOBILITY.replace("requires_duo: true", "requires_duo: false")
    site = build(
        registry=registry_with(portal, more=more), settings=trusting(trusted) + ucm, handlers="- {type: ucm_pin}\n"
    )
    _, pgt = session_at_the_portal(site, portal)
    for service in (EM, f"{BASE}/"):
        assert refusal_of(ask_proxy(site, asked_with(pgt, service))) == "UNAUTHORIZED_SERVICE"


@pytest.mark.parametrize("authentication", ["[ucm_pin]", "[users_file, ucm_pin]", ""])
def test_a_pin_is_no_password(ward_with: GiveWard, authentication: str) -> None:
    """CWE-521: five digits are for phones, where two tries are allowed, whatever an entry for browsers says."""
    more = f", authentication: {authentication}" if authentication else ""
    vault = f"  - {{id: vault, name: Vault, url: 'https://vault.example.edu/**'{more}}}\n"
    ward = ward_with(worker=False, registry=vault + EXTENSION_MOBILITY)
    browser = ward.site.browser()
    for name, pin in (("mary", "31415"), ("ada", "24680")):
        page = browser.login_page("https://vault.example.edu/")
        assert not has_ticket(browser.fill(page, name, pin))
    assert not browser.session
    assert ward.ucm.calls("doAuthenticateUser") == 0
    assert not Handset(ward.site).submit("ada", PASSWORDS["ada"]).token


def test_a_login_at_a_phone_leaves_no_session_and_no_ticket(ward_with: GiveWard) -> None:
    """CWE-613: its ticket is validated in the same step, and the session it stood on is given up."""
    ward = ward_with()
    handset = Handset(ward.site)
    approved(ward, handset, handset.submit().token)
    (granted,) = ward.site.journal.named("ticket.granted")
    assert ward.site.journal.named("ticket.validated")
    parts = ward.site.composed.parts
    assert parts.tickets.sessions_of("ada") == []
    assert parts.tickets.sessions_of("ada@example.edu") == []
    assert granted.ticket not in str(parts.store.command("KEYS", "*"))
    kept = [key for key in parts.store.command("KEYS", "casduo:*") if re.search(r":(tgt|session|st)\b", key)]
    assert kept == []


@pytest.mark.parametrize(
    "url",
    [
        *("https://sso.example.edu/**", "https://sso.example.edu/cas/**", "https://sso.example.edu/cas/login/**"),
        *(
            "https://sso.example.edu/cas/healthz/**",
            "https://sso.example.edu/cas/static/**",
            "https://*.example.edu/em/**",
        ),
        *("https://other.example.edu/cas/**", "https://sso.example.edu/c*/**", "https://sso.example.edu/cas/v1/**"),
    ],
)
def test_a_service_of_phones_takes_no_address_of_the_servers_own(
    build: Build, authority: CertificateAuthority, url: str
) -> None:
    """CWE-706: what answers at an address is what everybody takes it for, whatever the registry says."""
    registry = EXTENSION_MOBILITY.replace(f"{BASE}/**", f'"{url}"')
    with pytest.raises(SettingsError), running_ward(build, authority, registry=registry, worker=False):
        raise AssertionError(url)


def test_pages_of_browsers_stay_theirs_beside_a_service_of_phones(ward: Ward) -> None:
    """CWE-706: addresses that look like those of phones."""
    for path in ("/cas/login", "/cas/healthz", "/cas/em", "/cas/em/", "/emx", "/em.", "/EM/", "/cas/static/casduo.css"):
        assert not call(ward.site, path=path).header("content-type").startswith("text/xml"), path
    assert call(ward.site, path="/cas/healthz").body == b"ok\n"


# Other sites, other methods


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_SEC_FETCH_SITE": "cross-site"},
        {"HTTP_SEC_FETCH_SITE": "same-site"},
        {"HTTP_ORIGIN": "https://evil.example.com"},
        {"HTTP_ORIGIN": "https://sso.example.edu.evil.example.com"},
        {"HTTP_SEC_PURPOSE": "prefetch"},
        {"HTTP_PURPOSE": "prefetch"},
    ],
)
def test_no_page_of_another_site_makes_a_browser_speak_for_a_phone(ward: Ward, headers: dict[str, str]) -> None:
    """CWE-352: a page that the victim opens could guess PINs, send pushes, and log phones out, from their address."""
    ward.ucm.log_in(OTHER_PHONE, "alan")
    handset = Handset(ward.site)
    before = asked(ward)
    form = {"userid": "ada", "pin": "24680"}
    handset.raw(f"/{PHONE}/login", form=form, **headers)
    handset.raw(f"/{PHONE}/login", urlencode(form), **headers)
    handset.raw(f"/{PHONE}/", **headers)
    handset.raw(f"/{OTHER_PHONE}/logout", **headers)
    assert asked(ward) == before


def test_a_page_for_phones_is_no_page_for_browsers(ward: Ward) -> None:
    """CWE-430: a browser guesses no other type, runs nothing, frames nothing, and tells nobody where it was."""
    shown = [Handset(ward.site).get(), Handset(ward.site).submit(), Handset(ward.site).get("nonsense")]
    for each in shown:
        assert each.answer.header("content-type") == "text/xml; charset=utf-8"
        assert each.answer.header("x-content-type-options") == "nosniff"
        policy = each.answer.header("content-security-policy")
        assert policy == "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
        assert not each.answer.header("access-control-allow-origin")
    assert shown[1].answer.header("cache-control") == "no-store"


@pytest.mark.parametrize(
    "method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "get", "PROPFIND", ""]
)
def test_other_methods_do_nothing(ward: Ward, method: str) -> None:
    """CWE-650: a request that is said to change nothing, or that nobody thought of."""
    token = Handset(ward.site).submit().token
    ward.ucm.log_in(OTHER_PHONE, "alan")
    ward.site.journal.events.clear()
    before, sent = asked(ward), len(ward.duo.requests)
    query = urlencode({"userid": "ada", "pin": "24680", "t": token, "passcode": "123456"})
    for path in ("login", "", "wait", "passcode", "cancel", "logout"):
        answer = call(ward.site, method, f"/em/{PHONE}/{path}", query, query.encode(), FORM, REMOTE_ADDR=HERE)
        assert answer.status in (200, 405)
        assert token.encode() not in answer.body
    assert (asked(ward), len(ward.duo.requests)) == (before, sent)
    assert Handset(ward.site).get("wait", t=token).token


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"userid": "ada", "pin": "24680"}'),
        ("text/plain", b"userid=ada&pin=24680"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="pin"\r\n\r\n24680\r\n--x--'),
        ("text/xml", b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>"),
        ("", b"userid=ada&pin=24680"),
        (FORM, b"userid=ada&pin=24680" + b"&x=1" * 200),
        (FORM, b"userid=ada&pin=" + b"0" * 70_000),
    ],
)
def test_a_body_that_no_phone_sends_is_not_read(ward: Ward, kind: str, body: bytes) -> None:
    """CWE-436: what one program reads as a form and another one does not."""
    answer = call(ward.site, "POST", f"/em/{PHONE}/login", body=body, kind=kind, REMOTE_ADDR=HERE)
    assert not Shown(answer).token
    assert b"passwd" not in answer.body
    assert untouched(ward)


@pytest.mark.parametrize("length", ["3", "-1", "abc", "99999999999999999999", "\u0661", "20, 20"])
def test_a_length_that_lies_is_not_believed(ward: Ward, length: str) -> None:
    """CWE-444: where a request ends is told once."""
    form = urlencode({"userid": "ada", "pin": "24680"}).encode()
    answer = call(
        ward.site, "POST", f"/em/{PHONE}/login", body=form, kind=FORM, CONTENT_LENGTH=length, REMOTE_ADDR=HERE
    )
    assert not Shown(answer).token
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "REMOTE_ADDR": HERE}
    assert not Shown(call(ward.site, "POST", f"/em/{PHONE}/login", body=form, kind=FORM, **chunked)).token
    assert ward.ucm.calls("doAuthenticateUser") == 0


# What headers and fields say


def test_no_header_says_where_a_phone_is_or_where_it_goes(ward: Ward) -> None:
    """CWE-345, CWE-644: the address is that of the connection, links are those of the registry."""
    headers = {
        "HTTP_HOST": "evil.example.com",
        "HTTP_X_FORWARDED_HOST": "evil.example.com",
        "HTTP_X_FORWARDED_PROTO": "http",
        "HTTP_X_FORWARDED_PREFIX": "/evil",
        "HTTP_X_FORWARDED_FOR": HERE,
        "HTTP_X_REAL_IP": HERE,
        "HTTP_FORWARDED": f"for={HERE};host=evil.example.com",
        "HTTP_CLIENT_IP": HERE,
        "HTTP_X_ORIGINAL_URL": "/cas/login",
        "HTTP_X_HTTP_METHOD_OVERRIDE": "DELETE",
        "SERVER_NAME": "evil.example.com",
    }
    token = Handset(ward.site).submit().token
    thief = Handset(ward.site, address=ELSEWHERE, headers=headers)
    assert not thief.get("wait", t=token).token
    shown = thief.submit("alan")
    assert b"evil" not in shown.answer.body
    assert "evil" not in str(shown.answer.headers)
    assert all(url.startswith(f"{BASE}/") for url in shown.urls)
    assert {event.about.address for event in ward.site.journal.events} == {HERE, ELSEWHERE}


@pytest.mark.parametrize("value", [RAW_HOSTILE, "A" * 20_000, "CP-8845\r\nX: y", "utf-7", "*;q=nan"])
@pytest.mark.parametrize(
    "name",
    [
        *("HTTP_X_CISCOIPPHONEMODELNAME", "HTTP_X_CISCOIPPHONEDISPLAY", "HTTP_X_CISCOIPPHONESDKVERSION"),
        *(
            "HTTP_ACCEPT_LANGUAGE",
            "HTTP_ACCEPT_CHARSET",
            "HTTP_ACCEPT",
            "HTTP_USER_AGENT",
            "HTTP_COOKIE",
            "HTTP_REFERER",
        ),
    ],
)
def test_what_a_phone_says_of_itself_decides_nothing(ward: Ward, name: str, value: str) -> None:
    """CWE-807: forged headers change how a page looks, at most."""
    handset = Handset(ward.site, headers={name: value})
    shown = Shown(handset.raw(f"/{PHONE}/login", form={"userid": "ada", "pin": "24680"}))
    assert shown.token
    assert re.fullmatch(r"text/xml; charset=(utf-8|iso-8859-1)", shown.answer.header("content-type"))
    assert not re.search(r"[\r\n]", "".join(f"{key}{text}" for key, text in shown.answer.headers))


def test_a_field_with_two_values_is_none(ward: Ward) -> None:
    """CWE-235: whoever checks and whoever acts reads the same one, or none: phones send each field once."""
    alan, mary = {"userid": "alan", "pin": "97531"}, {"userid": "mary", "pin": "31415"}
    handset = Handset(ward.site)
    for query, form in ((alan, mary), (mary, alan), (alan, {"pin": "31415"})):
        answer = handset.raw(f"/{PHONE}/login", urlencode(query), form)
        assert not Shown(answer).token
    handset.raw(f"/{PHONE}/login", "userid=alan&userid=mary&pin=97531")
    Shown(handset.raw(f"/{PHONE}/", f"device={PHONE}&device={OTHER_PHONE}"))
    assert untouched(ward)
    assert "alan" in Shown(handset.raw(f"/{PHONE}/login", urlencode(alan), alan)).text
    assert len(ward.ucm.logins_of("alan")) == 1


@pytest.mark.parametrize(
    "device",
    [
        "\u017fEP001122334455",
        "SEP\uff10\uff101122334455",
        "sep001122334455\x00",
        "SEP001122334455\n",
        "S\u00c9P",
        "../cas/login",
    ],
)
def test_a_name_that_only_looks_like_a_phones_is_none(ward: Ward, device: str) -> None:
    """CVE-2019-19844: letters of other scripts with plain ones as their upper case."""
    for query, path in ((urlencode({"device": device}), "/"), ("", f"/{device.encode().decode('latin-1')}/")):
        shown = Shown(Handset(ward.site).raw(path, query))
        assert "User ID" not in shown.text
    assert untouched(ward)


@pytest.mark.parametrize(
    "userid",
    [
        *(
            "ada\x00",
            "\x00",
            "a\x1fda",
            "ada\ufffe",
            "ad\u00e1'--",
            "ada' OR '1'='1",
            "*",
            "%",
            "a" * 300,
            "a" * 60_000,
        ),
        *(
            "<userid>ada</userid>",
            "ada&amp;",
            "]]>",
            "\u202eada",
            "\U0001f600",
            "+ADw-script+AD4-",
            "${7*7}",
            "ada\r\nX: y",
        ),
    ],
)
def test_a_user_id_that_nobody_has_is_a_wrong_one(ward: Ward, userid: str) -> None:
    """CWE-91, CWE-89, CWE-117: what is typed reaches neither XML nor SQL nor a log as anything but text."""
    handset = Handset(ward.site)
    for answer in (
        handset.raw(f"/{PHONE}/login", form={"userid": userid, "pin": "24680"}),
        handset.raw(f"/{PHONE}/login", urlencode({"userid": userid, "pin": "24680"})),
    ):
        shown = Shown(answer)
        assert not shown.token
        assert "not right" in shown.text or "Enter both" in shown.text or "Wait" in shown.text
    assert len(ward.duo.requests) == 0
    for event in ward.site.journal.events:
        line = _json_line(None, "", {"event": event.name, "principal": event.about.principal})
        assert not CONTROL.search(line)
        assert len(event.about.principal) <= 257


@pytest.mark.parametrize(
    "query",
    [
        *(
            "userid=%C0%AEda&pin=24680",
            "userid=%ED%A0%80&pin=24680",
            "userid=%FF%FE&pin=24680",
            "userid=%F5%80%80%80&pin=1",
        ),
        *(
            "userid=%&pin=%2",
            "userid=ada&pin=%D9%A2%D9%A4%D9%A6%D9%A8%D9%A0",
            "userid=ada&pin=24680%00",
            "userid=ada&pin=+24680",
        ),
        *("userid=ada&pin=2468O", "userid=ada&pin=246", "userid=ada&pin=" + "1" * 129, "&&&=&==", "\xff\xfe=\xc3\x28"),
    ],
)
def test_octets_that_are_no_text_and_digits_that_are_none_open_nothing(ward: Ward, query: str) -> None:
    """CWE-173: overlong forms, halves of pairs, digits of other scripts."""
    for answer in (
        call(ward.site, path=f"/em/{PHONE}/login", query=query, REMOTE_ADDR=HERE),
        call(ward.site, "POST", f"/em/{PHONE}/login", body=query.encode("latin-1"), kind=FORM, REMOTE_ADDR=HERE),
    ):
        assert not Shown(answer).token
    assert len(ward.duo.requests) == 0


# What is shown


def test_no_text_from_outside_is_more_than_text(ward_with: GiveWard) -> None:
    """CWE-91: names of services, profiles, people, phones and devices, and words of Duo, on every page and in every
    encoding.
    """
    registry = EXTENSION_MOBILITY.replace("name: Extension Mobility", "name: '<b>&\"Phones'")
    ward = ward_with(registry=registry)
    profile = HOSTILE.replace("\x00", "").replace("\x1b", "").replace("\x07", "").replace("\ufffe", "")
    ward.ucm.add_profile(profile)
    ward.ucm.user("mary").profiles[:] = [profile, "mary-ward"]
    ward.duo.faults.overwrite("/auth/v2/auth_status", {"status_msg": HOSTILE})
    ward.duo.user("mary").devices[0].name = HOSTILE
    for headers in ({}, {"HTTP_ACCEPT_CHARSET": "iso-8859-1"}, {"HTTP_X_CISCOIPPHONEMODELNAME": "CP-7965G"}):
        handset = Handset(ward.site, headers=headers)
        shown = [handset.get(), handset.submit("mary", "00000"), handset.submit("mary")]
        shown.append(handset.get("push", t=shown[-1].token))
        ward.answer_push("mary")
        shown.append(handset.until(shown[2].token, "Choose a profile" if "7965" not in str(headers) else "profile"))
        shown.append(handset.get("select", t=shown[-1].token, profile="0"))
        shown += [handset.get(), handset.get("logout"), handset.get("nonsense")]
        names = {element.tag for each in shown for element in each.root.iter()}
        assert names <= KNOWN, names - KNOWN
        for each in shown:
            body = each.answer.body.decode("latin-1")
            assert not re.search(r"<!|<\?(?!xml version=)|[\x00-\x08\x0b-\x1f\x7f]|&#(?!\d{2,6};)", body)
            assert "62710561" not in each.text
        ward.ucm.log_out(PHONE)
        ward.pass_time(301)


KNOWN = {
    *(
        "CiscoIPPhoneText",
        "CiscoIPPhoneInput",
        "CiscoIPPhoneMenu",
        "Title",
        "Prompt",
        "Text",
        "URL",
        "MenuItem",
        "Name",
    ),
    *("InputItem", "DisplayName", "QueryStringParam", "DefaultValue", "InputFlags", "SoftKeyItem", "Position"),
}
