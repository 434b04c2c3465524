"""Guacamole's CAS extension as docs/remote-access.md sets it up: what it sends, replayed over TLS, and what it reads.

What it sends and reads is from the source of guacamole-auth-sso-cas 1.6 and of the Java CAS client 3.6 that it uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, quote

import pytest
from ruamel.yaml import YAML

from casduo.services.file import read_registry
from casduo.settings import load_settings
from casduo.simulators.certificates import CertificateAuthority
from casduo.tickets.ledger import Ledger
from tests.clients.gateways import (
    DOCUMENT,
    FORM,
    GATEWAY,
    ONE_FOR_ALL,
    REGISTRY,
    SSO,
    WAITING,
    Person,
    Place,
    block,
    heading,
    running_place,
)
from tests.clients.readers import Answer, Learned, Refused, Unreadable, java_xml
from tests.clients.recordings import RECORDINGS, host_of, replay
from tests.support.served import Served
from tests.support.site import Build
from tests.support.visitor import ticket_in
from tests.support.waiting import until

APACHE = block("apache", "<VirtualHost")
PROPERTIES = {
    name.strip(): value.strip()
    for name, separator, value in (line.partition(":") for line in block("properties", "cas-redirect-uri").splitlines())
    if separator and not name.startswith("#")
}
# All it asks for tickets by: CAS 2.0 with proxies, none of the parameters that can be left out, ticket first.
NEWER = RECORDINGS["java proxied"]
VALIDATION = replace(NEWER, head=NEWER.head.replace("/cas/p3/proxyValidate", "/cas/proxyValidate"))


@dataclass(frozen=True)
class SignedIn:
    """Whom Guacamole takes somebody for: the user's name, their groups, and what its connections can be made of."""

    username: str
    groups: frozenset[str]
    tokens: Mapping[str, str]


@dataclass(frozen=True)
class Extension:
    """Guacamole's side, by its properties; of them, only the server's address is another one."""

    cas: Served
    redirect_uri: str = PROPERTIES["cas-redirect-uri"]

    @property
    def login_address(self) -> str:
        """Where it sends who has no ticket; of the service, only what would end the parameter is encoded."""
        endpoint = PROPERTIES["cas-authorization-endpoint"].replace(SSO, self.cas.url.rstrip("/"))
        return f"{endpoint}/login?service={quote(self.redirect_uri, safe=':/?@!$,;()*~')}"

    def validate(self, ticket: str) -> Answer:
        """Ask for what a ticket says, as it does for ``ticket=`` in what is posted to ``api/tokens``."""
        return replay(self.cas, VALIDATION.bytes(host_of(self.cas), self.redirect_uri, ticket))

    def sign_in(self, ticket: str) -> SignedIn:
        """Take somebody in who brought a ticket.

        :raises Refused: the ticket is no good
        """
        return user_of(java_xml(self.validate(ticket)))


def user_of(learned: Learned) -> SignedIn:
    """Make a user of what the Java client learned. By whom a ticket was proxied is not looked at."""
    attributes = {name: value for name, value in learned.attributes.items() if name != "credential"}
    groups = attributes.get(PROPERTIES["cas-group-attribute"], [])
    return SignedIn(
        learned.user.lower(),
        frozenset(groups if isinstance(groups, list) else [str(groups)]),
        {token_of(name): java_text(value) for name, value in attributes.items()},
    )


def token_of(name: str) -> str:
    """Return what a connection calls an attribute: its words, wherever capitals, digits and marks begin a new one."""
    words = re.findall("[A-Z][a-z]+|[0-9]+|[A-Z]+(?![a-z])|[a-z]+", name)
    return "_".join(["CAS", *(word.upper() for word in words)])


def java_text(value: object) -> str:
    """Return what ``toString`` makes of one value, or of a list of them."""
    return f"[{', '.join(value)}]" if isinstance(value, list) else str(value)


@pytest.fixture
def place(build: Build, authority: CertificateAuthority) -> Iterator[Place]:
    with running_place(build, authority) as found:
        yield found


@pytest.fixture
def ada(place: Place) -> Iterator[Person]:
    with place.person("ada", GATEWAY) as found:
        yield found


@pytest.fixture
def grace(place: Place) -> Iterator[Person]:
    with place.person("grace", GATEWAY) as found:
        yield found


