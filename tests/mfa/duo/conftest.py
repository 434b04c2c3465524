"""The simulated Duo with one application and a few people, and gateways to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest

from casduo.mfa.duo.gateway import DuoGateway
from casduo.mfa.duo.official import build_gateway
from casduo.mfa.duo.settings import DuoSettings
from casduo.outbound import Bulkhead
from casduo.outbound.http import HttpClient, HttpSettings
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.model import Application

REDIRECT_URI = "https://sso.example.edu/cas/duo/callback"


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    """An authority that nobody trusts."""
    return CertificateAuthority.create(tmp_path_factory.mktemp("stranger"), "a stranger")


@pytest.fixture
def application(duo: DuoSimulator) -> Application:
    return duo.add_application("websdk", redirect_uris=[REDIRECT_URI])


@pytest.fixture
def http(duo: DuoSimulator) -> Iterator[HttpClient]:
    client = HttpClient("duo", HttpSettings(5.0, 5.0, 10.0, extra_ca_file=str(duo.ca_file)))
    yield client
    client.close()


class MakeGateway(Protocol):
    def __call__(
        self, clock: Callable[[], float] = time.time, bulkhead: Bulkhead | None = None, **changes: Any
    ) -> DuoGateway: ...


@pytest.fixture
def make_gateway(duo: DuoSimulator, application: Application) -> MakeGateway:
    def make(clock: Callable[[], float] = time.time, bulkhead: Bulkhead | None = None, **changes: Any) -> DuoGateway:
        settings = {
            "api_host": duo.api_host,
            "client_id": application.integration_key,
            "client_secret": application.secret_key,
            "redirect_uri": REDIRECT_URI,
            "ca_file": str(duo.ca_file),
            **changes,
        }
        return build_gateway(DuoSettings(**settings), clock, bulkhead)

    return make


@pytest.fixture
def gateway(make_gateway: MakeGateway) -> DuoGateway:
    return make_gateway()
