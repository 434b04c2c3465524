"""A running Duo simulator, and the official clients pointed at it, unmodified."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import duo_client
import duo_universal
import pytest

from casduo.simulators.certificates import LeafFiles
from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.model import Application

REDIRECT_URI = "https://cas.casduo.test/cas/duo/callback?client=duo"
STATE = "S" * 36
NONCE = "N" * 36

_WARNINGS_OF_THE_CLIENTS = (
    # duo_client asks for the oldest TLS constant on each connection.
    "ignore:ssl.PROTOCOL_TLS is deprecated:DeprecationWarning",
    # Duo's secret keys have 40 bytes, and PyJWT would like 64.
    "ignore:The HMAC key is 40 bytes long:jwt.warnings.InsecureKeyLengthWarning",
    # duo_client does not close its socket when a call fails.
    "ignore:unclosed <(ssl.SSLSocket|socket.socket) .*:ResourceWarning",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "simulators/duo" in item.path.as_posix():
            for warning in _WARNINGS_OF_THE_CLIENTS:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def duo(leaf: LeafFiles, clock: VirtualClock) -> Iterator[DuoSimulator]:
    """A simulator on which time passes by hand, except for what the clients' own clock is compared with."""
    with DuoSimulator(leaf, clock, wall_clock=time.time) as running:
        yield running


@pytest.fixture
def websdk(duo: DuoSimulator) -> Application:
    return duo.add_application("websdk", "Library portal", redirect_uris=[REDIRECT_URI])


@pytest.fixture
def authapi(duo: DuoSimulator) -> Application:
    return duo.add_application("authapi", "Payroll")


AuthClientFactory = Callable[..., duo_client.Auth]
UniversalClientFactory = Callable[..., duo_universal.Client]


@pytest.fixture
def auth_client(duo: DuoSimulator) -> AuthClientFactory:
    """Makes official Auth API clients."""

    def make(application: Application, **options: object) -> duo_client.Auth:
        arguments = {"ca_certs": str(duo.ca_file), "port": duo.port, "timeout": 10, **options}
        return duo_client.Auth(application.integration_key, application.secret_key, duo.host, **arguments)

    return make


@pytest.fixture
def leaks_collected() -> Iterator[None]:
    """Collects the sockets that duo_client forgets when a call fails, where their warning is expected."""
    yield
    gc.collect()


@pytest.fixture
def auth(auth_client: AuthClientFactory, authapi: Application) -> duo_client.Auth:
    return auth_client(authapi)


@pytest.fixture
def universal_client(duo: DuoSimulator) -> UniversalClientFactory:
    """Makes official Universal Prompt clients."""

    def make(application: Application, **options: object) -> duo_universal.Client:
        arguments = {"redirect_uri": REDIRECT_URI, "duo_certs": str(duo.ca_file), **options}
        return duo_universal.Client(application.integration_key, application.secret_key, duo.api_host, **arguments)

    return make


@pytest.fixture
def universal(universal_client: UniversalClientFactory, websdk: Application) -> duo_universal.Client:
    return universal_client(websdk)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What duo_client says about an answer that is not OK."""

    status: int
    code: int | None
    detail: str | None
    text: str


@pytest.fixture
def refusal_of() -> Callable[[Callable[[], object]], Refusal]:
    """Calls something that Duo must refuse and returns how."""

    def refused(call: Callable[[], object]) -> Refusal:
        with pytest.raises(RuntimeError) as caught:
            call()
        error = caught.value
        data = error.data if isinstance(error.data, dict) else {}
        return Refusal(error.status, data.get("code"), data.get("message_detail"), str(error))

    return refused