@pytest.fixture
def guacamole(place: Place) -> Extension:
    return Extension(place.cas)


def ticket_after_approval(ada: Person, grace: Person, guacamole: Extension) -> str:
    """Open the gateway, ask for access, have it approved, and return the ticket with which one is sent back."""
    ada.asks_for_access(ada.enter(guacamole.login_address), "The disk is full")
    grace.approves()
    return ticket_of(ada, guacamole)


def ticket_of(visitor: Person, guacamole: Extension) -> str:
    """Go where Guacamole sends people, and return the ticket with which one is sent back to exactly its address."""
    arrived = visitor.visit(guacamole.login_address).url
    address, _, query = arrived.partition("?")
    assert (address, [name for name, _ in parse_qsl(query)]) == (guacamole.redirect_uri, ["ticket"]), arrived
    return ticket_in(arrived)


# -- the document ------------------------------------------------------------------------------------------------------


def test_the_places_of_the_document_agree() -> None:
    first, second = (entry for entry in YAML(typ="safe", pure=True).load(REGISTRY)["services"])
    compose = YAML(typ="safe", pure=True).load(block("yaml", "CAS_REDIRECT_URI"))["services"]
    variables = compose["ward-2"]["environment"]
    assert {name: variables[name.upper().replace("-", "_")] for name in PROPERTIES} == PROPERTIES
    assert PROPERTIES["cas-authorization-endpoint"] == SSO
    assert PROPERTIES["cas-redirect-uri"] == second["url"] == f"{GATEWAY}/{variables['WEBAPP_CONTEXT']}/"
    assert PROPERTIES["cas-group-attribute"] in second["attributes"]
    assert f"http://127.0.0.1:{compose['ward-2']['ports'][0].split(':')[1]};" in block("nginx", "location /ward-2/")

    variables = compose["ward-1"]["environment"]
    path, port = f"/{variables['WEBAPP_CONTEXT']}/", compose["ward-1"]["ports"][0].split(":")[1]
    assert first["url"] == f"{GATEWAY}{path}**"
    assert f"ProxyPass http://127.0.0.1:{port}{path} " in APACHE
    assert f"<Location {path}>" in APACHE
    assert f"Require cas-attribute gate:{first['attributes']['gate']['static']}\n" in APACHE
    assert f"CASAuthNHeader {variables['HTTP_AUTH_HEADER']}\n" in APACHE
    assert f"CASTimeout {int(first['requires_approval']['max_duration'].removesuffix('h')) * 3600}\n" in APACHE
    assert f"CASLoginURL {SSO}/login\n" in APACHE
    assert f"CASValidateURL {SSO}/serviceValidate\n" in APACHE


def test_every_part_is_linked_from_the_top() -> None:
    parts = re.findall(r"^## (.*)$", DOCUMENT, re.MULTILINE)
    top = DOCUMENT.partition("\n## ")[0]
    assert re.findall(r"\(#(.*?)\)", top) == [part.lower().replace(" ", "-") for part in parts]


@pytest.mark.parametrize("registry", [REGISTRY, ONE_FOR_ALL], ids=["one for each", "one for all"])
def test_casduo_check_has_nothing_to_say_against_the_registry(place: Place, registry: str) -> None:
    settings = load_settings(place.site.settings_file, {})
    reading = read_registry(registry.encode(), "registry.yaml", settings, with_lint=True)
    # There is no Webex here, and it says so.
    assert {(problem.level, problem.path.rpartition(".")[2]) for problem in reading.problems} <= {
        ("note", "requires_approval")
    }


# -- from the gateway and back -----------------------------------------------------------------------------------------


def test_the_gateway_opens_after_approval_for_the_user_and_the_group_of_the_entry(
    place: Place, ada: Person, grace: Person, guacamole: Extension
) -> None:
    form = ada.enter(guacamole.login_address)
    assert heading(form) == FORM.format("Ward console 2")
    assert heading(ada.asks_for_access(form, "The disk is full")) == WAITING
    [asked] = place.site.composed.parts.approvals.recent()
    grace.approves()
    # Without a word: the single sign-on session is there, and the time has begun.
    signed_in = guacamole.sign_in(ticket_of(ada, guacamole))
    assert (signed_in.username, signed_in.groups) == ("ada", {"ward-2"})
    assert signed_in.tokens["CAS_HOST"] == "ward-2"
    [accessed] = place.site.journal.named("target.accessed")
    assert (accessed.host, accessed.ip, accessed.account) == ("ward-2", "10.0.0.8", "root")
    assert (accessed.principal, accessed.request) == ("ada", asked.id)


