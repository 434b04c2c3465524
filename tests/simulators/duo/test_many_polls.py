"""Hundreds of long polls at once: each waits on its own and hears its own news only."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator

import duo_client
import pytest

from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.model import Application

MANY = 400


class Poll:
    """A question for the state of a push that is sent now and read later, signed by the official client."""

    def __init__(self, duo: DuoSimulator, application: Application, txid: str) -> None:
        self._connection = http.client.HTTPConnection("localhost", duo.port, timeout=30)
        client = duo_client.Auth(application.integration_key, application.secret_key, "localhost")
        client._make_request = self._send  # type: ignore[method-assign]
        client.api_call("GET", "/auth/v2/auth_status", {"txid": txid})

    def _send(self, method: str, uri: str, body: str | None, headers: dict[str, str]) -> None:
        self._connection.request(method, uri, body, headers)

    def status(self) -> str:
        """Wait for the answer."""
        with self._connection.getresponse() as response:
            status: str = json.load(response)["response"]["status"]
        self._connection.close()
        return status


@pytest.fixture
def duo(clock: VirtualClock) -> Iterator[DuoSimulator]:
    with DuoSimulator(None, clock, wall_clock=time.time) as running:
        yield running


@pytest.fixture
def txids(duo: DuoSimulator, authapi: Application) -> list[str]:
    """Pushes to as many people, with the news that they were sent already heard."""
    client = duo_client.Auth(
        authapi.integration_key, authapi.secret_key, duo.host, ca_certs="HTTP", port=duo.port, timeout=30
    )
    sent = []
    for number in range(MANY):
        duo.add_user(f"user{number}")
        sent.append(client.auth("push", username=f"user{number}", device="auto", async_txn=True)["txid"])
        assert client.auth_status(sent[-1])["status"] == "pushed"
    return sent


def test_everybody_hears_their_own_verdict(duo: DuoSimulator, authapi: Application, txids: list[str]) -> None:
    polls = [Poll(duo, authapi, txid) for txid in txids]
    duo.await_polls(MANY, timeout=30.0)
    for number in range(MANY):
        phone = duo.phone(f"user{number}")
        phone.approve() if number % 2 else phone.deny()
    assert [poll.status() for poll in polls] == ["deny", "allow"] * (MANY // 2)


def test_all_run_out_together(duo: DuoSimulator, authapi: Application, txids: list[str]) -> None:
    polls = [Poll(duo, authapi, txid) for txid in txids]
    duo.await_polls(MANY, timeout=30.0)
    duo.advance(60.0)
    assert {poll.status() for poll in polls} == {"timeout"}
