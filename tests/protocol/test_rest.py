"""What is decided about programs and people, and what is answered: values in, values out."""

from __future__ import annotations

import ipaddress
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.mfa.duo.pushes import PushName
from casduo.mfa.strength import DUO_BYPASS, NO_STRENGTH, UNAVAILABLE, UNENROLLED, Strength
from casduo.mfa.terms import DuoDefaults, DuoTerms
from casduo.protocol.entitlement import EntitlementRules
from casduo.protocol.parameters import Parameters
from casduo.protocol.rest import errors
from casduo.protocol.rest.bodies import asked_json, person_json, session_page, wants_page
from casduo.protocol.rest.call import RestCall
from casduo.protocol.rest.checks import AskedService, check_duo, check_freshness, check_person, find_service
from casduo.protocol.rest.clients import RestClient, RestClients, rest_client
from casduo.protocol.rest.errors import (
    BadForm,
    DuoNeeded,
    PasswordNeeded,
    PersonAsked,
    PushRefused,
    RestError,
    ServiceForbidden,
    UnknownClient,
)
from casduo.protocol.rest.forms import RestForm, read_form
from casduo.protocol.rest.tokens import LIFETIME, PushTokens, SentPush
from casduo.services.index import Registry
from casduo.services.model import RegisteredService
from casduo.services.release import Released
from casduo.signing import Purpose, Signing
from casduo.tickets.model import TicketGrantingTicket

NOW = 1_800_000_000.0
KEY = "Pn0wUzX3b7kQeRr2TtYy5HhGgFfDdSsA"
CAMPUS = ipaddress.ip_network("10.0.0.0/8")
ADA = TicketGrantingTicket("ada", {"groups": ("students",)}, "users_file", NOW)
RULES = EntitlementRules(("groups",), DuoDefaults(DuoTerms(fail="open", trusted_browser=30 * 86_400.0)))
ANYBODY = RestClient("portal")


def entry(**more: object) -> RegisteredService:
    given = {"id": "library", "name": "Library", "url": "https://library.example.edu/**", **more}
    return RegisteredService.model_validate(given)


def asked(**more: object) -> AskedService:
    return AskedService(entry(**more), "https://library.example.edu/", "library.example.edu")


# -- programs --------------------------------------------------------------------------------------------------------


def test_of_several_clients_the_first_that_fits_is_taken() -> None:
    clients = RestClients(
        [
            rest_client("far", KEY, [ipaddress.ip_network("192.0.2.0/24")]),
            rest_client("near", "", [CAMPUS]),
            rest_client("nearer", "", [ipaddress.ip_network("10.1.0.0/16")]),
        ]
    )
    assert clients.identify("", "10.1.2.3").name == "near"
    assert clients.identify(f"Bearer  {KEY} ", "192.0.2.1").name == "far"
    with pytest.raises(UnknownClient) as caught:
        clients.identify(f"Bearer {KEY}", "10.1.2.3")
    assert caught.value.why == "network"


@given(st.text(st.characters(max_codepoint=255), max_size=80), st.text(max_size=20))
def test_nobody_gets_in_by_chance(authorization: str, address: str) -> None:
    clients = RestClients([rest_client("portal", KEY), rest_client("batch", "", [CAMPUS])])
    with pytest.raises(UnknownClient):
        clients.identify(authorization, address)


def test_no_client_means_nobody() -> None:
    with pytest.raises(UnknownClient):
        RestClients([]).identify("", "10.0.0.1")


def test_clients_do_not_show_their_key() -> None:
    client = rest_client("portal", KEY)
    assert KEY not in repr(client)
    assert client.key not in repr(client)
    assert client.key != KEY


def test_services_of_a_client() -> None:
    assert ANYBODY.may_use("payroll")
    client = rest_client("portal", KEY, services=["library"])
    assert client.may_use("library")
    assert not client.may_use("payroll")


# -- forms -----------------------------------------------------------------------------------------------------------


def test_a_form_with_everything() -> None:
    form = read_form(
        Parameters(
            {
                "service": "s",
                "renew": "1",
                "username": "ada",
                "password": " p ",
                "passcode": " 123 456 ",
                "push": "a token",
            }
        )
    )
    assert form == RestForm("s", True, "ada", " p ", "123 456", "a token")
    for secret in ("123 456", " p ", "a token"):
        assert secret not in repr(form)


@pytest.mark.parametrize(
    ("passcode", "push", "second_factor", "about_push"),
    [("", "", False, False), ("123456", "", True, False), ("", "token", True, True), ("push", "token", True, False)],
)
def test_what_a_form_brings_besides_the_password(
    passcode: str, push: str, second_factor: bool, about_push: bool
) -> None:
    form = RestForm(passcode=passcode, push=push)
    assert (form.second_factor, form.about_push) == (second_factor, about_push)


