"""What the official client signs still verifies after it went through a socket, whatever the parameters."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import duo_client
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.model import Application

VERSIONS = [
    (5, hashlib.sha512),
    (4, hashlib.sha512),
    (2, hashlib.sha512),
    (2, hashlib.sha1),
    (1, hashlib.sha512),
    (1, hashlib.sha1),
]

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
difficult = st.sampled_from(["", " ", "+", "/", "~", "*", "%", "%2B", "&=", "a b", "Zoë", "日本", "\x00", "\r\n", "'"])
values = st.one_of(difficult, text)
# HTTP strips spaces around a header's value, so a client must not sign them.
header_values = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=20)
header_names = st.from_regex(r"[Xx]-[Dd]uo-[A-Za-z0-9_.!~-]{1,12}", fullmatch=True)

# A TLS handshake per example: a few dozen are enough on top of the thousands that skip the wire in test_signing.
on_the_wire = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[DuoSimulator, Application]]:
    """One simulator for all examples, over plain HTTP, which is the same wire below."""
    with DuoSimulator(None) as duo:
        yield duo, duo.add_application("authapi")


def client_of(served: tuple[DuoSimulator, Application], version: int, digest: object) -> duo_client.Auth:
    duo, application = served
    return duo_client.Auth(
        application.integration_key,
        application.secret_key,
        duo.host.upper(),
        ca_certs="HTTP",
        port=duo.port,
        timeout=10,
        sig_version=version,
        digestmod=digest,
    )


@pytest.mark.parametrize(("version", "digest"), VERSIONS)
@given(parameters=st.dictionaries(values.filter(bool), values, max_size=5))
@on_the_wire
def test_queries_verify(
    served: tuple[DuoSimulator, Application], version: int, digest: object, parameters: dict[str, str]
) -> None:
    client = client_of(served, version, digest)
    assert "time" in client.json_api_call("GET", "/auth/v2/check", parameters)
    assert served[0].requests()[-1].signature_version == version


@pytest.mark.parametrize(("version", "digest"), VERSIONS)
@given(username=values.filter(str.strip), more=st.dictionaries(values.filter(bool), values, max_size=3))
@on_the_wire
def test_bodies_verify_and_arrive_as_they_were_meant(
    served: tuple[DuoSimulator, Application], version: int, digest: object, username: str, more: dict[str, str]
) -> None:
    duo, _ = served
    reserved = {"user_id", "ipaddr", "trusted_device_token", "text_prompt", "client_supports_verified_push"}
    parameters = {name: value for name, value in more.items() if name not in reserved} | {"username": username}
    duo.add_user(username)
    client = client_of(served, version, digest)
    assert client.json_api_call("POST", "/auth/v2/preauth", parameters)["result"] == "auth"
    assert duo.requests()[-1].signature_version == version
    assert duo.requests()[-1].parameters["username"] == username


@given(headers=st.dictionaries(header_names, header_values, max_size=4))
@on_the_wire
def test_headers_of_its_own_verify(served: tuple[DuoSimulator, Application], headers: dict[str, str]) -> None:
    headers = {name: value for name, value in headers.items() if name.lower() != "x-duo-date"}
    if len({name.lower() for name in headers}) < len(headers):
        return
    client = client_of(served, 5, hashlib.sha512)
    response, _ = client.api_call("GET", "/auth/v2/check", {}, additional_headers=headers)
    assert response.status == 200
