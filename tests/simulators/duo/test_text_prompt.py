"""The choice of factors as text that terminals get, asked for and answered through the official client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duo_client
import pytest

from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.model import Phone, Token
from tests.simulators.duo.conftest import AuthClientFactory, Refusal

RefusalOf = Callable[[Callable[[], object]], Refusal]


@pytest.fixture
def ada(duo: DuoSimulator) -> list[Phone]:
    phones = [Phone("Mobile", "555 0100"), Phone("Desk", "555 0200", capabilities=("auto", "phone"))]
    duo.add_user("ada", devices=[Token(), *phones], bypass_codes=["123456789"])
    return phones


def prompt_of(client: duo_client.Auth, **parameters: str) -> dict[str, Any]:
    asked = {"username": "ada", "text_prompt": "1", **parameters}
    prompt: dict[str, Any] = client.json_api_call("POST", "/auth/v2/preauth", asked)["prompt"]
    return prompt


def choose(client: duo_client.Auth, choice: str, **parameters: str) -> dict[str, str]:
    chosen = {"username": "ada", "factor": "prompt", "prompt": choice, **parameters}
    answer: dict[str, str] = client.json_api_call("POST", "/auth/v2/auth", chosen)
    return answer


def test_every_phone_is_offered_by_all_it_can(auth: duo_client.Auth, ada: list[Phone]) -> None:
    prompt = prompt_of(auth)
    assert prompt["factors"] == {"default": "push1", "1": "push1", "2": "voice1", "3": "smsrefresh1", "4": "voice2"}
    assert " 1. Push to Mobile (XXX-XXX-0100)\n" in prompt["text"]
    assert prompt["text"].endswith("Passcode or option (1-4): ")


def test_it_comes_only_when_asked_for(auth: duo_client.Auth, ada: list[Phone]) -> None:
    assert "prompt" not in auth.preauth(username="ada")


@pytest.mark.parametrize(
    ("choice", "factor", "number"), [("push1", "push", 0), ("voice1", "phone", 0), ("voice2", "phone", 1)]
)
def test_what_is_chosen_is_asked(
    duo: DuoSimulator, auth: duo_client.Auth, ada: list[Phone], choice: str, factor: str, number: int
) -> None:
    choose(auth, choice, **{"async": "1"})
    waiting = duo.pending("ada")[0]
    assert (waiting.factor, waiting.device) == (factor, ada[number])


def test_messages_can_be_chosen(duo: DuoSimulator, auth: duo_client.Auth, ada: list[Phone]) -> None:
    assert choose(auth, "smsrefresh1")["status"] == "sent"
    assert choose(auth, duo.phone("ada").messages()[0])["result"] == "allow"


def test_anything_else_is_a_passcode(auth: duo_client.Auth, ada: list[Phone]) -> None:
    assert choose(auth, "123456789")["result"] == "allow"
    assert choose(auth, "push")["status"] == "deny"


def test_a_verified_push_can_be_chosen(duo: DuoSimulator, auth_client: AuthClientFactory, ada: list[Phone]) -> None:
    careful = auth_client(duo.add_application("authapi", "Careful", verified_push=True))
    assert prompt_of(careful)["factors"]["default"] == "push1"
    parameters = {"username": "ada", "text_prompt": "1", "client_supports_verified_push": "1"}
    answer = careful.json_api_call("POST", "/auth/v2/preauth", parameters)
    assert answer["prompt"]["factors"]["default"] == "verified_push1"
    choose(careful, "verified_push1", txid=answer["txid"], **{"async": "1"})
    assert duo.pending("ada")[0].verification_code == answer["verification_code"]


def test_somebody_with_a_hardware_token_is_asked_for_a_passcode(duo: DuoSimulator, auth: duo_client.Auth) -> None:
    duo.add_user("grace", devices=[Token()])
    assert prompt_of(auth, username="grace") == {"text": "Duo login for grace\n\nPasscode: "}


def test_somebody_to_enrol_is_told_where(auth: duo_client.Auth) -> None:
    answer = auth.json_api_call("POST", "/auth/v2/preauth", {"username": "grace", "text_prompt": "1"})
    assert answer["prompt"]["text"].startswith("Please enroll at https://localhost:")


def test_a_phone_that_is_not_there(auth: duo_client.Auth, ada: list[Phone], refusal_of: RefusalOf) -> None:
    assert refusal_of(lambda: choose(auth, "push3")).detail == "prompt"
    assert refusal_of(lambda: choose(auth, "push2")).detail == "no capable device"
    assert refusal_of(lambda: choose(auth, "")).code == 40001