def test_a_blank_passcode_is_none() -> None:
    assert not read_form(Parameters({"passcode": " \t "})).second_factor


@pytest.mark.parametrize("form", [RestForm(), RestForm(username="ada"), RestForm(username=" ", password="p")])
def test_credentials_are_two(form: RestForm) -> None:
    with pytest.raises(BadForm):
        form.require_credentials()


# -- tokens of pushes ------------------------------------------------------------------------------------------------

PUSH = SentPush(PushName("0" * 32, "A" * 22), "portal", "ada", "payroll", "vpn")
TOKENS = PushTokens(Signing(["a signing key of these tests"]))


def test_a_token_holds_what_it_was_made_of() -> None:
    assert TOKENS.read(TOKENS.make(PUSH, NOW), NOW + LIFETIME) == PUSH


@pytest.mark.parametrize(
    ("client", "principal", "service", "application", "fits"),
    [
        ("portal", "ada", "payroll", "vpn", True),
        ("batch", "ada", "payroll", "vpn", False),
        ("portal", "grace", "payroll", "vpn", False),
        ("portal", "Ada", "payroll", "vpn", False),
        ("portal", "ada", "library", "vpn", False),
        ("portal", "ada", "", "vpn", False),
        ("portal", "ada", "payroll", "", False),
        ("portal", "ada", "payroll", "admin", False),
    ],
)
def test_a_push_is_good_for_the_call_it_was_sent_for(
    client: str, principal: str, service: str, application: str, fits: bool
) -> None:
    call = RestCall(RestClient(client), NOW, "192.0.2.50", principal=principal, service=service)
    assert PUSH.fits(call, application) is fits


def test_an_old_token_is_a_push_that_is_gone() -> None:
    with pytest.raises(PushRefused) as caught:
        TOKENS.read(TOKENS.make(PUSH, NOW), NOW + LIFETIME + 1)
    assert caught.value.why == "gone"


@given(st.text(max_size=80))
def test_what_is_no_token_is_a_bad_form(text: str) -> None:
    with pytest.raises(BadForm):
        TOKENS.read(text, NOW)


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose is not Purpose.REST_PUSH])
def test_a_token_for_another_purpose_is_none(purpose: Purpose) -> None:
    signing = Signing(["a signing key of these tests"])
    with pytest.raises(BadForm):
        TOKENS.read(signing.dumps(purpose, [PUSH.name.text, "portal", "ada", "payroll", ""], NOW), NOW)


def test_a_token_of_other_keys_is_none() -> None:
    with pytest.raises(BadForm):
        TOKENS.read(PushTokens(Signing(["another key"])).make(PUSH, NOW), NOW)


# -- services and people ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"enabled": False}, "disabled"),
        ({"channel": "phone"}, "unregistered"),
        ({"protocols": ["cas3"]}, "the entry does not allow rest"),
        ({"id": "payroll"}, "not among the services of the client"),
    ],
)
def test_services_that_are_not_for_this_program(more: dict[str, object], why: str) -> None:
    registry = Registry([entry(**more)], "1")
    with pytest.raises(ServiceForbidden) as caught:
        find_service("https://library.example.edu/a", rest_client("portal", services=["library"]), registry)
    assert (caught.value.why, caught.value.host) == (why, "library.example.edu")


def test_a_service_that_is_for_programs() -> None:
    found = find_service("https://LIBRARY.example.edu/a?b", ANYBODY, Registry([entry()], "1"))
    assert (found.entry.id, found.text, found.host) == (
        "library",
        "https://LIBRARY.example.edu/a?b",
        "library.example.edu",
    )


@pytest.mark.parametrize("text", ["", "library", "https://u:p@library.example.edu/", "https://library.example.edu/\\"])
def test_what_is_no_service_is_a_bad_form(text: str) -> None:
    with pytest.raises(BadForm):
        find_service(text, ANYBODY, Registry([entry()], "1"))


@pytest.mark.parametrize(
    "more",
    [
        {"access": {"groups": ["staff"]}},
        {"access": {"networks": ["10.0.0.0/8"]}},
        {"access": {"until": "2020-01-01"}},
        {"username_attribute": "mail"},
    ],
)
def test_access_rules_hold(more: dict[str, object]) -> None:
    check_person(asked(), ADA, "192.0.2.50", NOW, RULES)
    with pytest.raises(ServiceForbidden):
        check_person(asked(**more), ADA, "192.0.2.50", NOW, RULES)


