"""The Duo applications of the settings: what is theirs, what they share, and what outages mean to all of them."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from casduo.mfa.duo.applications import DuoApplications, build_applications
from casduo.mfa.duo.errors import DuoFailure, DuoMisconfigured
from casduo.mfa.duo.gateway import DuoGateway, HealthState, NullDuoGateway, PreauthResult
from casduo.settings import Settings
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.model import Application
from casduo.store import Store
from casduo.store.breakers import RedisBreakerMemory

pytestmark = pytest.mark.filterwarnings("ignore:The HMAC key is")

PREAUTH, PING = "/auth/v2/preauth", "/auth/v2/ping"
URL = "https://sso.example.edu/cas"

MakeSettings = Callable[..., Settings]


@pytest.fixture
def make_settings(duo: DuoSimulator, application: Application) -> MakeSettings:
    def make(server: dict[str, Any] | None = None, **changes: Any) -> Settings:
        section = {
            "api_host": duo.api_host,
            "universal": universal(application),
            "ca_file": str(duo.ca_file),
            **changes,
        }
        return Settings.model_validate({"server": {"url": URL, **(server or {})}, "duo": section})

    return make


def universal(keys: Application) -> dict[str, str]:
    return {"client_id": keys.integration_key, "client_secret": keys.secret_key}


def auth_api(keys: Application) -> dict[str, str]:
    return {"integration_key": keys.integration_key, "secret_key": keys.secret_key}


def failure_of(call: Callable[[], object]) -> DuoFailure:
    with pytest.raises(DuoFailure) as caught:
        call()
    return caught.value


# -- by name ---------------------------------------------------------------------------------------------------------


def test_who_has_no_duo_loads_nothing_for_it() -> None:
    code = (
        "import sys, casduo.compose, casduo.endpoints, casduo.settings as s\n"
        "from casduo.mfa.duo.applications import build_applications\n"
        "assert not build_applications(s.Settings()).names\n"
        "print([name for name in ('duo_client', 'duo_universal', 'jwt', 'segno') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_without_duo_there_is_no_application_and_nothing_opens() -> None:
    applications = build_applications(Settings.model_validate({}))
    assert applications.names == ()
    for gateway in (applications.main, applications.of("payroll")):
        health = gateway.health()
        assert (health.state, health.detail, health.may_fail_open) == (HealthState.MISCONFIGURED, "off", False)


def test_the_main_application_has_no_name(make_settings: MakeSettings) -> None:
    applications = build_applications(make_settings())
    assert applications.names == ("",)
    assert applications.of("") is applications.main
    assert applications.main.preauth("ada", "").result is PreauthResult.AUTH


def test_a_name_that_is_not_set_up_opens_nothing(make_settings: MakeSettings) -> None:
    gateway = build_applications(make_settings()).of("payroll")
    assert gateway.health().state is HealthState.MISCONFIGURED
    for call in (lambda: gateway.preauth("ada", ""), lambda: gateway.push("ada", "")):
        failure = failure_of(call)
        assert (type(failure), failure.may_fail_open) == (DuoMisconfigured, False)


def test_applications_can_be_put_together_by_hand() -> None:
    gateway: DuoGateway = NullDuoGateway()
    applications = DuoApplications({"": gateway})
    assert applications.main is gateway
    assert applications.names == ("",)


def test_each_application_asks_with_its_own_keys(make_settings: MakeSettings, duo: DuoSimulator) -> None:
    hr, hr_api, lab = duo.add_application("websdk"), duo.add_application("authapi"), duo.add_application("websdk")
    applications = build_applications(
        make_settings(
            applications={
                "hr": {"universal": universal(hr), "auth_api": auth_api(hr_api)},
                "lab": {"universal": universal(lab)},
            }
        )
    )
    assert applications.names == ("", "hr", "lab")
    for name in applications.names:
        assert applications.of(name).health().ok
        applications.of(name).preauth("ada", "")
    main, *others = [record.integration_key for record in duo.requests(PREAUTH)]
    assert others == [hr_api.integration_key, lab.integration_key]
    assert main not in others


def test_an_application_without_keys_of_its_own_is_the_main_one_under_another_name(
    make_settings: MakeSettings, duo: DuoSimulator
) -> None:
    applications = build_applications(make_settings(applications={"lenient": {"fail": "open"}}))
    assert applications.main.health().ok
    assert applications.of("lenient").health().ok
    # One good answer serves both.
    assert duo.requests.count(PING) == 1


def test_an_application_can_be_on_another_host(
    make_settings: MakeSettings, duo: DuoSimulator, authority: CertificateAuthority
) -> None:
    with DuoSimulator(authority.issue()) as other:
        other.add_user("ken")
        keys = other.add_application("websdk")
        applications = build_applications(
            make_settings(applications={"abroad": {"api_host": other.api_host, "universal": universal(keys)}})
        )
        assert applications.of("abroad").preauth("ken", "").result is PreauthResult.AUTH
        assert applications.main.preauth("ken", "").result is PreauthResult.ENROLL
        duo.stop_listening()
        assert failure_of(lambda: applications.main.preauth("ada", "")).detail == "refused"
        assert applications.of("abroad").preauth("ken", "").result is PreauthResult.AUTH


# -- from the settings -----------------------------------------------------------------------------------------------


def test_the_browser_comes_back_to_this_server(make_settings: MakeSettings) -> None:
    for url in (URL, f"{URL}/"):
        gateway = build_applications(make_settings({"url": url})).main
        request = gateway.prompt_url("ada", gateway.new_state(), gateway.new_nonce())
        assert _claim(request, "redirect_uri") == f"{URL}/duo/callback"


def _claim(prompt_url: str, name: str) -> object:
    [request] = parse_qs(urlsplit(prompt_url).query)["request"]
    return jwt.decode(request, options={"verify_signature": False})[name]


def test_the_word_that_devices_show_is_a_setting(make_settings: MakeSettings, duo: DuoSimulator) -> None:
    build_applications(make_settings(push={"label": "Payroll"})).main.push("ada", "")
    assert duo.pending("ada")[0].details.kind == "Payroll"


def test_half_of_the_threads_may_wait_for_duo_whatever_the_application(
    make_settings: MakeSettings, duo: DuoSimulator
) -> None:
    other = duo.add_application("websdk")
    applications = build_applications(
        make_settings({"threads": 2}, applications={"hr": {"universal": universal(other)}})
    )
    duo.transport.delay(0.3, path=PREAUTH)
    together = threading.Barrier(2)
    ended: list[str] = []

    def ask(name: str) -> None:
        together.wait(5)
        try:
            ended.append(applications.of(name).preauth("ada", "").result)
        except DuoFailure as busy:
            ended.append(busy.detail)

    threads = [threading.Thread(target=ask, args=(name,)) for name in ("", "hr")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert ended == ["bulkhead_full", "auth"]


@pytest.mark.parametrize("polling", [False, True])
def test_pushes_can_be_followed_in_any_process(make_settings: MakeSettings, duo: DuoSimulator, polling: bool) -> None:
    applications = build_applications(make_settings(), polling=polling)
    transaction = applications.main.push("ada", "")
    duo.phone("ada").approve()
    assert applications.main.push_status(transaction).allowed


def test_settings_that_cannot_work_are_refused_at_once(make_settings: MakeSettings, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate\n")
    failure = failure_of(lambda: build_applications(make_settings(ca_file=str(tmp_path / "ca.pem"))))
    assert (type(failure), failure.detail) == (DuoMisconfigured, "ca_file")


def test_what_is_misconfigured_is_logged_under_the_applications_name(
    make_settings: MakeSettings, duo: DuoSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    other = duo.add_application("websdk")
    applications = build_applications(make_settings(applications={"hr": {"universal": universal(other)}}))
    duo.rotate_secret(other.integration_key)
    applications.main.health()
    applications.of("hr").health()
    failure_of(lambda: applications.of("hr").preauth("ada", ""))
    lines = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(lines) == 2
    assert all(line.startswith("Duo application hr: misconfigured, keys. ") for line in lines)


# -- an outage of one is an outage of all ----------------------------------------------------------------------------


def test_applications_on_one_host_share_what_is_known_of_an_outage(
    make_settings: MakeSettings, duo: DuoSimulator
) -> None:
    other = duo.add_application("websdk")
    applications = build_applications(
        make_settings(applications={"hr": {"universal": universal(other)}}, breaker={"failures": 1}), VirtualClock()
    )
    duo.faults.break_down(PREAUTH)
    assert failure_of(lambda: applications.main.preauth("ada", "")).detail == "server_error"
    assert failure_of(lambda: applications.of("hr").preauth("ada", "")).detail == "breaker_open"
    assert duo.requests.count(PREAUTH) == 1


def test_a_fault_of_keys_stays_with_the_application(make_settings: MakeSettings, duo: DuoSimulator) -> None:
    other = duo.add_application("websdk")
    applications = build_applications(
        make_settings(applications={"hr": {"universal": universal(other)}}, breaker={"failures": 1})
    )
    duo.rotate_secret(other.integration_key)
    assert failure_of(lambda: applications.of("hr").preauth("ada", "")).detail == "keys"
    assert applications.main.preauth("ada", "").result is PreauthResult.AUTH


def test_processes_share_what_is_known_of_an_outage(
    make_settings: MakeSettings, duo: DuoSimulator, store: Store
) -> None:
    settings = make_settings(read_timeout="50ms", breaker={"failures": 5, "pause": "1h"})
    one, other = (build_applications(settings, memory=RedisBreakerMemory(store)).main for _ in range(2))
    duo.transport.stay_silent(PREAUTH)
    # One time-out is enough: each costs a person its length.
    assert failure_of(lambda: one.preauth("ada", "")).detail == "timeout"
    failure = failure_of(lambda: other.preauth("ada", ""))
    assert (failure.detail, failure.may_fail_open) == ("breaker_open", True)
    assert other.health(prompt=False).detail == "breaker_open"
    assert failure_of(lambda: other.push("ada", "")).may_fail_open is False


def test_a_host_that_is_down_leaves_others_alone_also_in_redis(
    make_settings: MakeSettings, duo: DuoSimulator, store: Store, authority: CertificateAuthority
) -> None:
    with DuoSimulator(authority.issue()) as other:
        keys = other.add_application("websdk")
        settings = make_settings(
            applications={"abroad": {"api_host": other.api_host, "universal": universal(keys)}},
            breaker={"failures": 1, "pause": "1h"},
        )
        applications = build_applications(settings, memory=RedisBreakerMemory(store))
        duo.stop_listening()
        assert [failure_of(lambda: applications.main.preauth("ada", "")).detail for _ in range(2)] == [
            "refused",
            "breaker_open",
        ]
        assert applications.of("abroad").health().ok
