"""Keys and rights of every Duo application, and what Duo says of a person."""

from __future__ import annotations

import json

import pytest

from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.faults import CannedAnswer
from casduo.simulators.duo.model import Phone, Token
from tests.diagnosis.clinic import MAIN, Clinic, keys_of

ATTACK = "\x1b]0;owned\x07\x1b[2J\u202eoK\r\n\x9b31mfault"


# --- keys and types --------------------------------------------------------------------------------------------------


def pair_of(clinic: Clinic, examined: str) -> tuple[dict[str, str], str, str, str]:
    """The keys that an examination is about: their section, and what the two are called."""
    if examined == "prompt":
        return clinic.settings["duo"]["universal"], "client_id", "client_secret", "duo.universal"
    return clinic.settings["duo"]["auth_api"], "integration_key", "secret_key", "duo.auth_api"


@pytest.mark.parametrize("examined", ["Auth API", "prompt"])
def test_a_key_that_duo_does_not_know(clinic: Clinic, examined: str) -> None:
    section, key, _, path = pair_of(clinic, examined)
    section[key] = "DIXXXXXXXXXXXXXXXXXX"
    visit = clinic.examine()
    assert visit.unwell == {examined: "unknown_key"}
    assert f"{path}.{key} belongs to no application" in visit.of(examined)["cause"]
    assert "40102" in visit.of(examined)["found"]
    assert "duo.api_host" in visit.of(examined)["remedy"]


@pytest.mark.parametrize("examined", ["Auth API", "prompt"])
def test_a_secret_that_is_not_that_of_the_key(clinic: Clinic, examined: str) -> None:
    section, key, secret, path = pair_of(clinic, examined)
    clinic.duo.rotate_secret(section[key])
    visit = clinic.examine()
    assert visit.unwell == {examined: "wrong_secret"}
    assert f"{path}.{secret} is not the secret of {path}.{key}" in visit.of(examined)["cause"]
    assert "40103" in visit.of(examined)["found"]


@pytest.mark.parametrize(("examined", "kind"), [("Auth API", "Auth API"), ("prompt", "Web SDK")])
def test_an_application_of_another_type(clinic: Clinic, examined: str, kind: str) -> None:
    section, key, _, path = pair_of(clinic, examined)
    clinic.duo.change_type(section[key], "admin")
    visit = clinic.examine()
    assert visit.unwell == {examined: "wrong_type"}
    assert f"{path}.{key} belongs to an application of another type than {kind}" in visit.of(examined)["cause"]


def test_two_pairs_that_were_exchanged(clinic: Clinic) -> None:
    duo = clinic.settings["duo"]
    duo["universal"] = dict(zip(("client_id", "client_secret"), duo["auth_api"].values(), strict=True))
    duo["auth_api"] = keys_of(clinic.universal)
    visit = clinic.examine()
    assert visit.of("prompt")["detail"] == "wrong_type"
    assert "exchanged" in visit.of("prompt")["cause"]
    assert visit.of("enrolment")["detail"] == "wrong_type"


def test_keys_of_the_prompt_do_for_everything_but_enrolment(clinic: Clinic) -> None:
    del clinic.settings["duo"]["auth_api"]
    visit = clinic.examine()
    assert "as there is no duo.auth_api" in visit.of("Auth API")["found"]
    assert visit.unwell == {"enrolment": "wrong_type"}
    assert "put its keys into duo.auth_api" in visit.of("enrolment")["remedy"]
    clinic.settings["duo"]["enrollment_url"] = "https://kb.example.edu/duo"
    assert clinic.examine().level == "ok"


@pytest.mark.parametrize(
    ("path", "examined"),
    [("preauth", "preauth"), ("auth_status", "pushes"), ("enroll_status", "enrolment")],
)
def test_a_right_that_is_missing(clinic: Clinic, path: str, examined: str) -> None:
    paths = {f"/auth/v2/{each}" for each in ("check", "preauth", "auth", "auth_status", "enroll", "enroll_status")}
    clinic.duo.allowed_paths["authapi"] = frozenset(paths - {f"/auth/v2/{path}"})
    assert clinic.examine().unwell == {examined: "wrong_type"}