def test_a_session_that_is_not_fresh_enough_needs_a_password() -> None:
    check_freshness(asked(), ADA, NOW + 7200)
    for more in ({"single_sign_on": False}, {"session": {"lifetime": "1h"}}):
        with pytest.raises(PasswordNeeded):
            check_freshness(asked(**more), ADA, NOW + 7200)


@pytest.mark.parametrize(
    "strength",
    [
        NO_STRENGTH,
        Strength.bypassed(UNAVAILABLE, NOW),
        Strength.bypassed(DUO_BYPASS, NOW),
        Strength.bypassed(UNENROLLED, NOW),
        Strength.trusted(NOW),
        Strength.duo("passcode", NOW - 3601),
        Strength.duo("passcode", NOW + 3601),
    ],
)
@pytest.mark.parametrize("rule", [{"fail": "open"}, {"fail": "closed"}, {"mode": "optional"}])
def test_nothing_but_a_fresh_duo_pays(strength: Strength, rule: dict[str, str]) -> None:
    wanted = asked(requires_duo={"max_age": "1h", **rule})
    with pytest.raises(DuoNeeded):
        check_duo(wanted, ADA, strength, NOW, RULES)
    check_duo(wanted, ADA, Strength.duo("passcode", NOW - 3599), NOW, RULES)


def test_a_rule_that_only_reports_asks_for_nothing() -> None:
    check_duo(asked(requires_duo={"mode": "report"}), ADA, NO_STRENGTH, NOW, RULES)


def test_a_duo_rule_about_people_is_kept_and_one_about_places_means_everybody() -> None:
    check_duo(asked(), ADA, NO_STRENGTH, NOW, RULES)
    check_duo(asked(requires_duo={"when": {"groups": ["staff"]}}), ADA, NO_STRENGTH, NOW, RULES)
    with pytest.raises(DuoNeeded):
        check_duo(asked(requires_duo={"when": {"networks": ["198.51.100.0/24"]}}), ADA, NO_STRENGTH, NOW, RULES)


# -- answers ---------------------------------------------------------------------------------------------------------


def test_the_page_is_one_line_and_the_ticket_comes_last_before_a_quotation_mark() -> None:
    page = session_page("https://sso.example.edu/cas/v1/tickets/TGT-abcd-1").decode()
    assert "\n" not in page
    found = re.fullmatch(r'.*action=".*/(.*?)".*', page)
    assert found is not None
    assert found[1] == "TGT-abcd-1"


@given(st.text(max_size=50))
def test_whatever_the_address_holds_is_escaped(url: str) -> None:
    page = session_page(url.encode("utf-8", "replace").decode()).decode()
    inside = page[page.index('action="') + 8 : page.index('" method=')]
    assert not set(inside) & set("<>\"'")


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        ("", True),
        ("*/*", True),
        ("text/html", True),
        ("application/json", False),
        ("TEXT/PLAIN ; q=0.9", False),
        ("application/json, text/html", False),
        ("text/html, application/json", True),
        ("text/plain, */*", False),
        ("image/png", True),
        (",,;", True),
    ],
)
def test_who_gets_the_page(accept: str, page: bool) -> None:
    assert wants_page(accept) is page


def test_a_person_as_json() -> None:
    body = person_json(Released('a"</script>\u2028', {"mail": ("a@example.edu", "b@example.edu")}))
    assert json.loads(body) == {"id": 'a"</script>\u2028', "attributes": {"mail": ["a@example.edu", "b@example.edu"]}}
    assert body.isascii()


def test_what_a_person_was_sent_as_json() -> None:
    assert json.loads(asked_json(PersonAsked("sms", "iPhone"))) == {"factor": "sms", "device": "iPhone"}
    asked = PersonAsked("push", 'Gr\xfcn"</script>', "a.token", "123456", wait=2)
    assert json.loads(asked_json(asked)) == {
        "factor": "push",
        "device": 'Gr\xfcn"</script>',
        "push": "a.token",
        "code": "123456",
    }
    for secret in ("a.token", "123456"):
        assert secret not in repr(asked) + str(asked) + asked.why + asked.text


def leaves() -> list[type[RestError]]:
    return [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, RestError)]


def test_everything_but_success_has_a_code_and_one_line_of_its_own() -> None:
    assert len({leaf.code for leaf in leaves()}) == len({leaf.fixed_text for leaf in leaves()}) == len(leaves())
    for leaf in leaves():
        assert 400 <= leaf.status < 600 or leaf is PersonAsked
        assert leaf.fixed_text
        assert leaf.fixed_text.isascii()
        assert leaf.fixed_text.isprintable()