def test_a_ticket_is_good_once(ada: Person, grace: Person, guacamole: Extension) -> None:
    ticket = ticket_after_approval(ada, grace, guacamole)
    assert guacamole.sign_in(ticket).username == "ada"
    with pytest.raises(Refused, match="INVALID_TICKET"):
        guacamole.sign_in(ticket)


def test_each_sign_in_at_the_gateway_is_an_access(
    place: Place, ada: Person, grace: Person, guacamole: Extension
) -> None:
    guacamole.sign_in(ticket_after_approval(ada, grace, guacamole))
    guacamole.sign_in(ticket_of(ada, guacamole))
    requests = [event.request for event in place.site.journal.named("target.accessed")]
    assert len(requests) == 2
    assert len(set(requests)) == 1


def test_an_approval_opens_one_machine(place: Place, ada: Person, grace: Person, guacamole: Extension) -> None:
    ticket = ticket_after_approval(ada, grace, guacamole)
    other = Extension(place.cas, f"{GATEWAY}/ward-1/")
    assert heading(ada.visit(other.login_address)) == FORM.format("Ward console 1")
    # Nor is a ticket of the one good at the other.
    with pytest.raises(Refused, match="INVALID_SERVICE"):
        other.sign_in(ticket)


def test_the_entry_takes_no_other_way_of_validating(ada: Person, grace: Person, guacamole: Extension) -> None:
    ticket = ticket_after_approval(ada, grace, guacamole)
    with pytest.raises(Refused):
        java_xml(replay(guacamole.cas, NEWER.bytes(host_of(guacamole.cas), guacamole.redirect_uri, ticket)))


# -- when the time is over ---------------------------------------------------------------------------------------------


def test_after_the_time_nobody_gets_in(place: Place, ada: Person, grace: Person, guacamole: Extension) -> None:
    guacamole.sign_in(ticket_after_approval(ada, grace, guacamole))
    [asked] = place.site.composed.parts.approvals.recent()
    place.site.clock.now = asked.end - 1
    late = ticket_of(ada, guacamole)
    place.site.clock.now = asked.end
    with pytest.raises(Refused):
        guacamole.sign_in(late)
    assert heading(ada.visit(guacamole.login_address)) == FORM.format("Ward console 2")
    violations = place.site.journal.named("policy.violation")
    assert {event.rule for event in violations} == {"outside_window"}
    assert asked.id in {event.request for event in violations}


def test_guacamole_is_not_called_by_the_worker(place: Place, ada: Person, grace: Person, guacamole: Extension) -> None:
    guacamole.sign_in(ticket_after_approval(ada, grace, guacamole))
    [asked] = place.site.composed.parts.approvals.recent()
    ledger = Ledger(place.site.composed.parts.store)
    with place.worker():
        place.site.clock.now = asked.end
        until(lambda: bool(ledger.of_service("ward-2")), "the worker has seen to it")
    [line] = ledger.of_service("ward-2")
    assert (line.telling.state, line.telling.detail, line.telling.attempts) == ("unsupported", "switched_off", 0)


# -- what Guacamole makes of an answer ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "token"),
    [
        ("host", "CAS_HOST"),
        ("displayName", "CAS_DISPLAY_NAME"),
        ("mfa-time2", "CAS_MFA_TIME_2"),
        ("isFromNewLogin", "CAS_IS_FROM_NEW_LOGIN"),
    ],
)
def test_attributes_have_other_names_in_connections(name: str, token: str) -> None:
    assert token_of(name) == token


def test_names_are_made_lower_case_and_groups_are_not() -> None:
    attributes = {"groups": ["ward-2", "Staff"], "credential": "x"}
    read = user_of(Learned("ADA", attributes, proxies=("https://portal.example.edu/pgt",)))
    assert read == SignedIn("ada", frozenset({"ward-2", "Staff"}), {"CAS_GROUPS": "[ward-2, Staff]"})


def test_an_error_is_no_answer() -> None:
    with pytest.raises(Unreadable):
        java_xml(Answer(500, {}, b"<cas:serviceResponse/>"))