def test_a_rate_limit(clinic: Clinic) -> None:
    clinic.duo.faults.rate_limit("/auth/v2/check")
    clinic.duo.faults.rate_limit("/oauth/v1/health_check")
    visit = clinic.examine()
    assert visit.unwell == {"Auth API": "rate_limited", "prompt": "rate_limited"}
    assert "not even where a service says fail: open" in visit.of("prompt")["cause"]


def test_a_duo_that_is_half_down(clinic: Clinic) -> None:
    clinic.duo.faults.break_down("/oauth/v1/health_check")
    assert clinic.examine().unwell == {"prompt": "server_error"}


# --- several applications --------------------------------------------------------------------------------------------


def test_every_application_is_examined_with_its_own_keys(clinic: Clinic) -> None:
    payroll = clinic.duo.add_application("authapi", "Payroll")
    clinic.secrets.add(payroll.secret_key)
    clinic.settings["duo"]["applications"] = {
        "payroll": {"auth_api": {**keys_of(payroll), "secret_key": "x" * 40}},
        "wards": {"universal": {"client_id": "DIXXXXXXXXXXXXXXXXXX", "client_secret": "y" * 40}},
    }
    visit = clinic.examine()
    assert [each["examined"] for each in visit.findings if each["part"].startswith("Duo at")].count("ping") == 1
    assert visit.of("Auth API")["level"] == visit.of("prompt")["level"] == "ok"
    secret = visit.of("Auth API", "Duo, application payroll")
    assert secret["detail"] == "wrong_secret"
    assert secret["facts"] == {"application": "payroll"}
    assert "duo.applications.payroll.auth_api.secret_key" in secret["cause"]
    assert visit.of("prompt", "Duo, application payroll")["level"] == "ok"
    assert "duo.applications.wards.universal" in visit.of("prompt", "Duo, application wards")["cause"]


def test_one_application_can_be_examined_alone(clinic: Clinic) -> None:
    clinic.settings["duo"]["applications"] = {"payroll": {}, "wards": {}}

    def applications(*words: str) -> set[str]:
        return {each["part"] for each in clinic.examine(*words).findings if each["part"].startswith("Duo, ")}

    assert applications() == {MAIN, "Duo, application payroll", "Duo, application wards"}
    assert applications("--application", "payroll") == {"Duo, application payroll"}
    assert applications("--application", "") == {MAIN}


def test_an_application_at_a_host_of_its_own(clinic: Clinic, authority: CertificateAuthority) -> None:
    with DuoSimulator(authority.issue()) as other:
        wards = other.add_application()
        clinic.secrets.add(wards.secret_key)
        clinic.settings["duo"]["applications"] = {
            "wards": {
                "api_host": other.api_host,
                "universal": {"client_id": wards.integration_key, "client_secret": wards.secret_key},
            }
        }
        clinic.duo.stop_listening()
        visit = clinic.examine()
    assert visit.of("network", f"Duo at {clinic.duo.api_host}")["detail"] == "refused"
    assert visit.of("network", f"Duo at {other.api_host}")["level"] == "ok"
    assert visit.of("prompt", "Duo, application wards")["level"] == "ok"


def test_an_application_that_there_is_not(clinic: Clinic) -> None:
    clinic.settings["duo"]["applications"] = {"payroll": {}}
    result = clinic.run("--application", "payrol")
    assert result.exit_code == 2
    assert "no Duo application 'payrol', did you mean 'payroll'?" in result.output


# --- the Admin API ---------------------------------------------------------------------------------------------------


