"""The wrapper of duo_client's Admin, against the simulated Duo: accounts, phones, codes, and whatever goes wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from casduo.mfa.duo.admin_api import AccountPhone, AdminApi
from casduo.mfa.duo.errors import (
    DuoBadParameter,
    DuoBusy,
    DuoFailure,
    DuoMisconfigured,
    DuoRateLimited,
    DuoUnavailable,
    DuoUntrusted,
)
from casduo.outbound import Breaker, Bulkhead
from casduo.outbound.http import HttpClient, HttpSettings
from casduo.simulators.certificates import LeafFiles
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.faults import CannedAnswer
from casduo.simulators.duo.model import Application, Phone, Token

USERS, PHONES = "/admin/v1/users", "/admin/v1/phones"


@pytest.fixture
def keys(duo: DuoSimulator) -> Application:
    return duo.add_application("admin")


Make = Callable[..., AdminApi]


@pytest.fixture
def make(duo: DuoSimulator, keys: Application) -> Iterator[Make]:
    clients = []

    def made(key: str = "", secret: str = "", failures: int = 9, places: int = 4, read: float = 5.0) -> AdminApi:
        http = HttpClient("duo", HttpSettings(5.0, read, 10.0, extra_ca_file=str(duo.ca_file)))
        clients.append(http)
        breaker = Breaker(
            "duo admin api", failures, 60.0, time.time, is_outage=lambda error: isinstance(error, DuoUnavailable)
        )
        key, secret = key or keys.integration_key, secret or keys.secret_key
        return AdminApi(key, secret, duo.api_host, http, breaker=breaker, bulkhead=Bulkhead("duo admin api", places))

    yield made
    for client in clients:
        client.close()


@pytest.fixture
def api(make: Make) -> AdminApi:
    return make()


def failure(call: Callable[[], object]) -> DuoFailure:
    with pytest.raises(DuoFailure) as caught:
        call()
    # Nothing of a library comes along: its exceptions quote what was sent.
    assert caught.value.__cause__ is None
    assert not caught.value.may_fail_open or isinstance(caught.value, DuoUnavailable)
    return caught.value


# -- good answers ----------------------------------------------------------------------------------------------------


def test_nobody_of_that_name(api: AdminApi) -> None:
    assert api.find_account("nobody") is None


def test_an_account_with_its_phones(api: AdminApi, duo: DuoSimulator) -> None:
    ready = Phone(activated=False)
    odd = Phone(activated=False, platform="Unknown")
    line = Phone(number="555 0100", activated=False, type="Landline", platform="Unknown")
    user = duo.add_user("grace", devices=[Phone(), ready, odd, line, Token()])
    account = api.find_account("grace")
    assert account is not None
    assert account.user_id == user.id
    assert [phone.ready for phone in account.phones] == [False, True, False, False]
    assert account.phones[1] == AccountPhone(ready.id, True)


def test_a_phone_is_added_and_its_app_can_be_set_up(api: AdminApi, duo: DuoSimulator) -> None:
    user = duo.add_user("grace", devices=[])
    phone = api.add_phone(user.id)
    assert phone.ready
    activation = api.activate(phone.id, 600)
    assert activation.seconds == 600
    assert activation.url.startswith(duo.base_url)
    assert duo.activate(activation.code, "Tablet")
    assert [device.id for device in user.usable_devices] == [phone.id]


def test_a_second_code_for_a_phone_ends_the_first(api: AdminApi, duo: DuoSimulator) -> None:
    phone = Phone(activated=False)
    duo.add_user("grace", devices=[phone])
    first, second = api.activate(phone.id, 600), api.activate(phone.id, 600)
    assert not duo.activate(first.code)
    assert duo.activate(second.code)


def test_codes_show_in_no_repr(api: AdminApi, duo: DuoSimulator) -> None:
    phone = Phone(activated=False)
    duo.add_user("grace", devices=[phone])
    activation = api.activate(phone.id, 600)
    secret = activation.code.removeprefix("duo://").partition("-")[0]
    assert secret not in repr(activation)


# -- failures --------------------------------------------------------------------------------------------------------


def test_a_phone_that_no_app_can_be_set_up_on_is_refused(api: AdminApi, duo: DuoSimulator) -> None:
    phone = Phone(activated=False, platform="Unknown")
    duo.add_user("grace", devices=[phone])
    assert isinstance(failure(lambda: api.activate(phone.id, 600)), DuoBadParameter | DuoMisconfigured)


def test_a_phone_nobody_has(api: AdminApi) -> None:
    assert isinstance(failure(lambda: api.activate("DP" + "0" * 18, 600)), DuoMisconfigured)


def test_wrong_keys(make: Make, duo: DuoSimulator, keys: Application) -> None:
    assert failure(lambda: make(secret="w" * 40).find_account("ada")).detail == "keys"
    login = duo.add_application("authapi")
    other = make(login.integration_key, login.secret_key)
    assert failure(lambda: other.find_account("ada")).detail == "rights"


def test_duo_is_away(make: Make, duo: DuoSimulator) -> None:
    api = make(failures=2)
    duo.stop_listening()
    details = [failure(lambda: api.find_account("ada")).detail for _ in range(4)]
    assert details == ["refused", "refused", "breaker_open", "breaker_open"]


def test_silence_ends(make: Make, duo: DuoSimulator) -> None:
    duo.transport.stay_silent(USERS, None)
    assert failure(lambda: make(read=0.05).find_account("ada")).detail == "timeout"


def test_a_stranger_in_the_middle(api: AdminApi, duo: DuoSimulator, foreign_leaf: LeafFiles) -> None:
    duo.use_certificate(foreign_leaf)
    found = failure(lambda: api.find_account("ada"))
    assert isinstance(found, DuoUntrusted)
    assert not found.may_fail_open


def test_the_rate_limit_is_no_reason_to_wait_a_minute(api: AdminApi, duo: DuoSimulator) -> None:
    duo.faults.refuse(USERS, 42901)
    began = time.monotonic()
    assert isinstance(failure(lambda: api.find_account("ada")), DuoRateLimited)
    assert time.monotonic() - began < 5


def test_too_many_at_once_are_told_so(make: Make) -> None:
    api = make(places=1)
    with api._bulkhead:
        assert isinstance(failure(lambda: api.find_account("ada")), DuoBusy)
    assert api.find_account("nobody") is None


def answered(duo: DuoSimulator, path: str, response: Any) -> None:
    body = json.dumps({"stat": "OK", "response": response}).encode()
    duo.faults.answer(path, CannedAnswer(200, "application/json", body), 1)


@pytest.mark.parametrize("response", [{}, "", None, 7, [7], [{}], [{"user_id": ""}], [{"user_id": 7}]])
def test_accounts_that_make_no_sense(api: AdminApi, duo: DuoSimulator, response: Any) -> None:
    answered(duo, USERS, response)
    assert failure(lambda: api.find_account("ada")).detail == "unreadable"


@pytest.mark.parametrize("phones", [None, 7, [7, {}, {"phone_id": ""}, {"phone_id": 7}]])
def test_phones_that_make_no_sense_are_none(api: AdminApi, duo: DuoSimulator, phones: Any) -> None:
    answered(duo, USERS, [{"user_id": "DU1", "phones": phones}])
    account = api.find_account("ada")
    assert account is not None
    assert account.phones == ()


BARCODE = "https://api.duo.test/frame/qr?value=duo%3A%2F%2Fabc-def"


@pytest.mark.parametrize(
    "response",
    [
        {},
        [],
        {"activation_barcode": BARCODE},
        {"activation_barcode": BARCODE, "valid_secs": 0},
        {"activation_barcode": BARCODE, "valid_secs": "600"},
        {"activation_barcode": "https://[", "valid_secs": 600},
        {"activation_barcode": "https://api.duo.test/frame/qr", "valid_secs": 600},
        {"activation_barcode": BARCODE + "&value=duo%3A%2F%2Fother", "valid_secs": 600},
        {"activation_barcode": "https://api.duo.test/frame/qr?value=javascript%3Aalert", "valid_secs": 600},
        {"activation_barcode": "https://api.duo.test/frame/qr?value=duo%3A%2F%2F" + "a" * 600, "valid_secs": 600},
    ],
)
def test_codes_that_make_no_sense(api: AdminApi, duo: DuoSimulator, response: Any) -> None:
    answered(duo, f"{PHONES}/DP1/activation_url", response)
    assert failure(lambda: api.activate("DP1", 600)).detail == "unreadable"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "http://m.duo.test/a", 7, None, "https://m.duo.test/\u202e"])
def test_a_link_that_is_none_is_left_out(api: AdminApi, duo: DuoSimulator, url: Any) -> None:
    response = {"activation_barcode": BARCODE, "valid_secs": 600, "activation_url": url}
    answered(duo, f"{PHONES}/DP1/activation_url", response)
    activation = api.activate("DP1", 600)
    assert (activation.code, activation.url) == ("duo://abc-def", "")


@pytest.mark.parametrize("response", [{}, [], {"phone_id": ""}, {"phone_id": 7}])
def test_a_new_phone_that_makes_no_sense(api: AdminApi, duo: DuoSimulator, response: Any) -> None:
    answered(duo, PHONES, response)
    assert failure(lambda: api.add_phone("DU1")).detail == "unreadable"


def test_what_changes_something_is_never_sent_twice_by_itself(api: AdminApi, duo: DuoSimulator) -> None:
    duo.transport.cut(PHONES, after=0, times=1)
    assert failure(lambda: api.add_phone("DU1")).detail == "reset"
    assert len(duo.requests(PHONES)) <= 1
