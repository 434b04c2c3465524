"""The official Universal Prompt client, from health check to id_token, with a browser in between."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import duo_universal
import jwt
import pytest
import requests

from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.model import Application, Phone, Token
from casduo.simulators.duo.visit import PromptStayed
from tests.simulators.duo.conftest import NONCE, REDIRECT_URI, STATE, UniversalClientFactory

DuoException = duo_universal.DuoException


class Browser:
    """A browser without scripts that trusts the simulator and follows no redirect by itself."""

    def __init__(self, duo: DuoSimulator) -> None:
        self._base = duo.base_url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(duo.ca_file)
        self.page = requests.Response()
        self.path = ""

    def open(self, url: str) -> Browser:
        """Open a page of the simulator and follow redirects within it."""
        return self._arrive(self._session.get(self._absolute(url), allow_redirects=False, timeout=10))

    def submit(self, **fields: str) -> Browser:
        """Send a form of the page back to its own address."""
        answer = self._session.post(self._absolute(self.path), fields, allow_redirects=False, timeout=10)
        return self._arrive(answer)

    def reload(self) -> Browser:
        """Ask for the same page again."""
        return self.open(self.path)

    @property
    def away(self) -> str:
        """The address outside the simulator that the browser was sent to; empty while it stays."""
        location = self.page.headers.get("Location", "")
        return "" if location.startswith("/") else location

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the way back."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.away).query).items()}

    def close(self) -> None:
        self._session.close()

    def _absolute(self, url: str) -> str:
        return self._base + url if url.startswith("/") else url

    def _arrive(self, answer: requests.Response) -> Browser:
        self.page = answer
        location = answer.headers.get("Location", "")
        if location.startswith("/"):
            return self.open(location)
        self.path = urlsplit(answer.url).path
        return self


@pytest.fixture
def browser(duo: DuoSimulator) -> Iterator[Browser]:
    opened = Browser(duo)
    yield opened
    opened.close()


@pytest.fixture
def ada(duo: DuoSimulator) -> Phone:
    phone = Phone("Ada's iPhone", "+1 555 555 0100")
    duo.add_user("ada", devices=[phone])
    return phone


def error_of(caught: pytest.ExceptionInfo[Exception]) -> object:
    """Unwrap what duo_universal wraps."""
    argument: object = caught.value.args[0]
    while isinstance(argument, DuoException):
        argument = argument.args[0]
    return argument


class TestHealthCheck:
    def test_the_client_is_told_that_all_is_well(self, duo: DuoSimulator, universal: duo_universal.Client) -> None:
        assert universal.health_check()["stat"] == "OK"
        assert duo.requests("/oauth/v1/health_check")[0].parameters["client_assertion"] == "[hidden]"

    def test_an_assertion_is_for_one_use(
        self, duo: DuoSimulator, universal: duo_universal.Client, websdk: Application
    ) -> None:
        claims = universal._create_jwt_args(f"{duo.base_url}/oauth/v1/health_check")
        form = {
            "client_id": websdk.integration_key,
            "client_assertion": jwt.encode(claims, websdk.secret_key, algorithm="HS512"),
        }
        url = f"{duo.base_url}/oauth/v1/health_check"
        answers = [requests.post(url, form, verify=str(duo.ca_file), timeout=10) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 400]

    @pytest.mark.parametrize("change", ["rotate", "remove", "type", "offset"])
    def test_what_is_wrong_with_the_keys_is_one_and_the_same_error(
        self, duo: DuoSimulator, universal: duo_universal.Client, websdk: Application, change: str
    ) -> None:
        key = websdk.integration_key
        if change == "rotate":
            duo.rotate_secret(key)
        elif change == "remove":
            duo.remove_application(key)
        elif change == "type":
            duo.change_type(key, "authapi")
        else:
            duo.faults.clock_offset = 361.0
        with pytest.raises(DuoException) as caught:
            universal.health_check()
        answer = error_of(caught)
        assert isinstance(answer, dict)
        assert {name: answer[name] for name in ("stat", "code", "message", "message_detail")} == {
            "stat": "FAIL",
            "code": 40002,
            "message": "invalid_client",
            "message_detail": "The provided client_assertion was invalid.",
        }

    def test_a_wrong_method(self, duo: DuoSimulator) -> None:
        answer = requests.get(f"{duo.base_url}/oauth/v1/health_check", verify=str(duo.ca_file), timeout=10)
        assert (answer.status_code, answer.json()["code"]) == (405, 40501)


class TestAuthorize:
    def test_a_push_is_sent_and_the_browser_waits(
        self, duo: DuoSimulator, universal: duo_universal.Client, browser: Browser, ada: Phone
    ) -> None:
        browser.open(universal.create_auth_url("ada", STATE, NONCE))
        assert "Sent a push to Ada&#39;s iPhone (XXX-XXX-0100); waiting for your approval." in browser.page.text
        details = duo.pending("ada")[0].details
        assert (details.application, details.address) == ("Library portal", "127.0.0.1")
        browser.reload()
        assert len(duo.pending("ada")) == 1

    def test_after_the_approval_the_browser_goes_back_with_a_code(
        self, duo: DuoSimulator, universal: duo_universal.Client, browser: Browser, ada: Phone
    ) -> None:
        browser.open(universal.create_auth_url("ada", STATE, NONCE))
        duo.phone("ada").approve()
        browser.reload()
        assert browser.away.startswith(f"{REDIRECT_URI}&")
        assert set(browser.query) == {"client", "state", "duo_code"}
        assert browser.query["state"] == STATE

    def test_the_code_has_another_name_for_clients_that_ask_so(
        self, duo: DuoSimulator, universal_client: UniversalClientFactory, websdk: Application, ada: Phone
    ) -> None:
        client = universal_client(websdk, use_duo_code_attribute=False)
        assert "&code=" in duo.visit_prompt(client.create_auth_url("ada", STATE, NONCE))

    @pytest.mark.parametrize(("reply", "message"), [("deny", "Login request denied."), ("fraud", "reported as fraud")])
    def test_somebody_who_refuses_stays_and_may_try_again(
        self,
        duo: DuoSimulator,
        universal: duo_universal.Client,
        browser: Browser,
        ada: Phone,
        reply: str,
        message: str,
    ) -> None:
        browser.open(universal.create_auth_url("ada", STATE, NONCE))
        phone = duo.phone("ada")
        phone.deny() if reply == "deny" else phone.report_fraud()
        browser.reload()
        assert message in browser.page.text
        assert "Try again" in browser.page.text
        browser.submit(action="push")
        assert "waiting for your approval" in browser.page.text
        duo.phone("ada").approve()
        assert "duo_code" in browser.reload().query

    def test_a_push_runs_out(
        self, duo: DuoSimulator, universal: duo_universal.Client, browser: Browser, ada: Phone, clock: VirtualClock
    ) -> None:
        browser.open(universal.create_auth_url("ada", STATE, NONCE))
        clock.advance(60.0)
        assert "Login timed out." in browser.reload().page.text

    def test_a_passcode_will_do(
        self, duo: DuoSimulator, universal: duo_universal.Client, browser: Browser, ada: Phone
    ) -> None:
        browser.open(universal.create_auth_url("ada", STATE, NONCE))
        browser.submit(action="passcode", passcode="000000000")
        assert "Incorrect passcode. Please try again." in browser.page.text
        browser.submit(action="passcode", passcode=duo.phone("ada").passcode())
        token = universal.exchange_authorization_code_for_2fa_result(browser.query["duo_code"], "ada", NONCE)
        assert token["auth_context"]["factor"] == "duo_mobile_passcode"
        assert token["auth_context"]["reason"] == "valid_passcode"

    def test_passcodes_come_by_message(
        self, duo: DuoSimulator, universal: duo_universal.Client, browser: Browser, ada: Phone
    ) -> None:
        browser.open(universal.create_auth_url("ada", STATE, NONCE))
        browser.submit(action="sms")
        assert "New SMS passcodes sent." in browser.page.text
        browser.submit(action="passcode", passcode=duo.phone("ada").messages()[0])
        assert "duo_code" in browser.query

    def test_a_call_will_do(
        self, duo: DuoSimulator, universal: duo_universal.Client, browser: Browser, ada: Phone
    ) -> None:
        duo.auto_push = False
        browser.open(universal.create_auth_url("ada", STATE, NONCE))
        assert duo.pending() == []
        browser.submit(action="phone")
        assert "Calling Ada&#39;s iPhone" in browser.page.text
        duo.phone("ada").approve()
        token = universal.exchange_authorization_code_for_2fa_result(browser.reload().query["duo_code"], "ada", NONCE)
        assert token["auth_context"]["factor"] == "phone_call"

    def test_a_hardware_token_gets_a_field_and_no_push(
        self, duo: DuoSimulator, universal: duo_universal.Client, browser: Browser
    ) -> None:
        duo.add_user("grace", devices=[Token()])
        browser.open(universal.create_auth_url("grace", STATE, NONCE))
        assert "Passcode" in browser.page.text
        assert "Send a push" not in browser.page.text
        assert duo.pending() == []

    def test_a_verified_push_shows_its_code(
        self, duo: DuoSimulator, universal_client: UniversalClientFactory, browser: Browser, ada: Phone
    ) -> None:
        careful = duo.add_application("websdk", "Careful", verified_push=True)
        browser.open(universal_client(careful).create_auth_url("ada", STATE, NONCE))
        assert duo.pending("ada")[0].verification_code in browser.page.text

    def test_the_prompt_is_left_once(
        self, duo: DuoSimulator, universal: duo_universal.Client, browser: Browser, ada: Phone
    ) -> None:
        duo.phone("ada").script("approve")
        browser.open(universal.create_auth_url("ada", STATE, NONCE))
        assert "duo_code" in browser.query
        assert "This login is finished." in browser.reload().page.text

    def test_a_prompt_runs_out(
        self, universal: duo_universal.Client, browser: Browser, ada: Phone, clock: VirtualClock
    ) -> None:
        browser.open(universal.create_auth_url("ada", STATE, NONCE))
        clock.advance(900.0)
        assert browser.reload().page.status_code == 404
        assert browser.open("/frame/prompt/unheard-of/version").page.text == "gone"

    def test_it_may_not_be_framed_and_runs_no_foreign_script(
        self, universal: duo_universal.Client, browser: Browser, ada: Phone
    ) -> None:
        browser.open(universal.create_auth_url("ada", STATE, NONCE))
        policy = browser.page.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy

    def test_a_form_from_another_site_is_refused(
        self, duo: DuoSimulator, universal: duo_universal.Client, browser: Browser, ada: Phone
    ) -> None:
        browser.open(universal.create_auth_url("ada", STATE, NONCE))
        for header in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
            answer = requests.post(
                duo.base_url + browser.path,
                {"action": "passcode"},
                headers=header,
                verify=str(duo.ca_file),
                timeout=10,
            )
            assert answer.status_code == 403

    def test_the_page_notices_that_something_happened(
        self, duo: DuoSimulator, universal: duo_universal.Client, browser: Browser, ada: Phone
    ) -> None:
        browser.open(universal.create_auth_url("ada", STATE, NONCE))
        watched = f"{browser.path}/version"
        shown = browser.page.text.partition('data-version="')[2].partition('"')[0]
        assert Browser(duo).open(watched).page.text == shown
        duo.phone("ada").deny()
        assert Browser(duo).open(watched).page.text != shown


class TestPolicies:
    @pytest.mark.parametrize(
        ("status", "text"), [("disabled", "Your account is disabled"), ("locked out", "Your account is locked out")]
    )
    def test_somebody_who_may_not_stays(
        self, duo: DuoSimulator, universal: duo_universal.Client, browser: Browser, status: str, text: str
    ) -> None:
        duo.add_user("ada", status)  # type: ignore[arg-type]
        browser.open(universal.create_auth_url("ada", STATE, NONCE))
        assert text in browser.page.text
        assert browser.away == ""

    def test_somebody_in_bypass_goes_back_at_once(
        self, duo: DuoSimulator, universal: duo_universal.Client, browser: Browser
    ) -> None:
        duo.add_user("ada", "bypass")
        browser.open(universal.create_auth_url("ada", STATE, NONCE))
        token = universal.exchange_authorization_code_for_2fa_result(browser.query["duo_code"], "ada", NONCE)
        assert token["auth_result"]["status"] == "bypass"
        assert token["auth_context"]["reason"] == "bypass_user"

    def test_unknown_people_are_let_in_where_policy_says_so(
        self, duo: DuoSimulator, universal: duo_universal.Client, browser: Browser
    ) -> None:
        duo.new_user_policy = "allow"
        browser.open(universal.create_auth_url("grace", STATE, NONCE))
        token = universal.exchange_authorization_code_for_2fa_result(browser.query["duo_code"], "grace", NONCE)
        assert token["auth_context"]["reason"] == "allow_unenrolled_user"

    def test_unknown_people_are_kept_out_where_policy_says_so(
        self, duo: DuoSimulator, universal: duo_universal.Client, browser: Browser
    ) -> None:
        duo.new_user_policy = "deny"
        browser.open(universal.create_auth_url("grace", STATE, NONCE))
        assert "not enrolled" in browser.page.text

    def test_unknown_people_enrol_within_the_prompt(
        self, duo: DuoSimulator, universal: duo_universal.Client, browser: Browser
    ) -> None:
        browser.open(universal.create_auth_url("Grace", STATE, NONCE))
        assert "Set up a device" in browser.page.text
        assert duo.users() == []
        browser.submit(action="enroll")
        code = browser.page.text.partition('href="/activate/')[2].partition('"')[0]
        assert code
        assert "/frame/qr?value=duo" in browser.page.text
        browser.submit(action="enroll")
        assert code in browser.page.text
        assert duo.activate(code)
        browser.reload()
        assert "waiting for your approval" in browser.page.text
        duo.phone("grace").approve()
        assert "duo_code" in browser.reload().query

    def test_nothing_can_be_confirmed_where_policy_decides(
        self, duo: DuoSimulator, universal: duo_universal.Client, browser: Browser
    ) -> None:
        duo.add_user("ada", "disabled", bypass_codes=["123456789"])
        browser.open(universal.create_auth_url("ada", STATE, NONCE))
        for fields in ({"action": "push"}, {"action": "sms"}, {"action": "passcode", "passcode": "123456789"}):
            assert browser.submit(**fields).away == ""
        browser.submit(action="enroll")
        assert browser.away == ""


class TestRequestsThatAreRefused:
    def ask(self, duo: DuoSimulator, parameters: dict[str, str]) -> requests.Response:
        url = f"{duo.base_url}/oauth/v1/authorize?{urlencode(parameters)}"
        return requests.get(url, verify=str(duo.ca_file), allow_redirects=False, timeout=10)

    def parameters(self, client: duo_universal.Client) -> dict[str, str]:
        query = parse_qs(urlsplit(client.create_auth_url("ada", STATE, NONCE)).query)
        return {name: values[0] for name, values in query.items()}

    def test_the_browser_is_sent_nowhere_that_is_not_on_the_list(
        self, duo: DuoSimulator, universal_client: UniversalClientFactory, websdk: Application
    ) -> None:
        client = universal_client(websdk, redirect_uri="https://elsewhere.example/")
        answer = self.ask(duo, self.parameters(client))
        assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_request")

    def test_an_application_without_a_list_says_itself_where(
        self, duo: DuoSimulator, universal_client: UniversalClientFactory, ada: Phone
    ) -> None:
        free = duo.add_application("websdk", "Free")
        client = universal_client(free, redirect_uri="https://elsewhere.example/")
        assert duo.visit_prompt(client.create_auth_url("ada", STATE)).startswith("https://elsewhere.example/?state=")

    def test_a_wrong_secret(self, duo: DuoSimulator, universal: duo_universal.Client, websdk: Application) -> None:
        duo.rotate_secret(websdk.integration_key)
        answer = self.ask(duo, self.parameters(universal))
        assert answer.json() == {
            "error": "invalid_client",
            "error_description": "The provided client_assertion was invalid.",
        }

    def test_an_application_of_another_type(
        self, duo: DuoSimulator, universal_client: UniversalClientFactory, authapi: Application
    ) -> None:
        assert self.ask(duo, self.parameters(universal_client(authapi))).status_code == 400

    def test_a_request_that_ran_out(self, duo: DuoSimulator, universal: duo_universal.Client) -> None:
        parameters = self.parameters(universal)
        duo.faults.clock_offset = 361.0
        assert self.ask(duo, parameters).status_code == 400

    def test_nothing_at_all(self, duo: DuoSimulator) -> None:
        assert self.ask(duo, {}).json()["error"] == "invalid_client"


class TestExchange:
    @pytest.fixture
    def code(self, duo: DuoSimulator, universal: duo_universal.Client, ada: Phone) -> str:
        callback = duo.visit_prompt(universal.create_auth_url("ada", STATE, NONCE))
        return parse_qs(urlsplit(callback).query)["duo_code"][0]

    def test_the_token_says_who_and_how(
        self, duo: DuoSimulator, universal: duo_universal.Client, websdk: Application, code: str
    ) -> None:
        token = universal.exchange_authorization_code_for_2fa_result(code, "ada", NONCE)
        assert token["iss"] == f"{duo.base_url}/oauth/v1/token"
        assert (token["aud"], token["sub"], token["nonce"]) == (websdk.integration_key, "ada", NONCE)
        assert token["auth_result"] == {"result": "allow", "status": "allow", "status_msg": "Login Successful"}
        context = token["auth_context"]
        assert (context["factor"], context["reason"], context["result"]) == ("duo_push", "user_approved", "success")
        assert context["user"] == {"key": duo.user("ada").id, "name": "ada", "groups": []}
        assert context["application"] == {"key": websdk.integration_key, "name": "Library portal"}
        assert context["auth_device"]["name"] == "Ada's iPhone (XXX-XXX-0100)"

    def test_no_secret_is_in_the_log(self, duo: DuoSimulator, universal: duo_universal.Client, code: str) -> None:
        universal.exchange_authorization_code_for_2fa_result(code, "ada", NONCE)
        record = duo.requests("/oauth/v1/token")[0]
        assert record.status == 200
        assert record.parameters["code"] == record.parameters["client_assertion"] == "[hidden]"

    def test_a_code_is_for_one_use(self, universal: duo_universal.Client, code: str) -> None:
        universal.exchange_authorization_code_for_2fa_result(code, "ada", NONCE)
        with pytest.raises(DuoException) as caught:
            universal.exchange_authorization_code_for_2fa_result(code, "ada", NONCE)
        answer = error_of(caught)
        assert isinstance(answer, dict)
        assert answer["error"] == "invalid_grant"

    @pytest.mark.parametrize(("seconds", "works"), [(59.0, True), (60.0, False)])
    def test_a_code_lasts_a_minute(
        self, universal: duo_universal.Client, code: str, clock: VirtualClock, seconds: float, works: bool
    ) -> None:
        clock.advance(seconds)
        if works:
            assert universal.exchange_authorization_code_for_2fa_result(code, "ada", NONCE)["sub"] == "ada"
        else:
            with pytest.raises(DuoException, match="invalid_grant"):
                universal.exchange_authorization_code_for_2fa_result(code, "ada", NONCE)

    def test_a_code_is_bound_to_its_redirect_uri(
        self, universal_client: UniversalClientFactory, websdk: Application, code: str
    ) -> None:
        other = universal_client(websdk, redirect_uri="https://cas.casduo.test/other")
        with pytest.raises(DuoException, match="invalid_grant"):
            other.exchange_authorization_code_for_2fa_result(code, "ada", NONCE)

    def test_a_code_is_bound_to_its_application(
        self, duo: DuoSimulator, universal_client: UniversalClientFactory, universal: duo_universal.Client, code: str
    ) -> None:
        other = universal_client(duo.add_application("websdk", "Other", redirect_uris=[REDIRECT_URI]))
        with pytest.raises(DuoException, match="invalid_grant"):
            other.exchange_authorization_code_for_2fa_result(code, "ada", NONCE)
        with pytest.raises(DuoException, match="invalid_grant"):
            universal.exchange_authorization_code_for_2fa_result(code, "ada", NONCE)

    def test_a_wrong_secret(
        self, duo: DuoSimulator, universal: duo_universal.Client, websdk: Application, code: str
    ) -> None:
        duo.rotate_secret(websdk.integration_key)
        with pytest.raises(DuoException, match="invalid_client"):
            universal.exchange_authorization_code_for_2fa_result(code, "ada", NONCE)

    def test_parameters_may_be_in_the_body(
        self, duo: DuoSimulator, universal: duo_universal.Client, websdk: Application, code: str
    ) -> None:
        url = f"{duo.base_url}/oauth/v1/token"
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "client_id": websdk.integration_key,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jwt.encode(universal._create_jwt_args(url), websdk.secret_key, algorithm="HS512"),
        }
        answer = requests.post(url, form, verify=str(duo.ca_file), timeout=10)
        assert answer.json()["token_type"] == "Bearer"
        wrong_grant = requests.post(url, {**form, "grant_type": "password"}, verify=str(duo.ca_file), timeout=10)
        assert wrong_grant.json()["error"] == "unsupported_grant_type"
        wrong_type = requests.post(
            url, {**form, "client_assertion_type": "password"}, verify=str(duo.ca_file), timeout=10
        )
        assert wrong_type.json()["error"] == "invalid_client"

    def test_a_user_name_is_returned_as_duo_knows_it(
        self, duo: DuoSimulator, universal: duo_universal.Client, ada: Phone
    ) -> None:
        callback = duo.visit_prompt(universal.create_auth_url("ADA", STATE, NONCE))
        code = parse_qs(urlsplit(callback).query)["duo_code"][0]
        with pytest.raises(DuoException, match="The username is invalid"):
            universal.exchange_authorization_code_for_2fa_result(code, "ADA", NONCE)

    def test_without_a_nonce_the_token_has_none(
        self, duo: DuoSimulator, universal: duo_universal.Client, ada: Phone
    ) -> None:
        callback = duo.visit_prompt(universal.create_auth_url("ada", STATE))
        code = parse_qs(urlsplit(callback).query)["duo_code"][0]
        assert "nonce" not in universal.exchange_authorization_code_for_2fa_result(code, "ada")


class TestTokenFaults:
    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            ("wrong_signature", jwt.InvalidSignatureError),
            ("wrong_algorithm", jwt.InvalidAlgorithmError),
            ("wrong_issuer", jwt.InvalidIssuerError),
            ("wrong_audience", jwt.InvalidAudienceError),
            ("expired", jwt.ExpiredSignatureError),
            ("issued_in_future", jwt.ImmatureSignatureError),
            ("not_yet_valid", jwt.ImmatureSignatureError),
            ("no_expiry", jwt.MissingRequiredClaimError),
            ("no_issued_at", jwt.MissingRequiredClaimError),
            ("subject_not_a_string", jwt.exceptions.InvalidSubjectError),
            ("jti_not_a_string", jwt.exceptions.InvalidJTIError),
            ("no_username", "The username is invalid."),
            ("other_user", "The username is invalid."),
            ("other_case", "The username is invalid."),
            ("no_nonce", "The nonce is invalid."),
            ("other_nonce", "The nonce is invalid."),
            ("no_id_token", KeyError),
        ],
    )
    def test_the_client_notices(
        self, duo: DuoSimulator, universal: duo_universal.Client, ada: Phone, fault: str, error: object
    ) -> None:
        duo.faults.id_token = fault  # type: ignore[assignment]
        with pytest.raises(DuoException) as caught:
            self._log_in(duo, universal)
        found = error_of(caught)
        assert found == error if isinstance(error, str) else type(found) is error

    @pytest.mark.parametrize("fault", ["result_deny", "no_auth_result", "audience_list"])
    def test_the_client_does_not_notice(
        self, duo: DuoSimulator, universal: duo_universal.Client, ada: Phone, fault: str
    ) -> None:
        duo.faults.id_token = fault  # type: ignore[assignment]
        token = self._log_in(duo, universal)
        result = token.get("auth_result")
        assert fault == "audience_list" or result is None or result["result"] == "deny"

    @pytest.mark.parametrize(("offset", "error"), [(120.0, jwt.ImmatureSignatureError), (-361.0, None)])
    def test_a_clock_between_one_minute_and_five_fails_after_the_prompt_only(
        self, duo: DuoSimulator, universal: duo_universal.Client, ada: Phone, offset: float, error: object
    ) -> None:
        duo.faults.clock_offset = offset
        if error is None:
            with pytest.raises(DuoException):
                universal.health_check()
            return
        universal.health_check()
        with pytest.raises(DuoException) as caught:
            self._log_in(duo, universal)
        assert type(error_of(caught)) is error

    @staticmethod
    def _log_in(duo: DuoSimulator, client: duo_universal.Client) -> dict[str, dict[str, str]]:
        callback = duo.visit_prompt(client.create_auth_url("ada", STATE, NONCE))
        code = parse_qs(urlsplit(callback).query)["duo_code"][0]
        token: dict[str, dict[str, str]] = client.exchange_authorization_code_for_2fa_result(code, "ada", NONCE)
        return token


class TestCallbackFaults:
    def _way_back(self, duo: DuoSimulator, client: duo_universal.Client, fault: str) -> dict[str, str]:
        duo.faults.callback = fault  # type: ignore[assignment]
        callback = duo.visit_prompt(client.create_auth_url("ada", STATE, NONCE))
        assert callback.startswith(f"{REDIRECT_URI}&")
        return {name: values[0] for name, values in parse_qs(urlsplit(callback).query).items()}

    def test_an_error(self, duo: DuoSimulator, universal: duo_universal.Client, ada: Phone) -> None:
        query = self._way_back(duo, universal, "error")
        assert (query["error"], query["state"]) == ("access_denied", STATE)
        assert "duo_code" not in query

    def test_no_state(self, duo: DuoSimulator, universal: duo_universal.Client, ada: Phone) -> None:
        assert "state" not in self._way_back(duo, universal, "no_state")

    def test_a_wrong_state(self, duo: DuoSimulator, universal: duo_universal.Client, ada: Phone) -> None:
        assert self._way_back(duo, universal, "wrong_state")["state"] != STATE

    def test_no_code(self, duo: DuoSimulator, universal: duo_universal.Client, ada: Phone) -> None:
        assert "duo_code" not in self._way_back(duo, universal, "no_code")

    @pytest.mark.parametrize("fault", ["wrong_code", "used_code"])
    def test_a_code_that_does_not_work(
        self, duo: DuoSimulator, universal: duo_universal.Client, ada: Phone, fault: str
    ) -> None:
        code = self._way_back(duo, universal, fault)["duo_code"]
        with pytest.raises(DuoException, match="invalid_grant"):
            universal.exchange_authorization_code_for_2fa_result(code, "ada", NONCE)


class TestVisits:
    def test_a_prompt_that_keeps_the_browser_is_told(self, duo: DuoSimulator, universal: duo_universal.Client) -> None:
        duo.add_user("ada", "disabled")
        with pytest.raises(PromptStayed) as caught:
            duo.visit_prompt(universal.create_auth_url("ada", STATE, NONCE))
        assert caught.value.status == 200
        assert "disabled" in caught.value.page

    def test_so_is_a_request_that_is_refused(self, duo: DuoSimulator) -> None:
        with pytest.raises(PromptStayed) as caught:
            duo.visit_prompt(f"{duo.base_url}/oauth/v1/authorize?client_id=x")
        assert caught.value.status == 400
