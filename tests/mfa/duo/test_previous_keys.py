"""Keys of another application of Duo's take over: what was begun with the old ones ends well, nothing new is begun."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from casduo.mfa.duo.errors import DuoBadParameter, DuoFailure
from casduo.mfa.duo.gateway import DuoGateway
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.model import Application
from tests.mfa.duo.conftest import REDIRECT_URI, MakeGateway

pytestmark = pytest.mark.filterwarnings("ignore:The HMAC key is")


@pytest.fixture
def old(make_gateway: MakeGateway) -> DuoGateway:
    return make_gateway()


@pytest.fixture
def successor(duo: DuoSimulator) -> Application:
    return duo.add_application("websdk", redirect_uris=[REDIRECT_URI])


@pytest.fixture
def keys(application: Application, successor: Application) -> dict[str, Any]:
    return {
        "client_id": successor.integration_key,
        "client_secret": successor.secret_key,
        "previous_client_id": application.integration_key,
        "previous_client_secret": application.secret_key,
    }


def answered(duo: DuoSimulator, gateway: DuoGateway) -> tuple[str, str]:
    """Approve a prompt, and return code and nonce."""
    nonce = gateway.new_nonce()
    duo.phone("ada").script("approve")
    back = parse_qs(urlsplit(duo.visit_prompt(gateway.prompt_url("ada", gateway.new_state(), nonce))).query)
    return back["duo_code"][0], nonce


def test_a_prompt_that_was_begun_with_the_old_keys_ends_well(
    old: DuoGateway, make_gateway: MakeGateway, duo: DuoSimulator, keys: dict[str, Any]
) -> None:
    code, nonce = answered(duo, old)
    new = make_gateway(**keys)

    assert new.exchange(code, "ada", nonce).allowed
    assert new.exchange(*_with_user(answered(duo, new))).allowed


def test_without_the_old_keys_it_does_not(
    old: DuoGateway, make_gateway: MakeGateway, duo: DuoSimulator, successor: Application
) -> None:
    code, nonce = answered(duo, old)
    new = make_gateway(client_id=successor.integration_key, client_secret=successor.secret_key)

    with pytest.raises(DuoFailure):
        new.exchange(code, "ada", nonce)


def test_a_code_of_before_is_good_once_too(
    old: DuoGateway, make_gateway: MakeGateway, duo: DuoSimulator, keys: dict[str, Any]
) -> None:
    code, nonce = answered(duo, old)
    new = make_gateway(**keys)
    new.exchange(code, "ada", nonce)

    with pytest.raises(DuoFailure):
        new.exchange(code, "ada", nonce)


def test_a_push_that_was_sent_with_the_old_keys_is_followed(
    old: DuoGateway, make_gateway: MakeGateway, duo: DuoSimulator, keys: dict[str, Any]
) -> None:
    transaction = old.push("ada", "192.0.2.7")
    duo.phone("ada").approve()

    assert make_gateway(**keys).push_status(transaction).allowed
    with pytest.raises(DuoBadParameter):
        make_gateway(**keys).push_status("12345678-0000-0000-0000-000000000000")


def test_nothing_new_is_begun_with_them(
    make_gateway: MakeGateway, duo: DuoSimulator, keys: dict[str, Any], application: Application
) -> None:
    new = make_gateway(**{**keys, "client_secret": "x" * 40})

    with pytest.raises(DuoFailure):
        new.preauth("ada", "192.0.2.7")
    assert not new.health().ok
    assert application.integration_key not in new.prompt_url("ada", new.new_state(), new.new_nonce())


def _with_user(back: tuple[str, str]) -> tuple[str, str, str]:
    code, nonce = back
    return code, "ada", nonce
