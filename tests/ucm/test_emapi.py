"""The Extension Mobility API client against nodes that answer oddly, and against the simulated UCM."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from casduo.errors import CasduoError
from casduo.outbound.breaker import BreakerState
from casduo.outbound.budget import Budget
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.clock import VirtualClock
from casduo.simulators.ucm import UcmSimulator
from casduo.ucm.emapi import EmApiLogins
from casduo.ucm.errors import UcmBusy, UcmMisconfigured, UcmRefused, UcmUnavailable
from casduo.ucm.interfaces import PhoneLogins
from casduo.ucm.model import PhoneState
from casduo.ucm.nodes import Nodes
from tests.ucm.canned import Canned, CannedNode, canned_node, plenty, terms_for

START = 1_800_000_000.0
PASSWORD = "s3cret"
PHONE = "SEP001122334455"
OTHER_PHONE = "SEP00AABBCCDDEE"
SUCCESS = "<response><success/></response>"
HTML = Canned(b"<html><head></head><body>down</body></html>", headers=(("Content-Type", "text/html"),))
FREE = f'<response><deviceUserResults><device name="{PHONE}"><none/></device></deviceUserResults></response>'
NOWHERE = '<response><userDevicesResults><user id="ada"><none/></user></userDevicesResults></response>'


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


Client = Callable[..., EmApiLogins]


@pytest.fixture
def client(authority: CertificateAuthority, clock: VirtualClock) -> Iterator[Client]:
    made: list[Nodes] = []

    def make(*servers: str, username: str = "casduo", password: str = PASSWORD, **terms: Any) -> EmApiLogins:
        made.append(Nodes("em", servers, terms_for(authority, **terms), clock))
        return EmApiLogins(made[-1], username, password)

    yield make
    for nodes in made:
        nodes.close()


@pytest.fixture
def pair(authority: CertificateAuthority) -> Iterator[tuple[CannedNode, CannedNode]]:
    leaf = authority.issue()
    first, second = canned_node(leaf), canned_node(leaf)
    with first.server, second.server:
        yield first, second


def calls(logins: EmApiLogins) -> dict[str, Callable[[], object]]:
    return {
        "state": lambda: logins.state(PHONE, plenty()),
        "devices_of": lambda: logins.devices_of("ada", plenty()),
        "log_in": lambda: logins.log_in(PHONE, "ada", "ada-ward", 0.0, plenty()),
        "log_out": lambda: logins.log_out(PHONE, plenty()),
    }


READS = ("state", "devices_of")
WRITES = ("log_in", "log_out")


def failure_of(call: Callable[[], object]) -> CasduoError:
    with pytest.raises(CasduoError) as caught:
        call()
    assert caught.value.__cause__ is None
    assert PASSWORD not in f"{caught.value} {caught.value!r}"
    return caught.value


# -- odd nodes ---------------------------------------------------------------------------------------------------------


def test_documents_go_as_a_form_to_the_services_address(pair: tuple[CannedNode, CannedNode], client: Client) -> None:
    node = pair[0]
    node.say(SUCCESS)
    client(node.name).log_in(PHONE, "zoë & co", "ada-ward", 90.0, plenty())
    (heard,) = node.heard
    assert heard.path == "/emservice/EMServiceServlet"
    assert "<userID>zo&#235; &amp; co</userID>" in heard.document
    assert "<time>2</time>" in heard.document
    assert heard.cookie == ""


@pytest.mark.parametrize("name", [*READS, *WRITES])
@pytest.mark.parametrize("status", [400, 401, 403, 405, 407, 415, 499])
def test_a_status_that_blames_us_is_no_reason_to_ask_another_node(
    pair: tuple[CannedNode, CannedNode], client: Client, name: str, status: int
) -> None:
    pair[0].say(Canned(SUCCESS.encode(), status))
    failure = failure_of(calls(client(pair[0].name, pair[1].name))[name])
    assert isinstance(failure, UcmMisconfigured)
    assert failure.detail == f"http_{status}"
    assert (len(pair[0].heard), pair[1].heard) == (1, [])


@pytest.mark.parametrize(
    "odd", [*(Canned(SUCCESS.encode(), status) for status in (302, 404, 500, 502, 503)), HTML, Canned()]
)
def test_a_read_goes_on_after_an_odd_answer(pair: tuple[CannedNode, CannedNode], client: Client, odd: Canned) -> None:
    pair[0].say(odd)
    pair[1].say(FREE)
    assert client(pair[0].name, pair[1].name).state(PHONE, plenty()) == PhoneState(PHONE)
    pair[1].say(NOWHERE)
    assert client(pair[0].name, pair[1].name).devices_of("ada", plenty()) == ()


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize(
    ("odd", "detail"),
    [
        (Canned(SUCCESS.encode(), 500), "http_500"),
        (Canned(SUCCESS.encode(), 502), "http_502"),
        (Canned(SUCCESS.encode(), 302), "http_302"),
        (Canned(SUCCESS.encode(), 201), "http_201"),
        (HTML, "unreadable"),
        (Canned(), "unreadable"),
        (Canned(b"<response><succ"), "unreadable"),
        (Canned(b'<response><failure><error code="6"/></failure></response>'), "em 6"),
    ],
)
def test_a_write_after_which_nobody_knows_is_not_sent_again(
    pair: tuple[CannedNode, CannedNode], client: Client, name: str, odd: Canned, detail: str
) -> None:
    pair[0].say(odd)
    failure = failure_of(calls(client(pair[0].name, pair[1].name))[name])
    assert isinstance(failure, UcmUnavailable)
    assert (failure.detail, failure.sent) == (detail, True)
    assert (len(pair[0].heard), pair[1].heard) == (1, [])


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("status", [404, 503])
def test_a_node_without_the_service_leaves_a_write_to_the_next(
    pair: tuple[CannedNode, CannedNode], client: Client, name: str, status: int
) -> None:
    pair[0].say(Canned(HTML.body, status))
    pair[1].say(SUCCESS)
    calls(client(pair[0].name, pair[1].name))[name]()
    failure = failure_of(calls(client(pair[0].name))[name])
    assert isinstance(failure, UcmUnavailable)
    assert (failure.detail, failure.sent) == (f"http_{status}", False)


def test_a_server_that_limits_us_is_busy(pair: tuple[CannedNode, CannedNode], client: Client) -> None:
    pair[0].say(Canned(status=429))
    failure = failure_of(calls(client(pair[0].name))["log_in"])
    assert isinstance(failure, UcmBusy)


def test_a_read_is_repeated_after_a_connection_that_broke_and_a_write_is_not(
    pair: tuple[CannedNode, CannedNode], client: Client
) -> None:
    node = pair[0]
    node.say(FREE)
    logins = client(node.name)
    node.server.faults.reset(times=1)
    assert logins.state(PHONE, plenty()) == PhoneState(PHONE)
    node.server.faults.reset(times=1)
    failure = failure_of(calls(logins)["log_in"])
    assert isinstance(failure, UcmUnavailable)
    assert (failure.detail, failure.sent) == ("reset", True)


def test_failures_of_a_query_that_say_that_there_is_none_are_answers(
    pair: tuple[CannedNode, CannedNode], client: Client
) -> None:
    node = pair[0]
    node.say(
        '<response><failure><error code="11"/></failure></response>',
        '<results><failure><errorMessage code="23"/></failure></results>',
    )
    logins = client(node.name)
    assert logins.state(PHONE, plenty()) == PhoneState(PHONE, known=False)
    assert logins.devices_of("ada", plenty()) == ()


@pytest.mark.parametrize("name", READS)
def test_other_refusals_of_a_query_stay_refusals(
    pair: tuple[CannedNode, CannedNode], client: Client, name: str
) -> None:
    pair[0].say('<response><failure><error code="4"/></failure></response>')
    failure = failure_of(calls(client(pair[0].name))[name])
    assert isinstance(failure, UcmRefused)
    assert failure.kind == "policy"


def test_nobody_is_asked_about_names_that_cannot_be_written(
    pair: tuple[CannedNode, CannedNode], client: Client
) -> None:
    with pytest.raises(UcmRefused):
        client(pair[0].name).log_in(PHONE, "ada\x00", "", 0.0, plenty())
    assert pair[0].heard == []


def test_no_log_line_holds_a_document(
    pair: tuple[CannedNode, CannedNode], client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    pair[0].say(Canned(SUCCESS.encode()), HTML)
    pair[1].say(Canned(b"no", 500))
    logins = client(pair[0].name, pair[1].name)
    with caplog.at_level(logging.DEBUG):
        logins.log_in(PHONE, "ada", "ada-ward", 0.0, plenty())
        failure_of(lambda: logins.state(PHONE, plenty()))
    for secret in (PASSWORD, "appInfo", "ada-ward"):
        assert secret not in caplog.text


# -- the simulated UCM -------------------------------------------------------------------------------------------------


@pytest.fixture
def ucm(authority: CertificateAuthority, clock: VirtualClock) -> Iterator[UcmSimulator]:
    """Two nodes; ada, with two profiles, and grace; two phones, and one that nobody may log in on."""
    with UcmSimulator(authority.issue(), nodes=2, clock=clock, authority=authority) as simulator:
        simulator.add_application_user("casduo", PASSWORD, roles={"em"})
        simulator.add_user("ada", pin="1815", profiles=["ada-ward", "ada-office"], default_profile="ada-ward")
        simulator.add_user("grace@example.edu", pin="1906", profiles=["grace"], default_profile="grace")
        simulator.add_phone(PHONE)
        simulator.add_phone(OTHER_PHONE)
        simulator.add_phone("SEP0000000000FF", enabled=False)
        yield simulator


@pytest.fixture
def logins(ucm: UcmSimulator, client: Client) -> EmApiLogins:
    return client(*ucm.servers)


def kind_of(call: Callable[[], object]) -> str:
    failure = failure_of(call)
    assert isinstance(failure, UcmRefused)
    return failure.kind


def test_it_is_what_the_flow_expects_of_a_back_end(logins: EmApiLogins) -> None:
    back_end: PhoneLogins = logins
    assert back_end.has_policy
    assert back_end.ends_logins


@pytest.mark.parametrize("dialect", ["current", "old"])
def test_somebody_logs_in_and_out(ucm: UcmSimulator, logins: EmApiLogins, dialect: Any) -> None:
    ucm.policy.em_dialect = dialect
    assert logins.state(PHONE, plenty()) == PhoneState(PHONE)
    assert logins.devices_of("grace@example.edu", plenty()) == ()
    logins.log_in(PHONE, "grace@example.edu", "grace", 0.0, plenty())
    assert logins.state(PHONE, plenty()) == PhoneState(PHONE, user="grace@example.edu")
    assert logins.devices_of("GRACE@example.edu", plenty()) == (PHONE,)
    logins.log_out(PHONE, plenty())
    assert logins.state(PHONE, plenty()) == PhoneState(PHONE)


def test_a_login_with_an_end_is_ended_by_ucm(ucm: UcmSimulator, logins: EmApiLogins, clock: VirtualClock) -> None:
    logins.log_in(PHONE, "ada", "ada-office", 90.0, plenty())
    login = ucm.login_of(PHONE)
    assert login is not None
    assert (login.profile, login.ends_at) == ("ada-office", START + 120.0)
    clock.advance(121.0)
    assert logins.state(PHONE, plenty()).user == ""


def test_a_login_without_an_end_stays(ucm: UcmSimulator, logins: EmApiLogins) -> None:
    logins.log_in(PHONE, "ada", "", 0.0, plenty())
    login = ucm.login_of(PHONE)
    assert login is not None
    assert (login.profile, login.ends_at) == ("ada-ward", None)


def test_what_ucm_does_not_know_is_told(logins: EmApiLogins) -> None:
    assert logins.state("SEP999999999999", plenty()) == PhoneState("SEP999999999999", known=False)
    assert logins.devices_of("nobody", plenty()) == ()
    assert kind_of(lambda: logins.log_in("SEP999999999999", "ada", "ada-ward", 0.0, plenty())) == "no_device"
    assert kind_of(lambda: logins.log_in(PHONE, "nobody", "ada-ward", 0.0, plenty())) == "no_user"
    assert kind_of(lambda: logins.log_in(PHONE, "ada", "nothing", 0.0, plenty())) == "no_profile"
    assert kind_of(lambda: logins.log_in("SEP0000000000FF", "ada", "ada-ward", 0.0, plenty())) == "not_enabled"


def test_ucms_rules_are_told(ucm: UcmSimulator, logins: EmApiLogins) -> None:
    assert kind_of(lambda: logins.log_out(PHONE, plenty())) == "nobody"
    logins.log_in(PHONE, "ada", "ada-ward", 0.0, plenty())
    assert kind_of(lambda: logins.log_in(PHONE, "grace@example.edu", "grace", 0.0, plenty())) == "occupied"
    assert kind_of(lambda: logins.log_in(OTHER_PHONE, "ada", "ada-ward", 0.0, plenty())) == "elsewhere"
    ucm.policy.max_concurrent = 0
    assert isinstance(failure_of(lambda: logins.log_out(PHONE, plenty())), UcmBusy)


@pytest.mark.parametrize(("username", "password"), [("casduo", "wrong"), ("nobody", PASSWORD), ("", "")])
def test_a_wrong_account_is_tried_at_one_node_only(
    ucm: UcmSimulator, client: Client, username: str, password: str
) -> None:
    failure = failure_of(calls(client(*ucm.servers, username=username, password=password))["state"])
    assert isinstance(failure, UcmMisconfigured)
    assert (ucm.calls("deviceUserQuery", 0), ucm.calls("deviceUserQuery", 1)) == (1, 0)


def test_an_account_without_the_right_is_told(ucm: UcmSimulator, client: Client) -> None:
    ucm.add_application_user("reader", PASSWORD, roles={"axl-read"})
    failure = failure_of(calls(client(*ucm.servers, username="reader"))["log_in"])
    assert isinstance(failure, UcmMisconfigured)
    assert failure.detail == "em 10"


@pytest.mark.parametrize("kind", ["unavailable", "unavailable_empty", "html", "empty", "not_found"])
def test_a_first_node_in_trouble_costs_reads_nothing(ucm: UcmSimulator, logins: EmApiLogins, kind: Any) -> None:
    ucm.nodes[0].faults.answer(kind)
    assert logins.state(PHONE, plenty()) == PhoneState(PHONE)
    assert ucm.calls("deviceUserQuery", 1) == 1


def test_a_first_node_that_is_gone_costs_a_login_nothing(ucm: UcmSimulator, logins: EmApiLogins) -> None:
    ucm.nodes[0].stop_listening()
    logins.log_in(PHONE, "ada", "ada-ward", 0.0, plenty())
    assert (ucm.calls("login", 0), ucm.calls("login", 1)) == (0, 1)
    ucm.nodes[0].listen_again()
    logins.log_out(PHONE, plenty())
    assert ucm.calls("logout", 0) == 1


def test_a_first_node_with_a_wrong_certificate_costs_a_login_nothing(ucm: UcmSimulator, logins: EmApiLogins) -> None:
    ucm.nodes[0].show_certificate("wrong_name")
    logins.log_in(PHONE, "ada", "ada-ward", 0.0, plenty())
    assert (ucm.calls("login", 0), ucm.calls("login", 1)) == (0, 1)


def test_a_node_that_hung_a_moment_ago_is_not_given_the_login(ucm: UcmSimulator, logins: EmApiLogins) -> None:
    ucm.nodes[0].faults.spoil("hang")
    budget = Budget(2.0)
    assert logins.state(PHONE, budget) == PhoneState(PHONE)
    logins.log_in(PHONE, "ada", "ada-ward", 0.0, budget)
    assert (ucm.calls("login", 0), ucm.calls("login", 1)) == (0, 1)
    ucm.nodes[0].faults.clear()


@pytest.mark.parametrize("kind", ["lost", "cut_xml"])
def test_a_login_whose_answer_is_lost_happened_once(ucm: UcmSimulator, logins: EmApiLogins, kind: Any) -> None:
    ucm.nodes[0].faults.spoil(kind, "login", times=1)
    failure = failure_of(lambda: logins.log_in(PHONE, "ada", "ada-ward", 0.0, plenty()))
    assert isinstance(failure, UcmUnavailable)
    assert failure.sent
    assert ucm.calls("login") == 1
    assert logins.state(PHONE, plenty()).user == "ada"


def test_a_node_that_keeps_failing_is_left_alone_for_a_while(
    ucm: UcmSimulator, logins: EmApiLogins, clock: VirtualClock
) -> None:
    ucm.nodes[0].faults.answer("unavailable")
    for _ in range(8):
        logins.state(PHONE, plenty())
    assert (ucm.calls("deviceUserQuery", 0), ucm.calls("deviceUserQuery", 1)) == (5, 8)
    ucm.nodes[0].faults.clear()
    clock.advance(31.0)
    logins.state(PHONE, plenty())
    assert ucm.calls("deviceUserQuery", 0) == 6
    assert logins._nodes.nodes[0].breaker.state(clock()) is BreakerState.CLOSED


def test_with_no_node_left_people_hear_so(ucm: UcmSimulator, logins: EmApiLogins) -> None:
    for node in ucm.nodes:
        node.stop_listening()
    for call in calls(logins).values():
        failure = failure_of(call)
        assert isinstance(failure, UcmUnavailable)
        assert (failure.detail, failure.sent) == ("refused", False)
