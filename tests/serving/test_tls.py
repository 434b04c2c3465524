"""TLS by casduo itself: which versions and ciphers it speaks, under both servers."""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Iterator

import pytest

from casduo.simulators.certificates import CertificateAuthority
from tests.support.served import Served, serving


@pytest.fixture(scope="module", params=["granian", "gunicorn"])
def served(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    valkey_url: str,
    authority: CertificateAuthority,
) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("tls")
    with serving(directory, valkey_url, tls=authority.issue(), server=request.param) as found:
        yield found


def spoken(served: Served, highest: ssl.TLSVersion, ciphers: str = "") -> str:
    """Return the version that both sides agree on where the client knows none above ``highest``.

    :raises ssl.SSLError: they do not agree
    """
    context = ssl.create_default_context(cafile=served.ca)
    with warnings.catch_warnings():
        # Python warns of versions that it is asked to speak here so that it is refused.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = highest
    # Else the client's own library would not even try.
    context.set_ciphers(ciphers or "ALL:@SECLEVEL=0")
    with (
        socket.create_connection(served.address, timeout=30) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as connection,
    ):
        return str(connection.version())


def test_old_versions_are_not_spoken(served: Served) -> None:
    assert spoken(served, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    for old in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            spoken(served, old)


def test_only_ciphers_with_forward_secrecy_are_taken(served: Served) -> None:
    """TLS 1.3 has no others. Where 1.2 is spoken, a client that knows only key exchange by RSA gets no connection."""
    with pytest.raises((ssl.SSLError, ConnectionError)):
        spoken(served, ssl.TLSVersion.TLSv1_2, "kRSA:@SECLEVEL=0")