def test_keys_of_the_admin_api(clinic: Clinic) -> None:
    admin = clinic.duo.add_application("admin")
    clinic.secrets.add(admin.secret_key)
    clinic.settings["duo"]["admin_api"] = keys_of(admin)
    assert clinic.examine().of("Admin API")["level"] == "ok"
    clinic.duo.rotate_secret(admin.integration_key)
    finding = clinic.examine().of("Admin API")
    assert finding["detail"] == "wrong_secret"
    assert "duo.admin_api.secret_key" in finding["cause"]


def test_an_application_that_is_no_admin_api(clinic: Clinic) -> None:
    clinic.settings["duo"]["admin_api"] = keys_of(clinic.auth_api)
    finding = clinic.examine().of("Admin API")
    assert finding["detail"] == "wrong_type"
    assert "another type than Admin API" in finding["cause"]


# --- a person --------------------------------------------------------------------------------------------------------


def test_somebody_with_devices(clinic: Clinic) -> None:
    clinic.duo.add_user("ada", devices=[Phone("iPhone", "555-0100"), Token("20361492")])
    finding = clinic.examine("--user", " ADA ").of("user ada")
    assert finding["level"] == "ok"
    assert "iPhone (XXX-XXX-0100) (push, call, text message, passcode); 20361492 (passcode)" in finding["found"]
    assert finding["facts"]["can_push"] is True


@pytest.mark.parametrize(
    ("user", "detail", "words"),
    [
        ("grace", "enroll", "has no device"),
        ("barbara", "enroll", "has no device"),
        ("linus", "deny", "Duo says: 'Your account is locked out'"),
        ("alan", "allow", "gets past Duo without a factor"),
    ],
)
def test_somebody_who_cannot_simply_sign_in(clinic: Clinic, user: str, detail: str, words: str) -> None:
    visit = clinic.examine("--user", user)
    assert visit.unwell == {f"user {user}": detail}
    assert visit.exit_code == 1
    assert words in visit.of(f"user {user}")["found"]


def test_what_counts_for_alan_is_what_the_application_says(clinic: Clinic) -> None:
    clinic.settings["duo"]["applications"] = {"payroll": {"accept_preauth_allow": False}}
    visit = clinic.examine("--user", "alan")
    assert "here it lets them in" in visit.of("user alan")["cause"]
    assert "here it does not let them in" in visit.of("user alan", "Duo, application payroll")["cause"]


def test_nothing_that_duo_writes_reaches_the_terminal_as_a_command(clinic: Clinic) -> None:
    device = {"device": "DP1", "type": "phone", "name": ATTACK, "display_name": ATTACK, "capabilities": ["push"]}
    for result in ("auth", "deny", "allow", "enroll", ATTACK):
        response = {"result": result, "status_msg": ATTACK, "devices": [device]}
        body = json.dumps({"stat": "OK", "response": response}).encode()
        clinic.duo.faults.answer("/auth/v2/preauth", CannedAnswer(200, "application/json", body))
        text = clinic.run("--user", "ada").output
        assert all(line.isprintable() for line in text.split("\n"))
        assert sum(line.startswith(("  ok", "  attention", "  fault")) for line in text.split("\n")) == 19
        clinic.duo.faults.clear()


def test_a_name_that_cannot_be_one(clinic: Clinic) -> None:
    for name in ("", " ", "a\x1bb", "x" * 300):
        result = clinic.run("--user", name)
        assert result.exit_code == 2
        assert "cannot be a user name" in result.output
    del clinic.settings["duo"]
    assert "there is nobody to ask" in clinic.run("--user", "ada").output


def test_what_becomes_of_people_whom_duo_does_not_know(clinic: Clinic) -> None:
    clinic.duo.new_user_policy = "allow"
    assert clinic.examine().unwell == {"preauth": "unknown_allowed"}
    clinic.duo.new_user_policy = "deny"
    assert clinic.examine().unwell == {"preauth": "unknown_denied"}
