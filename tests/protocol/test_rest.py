"""What is decided about programs and people, and what is answered: values in, values out."""

from __future__ import annotations

import ipaddress
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.mfa.strength import DUO_BYPASS, NO_STRENGTH, UNAVAILABLE, Strength
from casduo.protocol.entitlement import EntitlementRules
from casduo.protocol.parameters import Parameters
from casduo.protocol.rest import errors
from casduo.protocol.rest.bodies import person_json, session_page, wants_page
from casduo.protocol.rest.checks import AskedService, check_duo, check_freshness, check_person, find_service
from casduo.protocol.rest.clients import RestClient, RestClients, rest_client
from casduo.protocol.rest.errors import BadForm, DuoNeeded, PasswordNeeded, RestError, ServiceForbidden, UnknownClient
from casduo.protocol.rest.forms import RestForm, read_form
from casduo.services.index import Registry
from casduo.services.model import RegisteredService
from casduo.services.release import Released
from casduo.tickets.model import TicketGrantingTicket

NOW = 1_800_000_000.0
KEY = "Pn0wUzX3b7kQeRr2TtYy5HhGgFfDdSsA"
CAMPUS = ipaddress.ip_network("10.0.0.0/8")
ADA = TicketGrantingTicket("ada", {"groups": ("students",)}, "users_file", NOW)
RULES = EntitlementRules(("groups",), duo_fail="open")
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
        Parameters({"service": "s", "renew": "1", "username": "ada", "password": " p ", "passcode": "123 456"}), ()
    )
    assert form == RestForm("s", True, "ada", " p ", "123456")
    assert "123456" not in repr(form)
    assert " p " not in repr(form)


@pytest.mark.parametrize("form", [RestForm(), RestForm(username="ada"), RestForm(username=" ", password="p")])
def test_credentials_are_two(form: RestForm) -> None:
    with pytest.raises(BadForm):
        form.require_credentials()


@given(st.text(max_size=20))
def test_a_passcode_is_ascii_digits_or_refused(text: str) -> None:
    try:
        form = read_form(Parameters({"passcode": text} if text else {}))
    except BadForm:
        return
    assert re.fullmatch(r"|[0-9]{6,10}", form.passcode)


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
        Strength.duo("passcode", NOW - 3601),
        Strength.duo("passcode", NOW + 3601),
    ],
)
@pytest.mark.parametrize("fail", ["open", "closed"])
def test_nothing_but_a_fresh_duo_pays(strength: Strength, fail: str) -> None:
    wanted = asked(requires_duo={"fail": fail, "max_age": "1h"})
    with pytest.raises(DuoNeeded):
        check_duo(wanted, ADA, strength, NOW, RULES)
    check_duo(wanted, ADA, Strength.duo("passcode", NOW - 3599), NOW, RULES)


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


def leaves() -> list[type[RestError]]:
    return [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, RestError)]


def test_every_refusal_has_a_code_and_one_line_of_its_own() -> None:
    assert len({leaf.code for leaf in leaves()}) == len({leaf.fixed_text for leaf in leaves()}) == len(leaves())
    for leaf in leaves():
        assert 400 <= leaf.status < 600
        assert leaf.fixed_text
        assert leaf.fixed_text.isascii()
        assert leaf.fixed_text.isprintable()
