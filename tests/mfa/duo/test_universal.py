"""The wrapper of duo_universal, against the simulated Duo."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from duo_universal import client as duo_universal

from casduo.mfa.duo.errors import (
    DuoBadToken,
    DuoFailure,
    DuoMisconfigured,
    DuoRateLimited,
    DuoStale,
    DuoUnavailable,
    DuoUntrusted,
)
from casduo.mfa.duo.gateway import Verdict, new_token
from casduo.mfa.duo.universal import UniversalClient
from casduo.outbound.http import HttpAnswer, HttpClient, HttpSettings
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.faults import ANSWER_KINDS, ID_TOKEN_FAULTS
from casduo.simulators.duo.model import Application, Script

pytestmark = pytest.mark.filterwarnings("ignore:The HMAC key is")

HEALTH, TOKEN = "/oauth/v1/health_check", "/oauth/v1/token"
REDIRECT_URI = "https://sso.example.edu/cas/duo/callback"
STATE, NONCE = new_token(), new_token()


@pytest.fixture
def universal(duo: DuoSimulator, application: Application, http: HttpClient) -> UniversalClient:
    return UniversalClient(application.integration_key, application.secret_key, duo.api_host, REDIRECT_URI, http)


@pytest.fixture
def impatient(duo: DuoSimulator, application: Application) -> Iterator[UniversalClient]:
    http = HttpClient("duo", HttpSettings(0.2, 0.05, 1.0, extra_ca_file=str(duo.ca_file)))
    yield UniversalClient(application.integration_key, application.secret_key, duo.api_host, REDIRECT_URI, http)
    http.close()


def callback(duo: DuoSimulator, universal: UniversalClient, username: str = "ada", nonce: str = NONCE) -> str:
    """Go through the prompt and return the code the browser brings back."""
    duo.phone(username).script("approve")
    back = duo.visit_prompt(universal.prompt_url(username, STATE, nonce))
    query = parse_qs(urlsplit(back).query)
    assert query["state"] == [STATE]
    return query["duo_code"][0]


def failure_of(call: Callable[[], object]) -> DuoFailure:
    with pytest.raises(DuoFailure) as caught:
        call()
    return caught.value


# -- health check ----------------------------------------------------------------------------------------------------


def test_a_healthy_duo_is_healthy(universal: UniversalClient, duo: DuoSimulator) -> None:
    universal.health_check()
    assert [record.status for record in duo.requests()] == [200]


def test_two_applications_do_not_get_in_each_others_way(
    universal: UniversalClient, impatient: UniversalClient, duo: DuoSimulator
) -> None:
    duo.transport.delay(0.3, path=HEALTH)
    assert failure_of(impatient.health_check).detail == "timeout"
    universal.health_check()


def test_a_stopped_duo_is_refused(universal: UniversalClient, duo: DuoSimulator) -> None:
    duo.stop_listening()
    failure = failure_of(universal.health_check)
    assert (type(failure), failure.detail, failure.may_fail_open) == (DuoUnavailable, "refused", True)


def test_a_silent_duo_is_a_timeout(impatient: UniversalClient, duo: DuoSimulator) -> None:
    duo.transport.stay_silent(HEALTH)
    failure = failure_of(impatient.health_check)
    assert (type(failure), failure.detail, failure.may_fail_open) == (DuoUnavailable, "timeout", True)


def test_a_duo_that_does_not_even_speak_tls_is_a_timeout(impatient: UniversalClient, duo: DuoSimulator) -> None:
    duo.transport.silent_connections = True
    assert failure_of(impatient.health_check).detail == "timeout"


@pytest.mark.parametrize(("after", "detail"), [(0, "reset"), (7, "unreadable"), (100, "unreadable")])
def test_an_answer_cut_off_is_an_outage(universal: UniversalClient, duo: DuoSimulator, after: int, detail: str) -> None:
    duo.transport.cut(HEALTH, after=after)
    failure = failure_of(universal.health_check)
    assert (type(failure), failure.detail, failure.may_fail_open) == (DuoUnavailable, detail, True)


def test_a_connection_that_duo_closed_meanwhile_does_not_look_like_an_outage_or_a_wrong_key(
    universal: UniversalClient, duo: DuoSimulator
) -> None:
    # The simulator takes the assertion and hangs up; it refuses to see the same one again.
    duo.transport.cut(HEALTH, times=1)
    universal.health_check()
    assert duo.requests.count(HEALTH) == 2


ANSWERS: dict[str, tuple[type[DuoFailure], str, bool] | None] = {
    "server_error_json": (DuoUnavailable, "server_error", True),
    "server_error_stat_ok": (DuoUnavailable, "server_error", True),
    "unavailable_json": (DuoUnavailable, "server_error", True),
    "bad_gateway_html": (DuoUnavailable, "server_error", True),
    "bad_gateway_latin1": (DuoUnavailable, "server_error", True),
    "html": (DuoUnavailable, "unreadable", True),
    "no_stat": (DuoUnavailable, "unreadable", True),
    "fail_with_200": (DuoMisconfigured, "request", False),
    "json_list": (DuoUnavailable, "unreadable", True),
    # The library looks at nothing but "stat"; these say OK.
    "response_null": None,
    "response_string": None,
    "response_list": None,
    "redirect": (DuoUnavailable, "unreadable", True),
}


@pytest.mark.parametrize("kind", ANSWER_KINDS)
def test_odd_answers_to_the_health_check(universal: UniversalClient, duo: DuoSimulator, kind: Any) -> None:
    duo.faults.answer(HEALTH, kind)
    if ANSWERS[kind] is None:
        universal.health_check()
        return
    failure = failure_of(universal.health_check)
    assert (type(failure), failure.detail, failure.may_fail_open) == ANSWERS[kind]


def test_a_redirect_is_not_followed(universal: UniversalClient, duo: DuoSimulator) -> None:
    duo.faults.answer(HEALTH, "redirect")
    failure_of(universal.health_check)
    assert len(duo.requests) == 1


def test_a_rate_limit_is_asked_once_and_never_opens(universal: UniversalClient, duo: DuoSimulator) -> None:
    duo.faults.rate_limit(HEALTH)
    failure = failure_of(universal.health_check)
    assert (type(failure), failure.may_fail_open) == (DuoRateLimited, False)
    assert len(duo.requests) == 1


def test_a_breakdown_is_an_outage(universal: UniversalClient, duo: DuoSimulator) -> None:
    duo.faults.break_down(HEALTH)
    assert facts(failure_of(universal.health_check)) == (DuoUnavailable, "server_error", True)


def facts(failure: DuoFailure) -> tuple[type[DuoFailure], str, bool]:
    return type(failure), failure.detail, failure.may_fail_open


def test_a_rotated_secret_is_misconfigured(
    universal: UniversalClient, duo: DuoSimulator, application: Application
) -> None:
    duo.rotate_secret(application.integration_key)
    assert facts(failure_of(universal.health_check)) == (DuoMisconfigured, "keys", False)


def test_a_removed_application_is_misconfigured(
    universal: UniversalClient, duo: DuoSimulator, application: Application
) -> None:
    duo.remove_application(application.integration_key)
    assert facts(failure_of(universal.health_check)) == (DuoMisconfigured, "keys", False)


def test_an_application_of_another_type_is_misconfigured(
    universal: UniversalClient, duo: DuoSimulator, application: Application
) -> None:
    duo.change_type(application.integration_key, "authapi")
    assert facts(failure_of(universal.health_check)) == (DuoMisconfigured, "keys", False)


def test_a_clock_too_far_off_is_refused_like_wrong_keys(universal: UniversalClient, duo: DuoSimulator) -> None:
    duo.faults.clock_offset = 400.0
    assert facts(failure_of(universal.health_check)) == (DuoMisconfigured, "keys", False)


@pytest.mark.parametrize("wrong", ["authority", "name", "expired"])
def test_a_strange_certificate_never_opens(
    universal: UniversalClient,
    duo: DuoSimulator,
    authority: CertificateAuthority,
    stranger: CertificateAuthority,
    wrong: str,
) -> None:
    leaves = {
        "authority": stranger.issue,
        "name": lambda: authority.issue(["duo.example"], localhost=False),
        "expired": lambda: authority.issue(expired=True),
    }
    duo.use_certificate(leaves[wrong]())
    assert facts(failure_of(universal.health_check)) == (DuoUntrusted, "certificate", False)
    assert len(duo.requests) == 0


# -- prompt ----------------------------------------------------------------------------------------------------------


def test_the_prompts_address_is_made_without_asking_anybody(universal: UniversalClient, duo: DuoSimulator) -> None:
    url = urlsplit(universal.prompt_url("ada", STATE, NONCE))
    assert (url.scheme, url.netloc, url.path) == ("https", duo.api_host, "/oauth/v1/authorize")
    assert parse_qs(url.query)["nonce"] == [NONCE]
    assert len(duo.requests) == 0


@pytest.mark.parametrize(
    ("username", "state", "nonce"),
    [("", STATE, NONCE), ("ada", "short", NONCE), ("ada", STATE, "n" * 16)],
    ids=["no username", "short state", "short nonce"],
)
def test_arguments_outside_duos_bounds_are_refused(
    universal: UniversalClient, username: str, state: str, nonce: str
) -> None:
    assert facts(failure_of(lambda: universal.prompt_url(username, state, nonce))) == (
        DuoMisconfigured,
        "request",
        False,
    )


# -- exchange --------------------------------------------------------------------------------------------------------


def test_an_approved_push_allows(universal: UniversalClient, duo: DuoSimulator) -> None:
    verdict = universal.exchange(callback(duo, universal), "ada", NONCE)
    assert verdict == Verdict(True, "allow", "Login Successful", "duo_push", verdict.txid, "user_approved")
    assert verdict.txid


class NotingClient(HttpClient):
    """Keeps the addresses it was sent to."""

    def __init__(self, settings: HttpSettings) -> None:
        super().__init__("duo", settings)
        self.urls: list[str] = []

    def request(self, method: str, url: str, **options: Any) -> HttpAnswer:
        self.urls.append(url)
        return super().request(method, url, **options)


def test_code_and_assertion_stay_out_of_the_url(duo: DuoSimulator, application: Application) -> None:
    http = NotingClient(HttpSettings(5.0, 5.0, 10.0, extra_ca_file=str(duo.ca_file)))
    universal = UniversalClient(application.integration_key, application.secret_key, duo.api_host, REDIRECT_URI, http)
    assert universal.exchange(callback(duo, universal), "ada", NONCE).allowed
    assert http.urls == [f"{duo.base_url}{TOKEN}"]
    http.close()


def test_a_code_works_once(universal: UniversalClient, duo: DuoSimulator) -> None:
    code = callback(duo, universal)
    universal.exchange(code, "ada", NONCE)
    assert facts(failure_of(lambda: universal.exchange(code, "ada", NONCE))) == (DuoStale, "code_refused", False)


@pytest.mark.parametrize(
    ("code", "detail"),
    [("", "code_missing"), ("made up", "code_refused"), ("x" * 2000, "code_refused"), ("ö", "code_refused")],
)
def test_what_is_no_code_starts_the_prompt_again(universal: UniversalClient, code: str, detail: str) -> None:
    assert facts(failure_of(lambda: universal.exchange(code, "ada", NONCE))) == (DuoStale, detail, False)


def test_a_code_for_another_redirect_uri_starts_the_prompt_again(
    universal: UniversalClient, duo: DuoSimulator, application: Application, http: HttpClient
) -> None:
    elsewhere = "https://elsewhere.example.edu/callback"
    other = UniversalClient(application.integration_key, application.secret_key, duo.api_host, elsewhere, http)
    code = callback(duo, universal)
    assert facts(failure_of(lambda: other.exchange(code, "ada", NONCE))) == (DuoStale, "code_refused", False)


def test_a_code_for_another_person_is_refused(universal: UniversalClient, duo: DuoSimulator) -> None:
    code = callback(duo, universal)
    assert facts(failure_of(lambda: universal.exchange(code, "linus", NONCE))) == (DuoBadToken, "username", False)


def test_a_code_of_another_login_is_refused(universal: UniversalClient, duo: DuoSimulator) -> None:
    code = callback(duo, universal)
    assert facts(failure_of(lambda: universal.exchange(code, "ada", new_token()))) == (DuoBadToken, "nonce", False)


def test_without_a_nonce_nobody_is_asked(universal: UniversalClient, duo: DuoSimulator) -> None:
    code = callback(duo, universal)
    duo.requests.clear()
    assert facts(failure_of(lambda: universal.exchange(code, "ada", ""))) == (DuoBadToken, "nonce", False)
    assert len(duo.requests) == 0


ID_TOKENS: dict[str, tuple[type[DuoFailure], str] | Verdict | bool] = {
    "wrong_signature": (DuoBadToken, "signature"),
    "wrong_algorithm": (DuoBadToken, "algorithm"),
    "wrong_issuer": (DuoBadToken, "issuer"),
    "wrong_audience": (DuoBadToken, "audience"),
    "audience_list": True,
    "expired": (DuoBadToken, "expired"),
    "issued_in_future": (DuoBadToken, "not_yet_valid"),
    "not_yet_valid": (DuoBadToken, "not_yet_valid"),
    "no_expiry": (DuoBadToken, "claims"),
    "no_issued_at": (DuoBadToken, "claims"),
    "no_username": (DuoBadToken, "username"),
    "other_user": (DuoBadToken, "username"),
    "other_case": (DuoBadToken, "username"),
    "no_nonce": (DuoBadToken, "nonce"),
    "other_nonce": (DuoBadToken, "nonce"),
    "result_deny": False,
    "no_auth_result": False,
    "subject_not_a_string": (DuoBadToken, "claims"),
    "jti_not_a_string": (DuoBadToken, "claims"),
    "no_id_token": (DuoUnavailable, "unreadable"),
}


@pytest.mark.parametrize("fault", ID_TOKEN_FAULTS)
def test_results_with_one_thing_wrong(universal: UniversalClient, duo: DuoSimulator, fault: Any) -> None:
    code = callback(duo, universal)
    duo.faults.id_token = fault
    expected = ID_TOKENS[fault]
    if isinstance(expected, bool):
        assert universal.exchange(code, "ada", NONCE).allowed is expected
        return
    failure = failure_of(lambda: universal.exchange(code, "ada", NONCE))
    assert (type(failure), failure.detail, failure.may_fail_open) == (*expected, False)


@pytest.mark.parametrize("kind", ANSWER_KINDS)
def test_odd_answers_to_the_exchange_never_allow_and_never_open(
    universal: UniversalClient, duo: DuoSimulator, kind: Any
) -> None:
    duo.faults.answer(TOKEN, kind)
    failure = failure_of(lambda: universal.exchange("4711", "ada", NONCE))
    assert failure.may_fail_open is False
    # None of these is a token answer, so here even "OK" and a FAIL under 200 are just unreadable.
    assert type(failure) is DuoUnavailable


@pytest.mark.parametrize("outage", ["stop", "silence", "cut", "certificate", "rate limit", "breakdown"])
def test_no_outage_of_the_exchange_opens(
    impatient: UniversalClient, duo: DuoSimulator, stranger: CertificateAuthority, outage: str
) -> None:
    code = callback(duo, impatient)
    expected: type[DuoFailure] = DuoUnavailable
    match outage:
        case "stop":
            duo.stop_listening()
        case "silence":
            duo.transport.stay_silent(TOKEN)
        case "cut":
            duo.transport.cut(TOKEN)
        case "certificate":
            duo.use_certificate(stranger.issue())
            duo.server.drop_connections()
            expected = DuoUntrusted
        case "rate limit":
            duo.faults.rate_limit(TOKEN)
            expected = DuoRateLimited
        case "breakdown":
            duo.faults.break_down(TOKEN)
    failure = failure_of(lambda: impatient.exchange(code, "ada", NONCE))
    assert (type(failure), failure.may_fail_open) == (expected, False)


def test_an_exchange_is_never_repeated(universal: UniversalClient, duo: DuoSimulator) -> None:
    duo.transport.cut(TOKEN)
    failure_of(lambda: universal.exchange("4711", "ada", NONCE))
    assert duo.requests.count(TOKEN) == 1


def test_a_secret_rotated_during_the_prompt_is_misconfigured(
    universal: UniversalClient, duo: DuoSimulator, application: Application
) -> None:
    code = callback(duo, universal)
    duo.rotate_secret(application.integration_key)
    assert facts(failure_of(lambda: universal.exchange(code, "ada", NONCE))) == (DuoMisconfigured, "keys", False)


def test_a_clock_that_passes_the_health_check_can_still_spoil_the_result(
    universal: UniversalClient, duo: DuoSimulator
) -> None:
    duo.faults.clock_offset = 120.0
    universal.health_check()
    code = callback(duo, universal)
    failure = failure_of(lambda: universal.exchange(code, "ada", NONCE))
    assert facts(failure) == (DuoBadToken, "not_yet_valid", False)
    assert "clock" in failure.message


def test_a_code_that_waited_too_long_starts_the_prompt_again(authority: CertificateAuthority, http: HttpClient) -> None:
    clock = VirtualClock()
    with DuoSimulator(authority.issue(), clock, wall_clock=time.time) as duo:
        duo.add_user("ada", script=Script("approve"))
        application = duo.add_application("websdk", redirect_uris=[REDIRECT_URI])
        universal = UniversalClient(
            application.integration_key, application.secret_key, duo.api_host, REDIRECT_URI, http
        )
        code = callback(duo, universal)
        clock.advance(61.0)
        assert facts(failure_of(lambda: universal.exchange(code, "ada", NONCE))) == (DuoStale, "code_refused", False)


# -- secrets ---------------------------------------------------------------------------------------------------------


def test_no_failure_quotes_a_code_an_assertion_or_a_secret(
    impatient: UniversalClient, duo: DuoSimulator, application: Application
) -> None:
    def refused() -> DuoFailure:
        return failure_of(lambda: impatient.exchange("c0de-c0de", "ada", NONCE))

    failures = [refused()]
    duo.transport.stay_silent(TOKEN, times=1)
    failures.append(refused())
    duo.stop_listening()
    failures += [refused(), failure_of(impatient.health_check)]
    for failure in failures:
        assert failure.__cause__ is None
        assert failure.__context__ is None
        shown = f"{failure} {failure!r} {failure.message} {vars(failure)}"
        assert all(secret not in shown for secret in ("c0de-c0de", "eyJ", application.secret_key, NONCE))


def test_the_client_shows_no_secret(universal: UniversalClient, application: Application) -> None:
    assert application.secret_key not in repr(universal)


# -- what the wrapper relies on in the library -----------------------------------------------------------------------


def test_the_library_still_looks_up_requests_by_a_name_of_its_module() -> None:
    assert not inspect.ismodule(duo_universal.requests)
    for method in (
        duo_universal.Client.health_check,
        duo_universal.Client.exchange_authorization_code_for_2fa_result,
    ):
        assert "requests.post(" in inspect.getsource(method)
    assert duo_universal.requests.exceptions is requests.exceptions


def test_a_client_that_somebody_else_made_gets_the_real_requests(duo: DuoSimulator, application: Application) -> None:
    foreign = duo_universal.Client(
        application.integration_key,
        application.secret_key,
        duo.api_host,
        REDIRECT_URI,
        duo_certs=str(duo.ca_file),
    )
    assert foreign.health_check()["stat"] == "OK"


def test_the_librarys_refusal_of_the_settings_is_misconfigured(http: HttpClient) -> None:
    assert facts(failure_of(lambda: UniversalClient("DI", "secret", "localhost", REDIRECT_URI, http))) == (
        DuoMisconfigured,
        "client",
        False,
    )
