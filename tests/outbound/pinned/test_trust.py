"""Pinned requests: whose certificate is trusted, and for which name."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509 import CertificateBuilder, Name, NameAttribute, load_pem_x509_certificate, random_serial_number
from cryptography.x509.oid import NameOID

from casduo.errors import UpstreamMisconfigured, UpstreamUnavailable
from casduo.outbound.failures import UpstreamUntrusted
from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from tests.outbound.pinned.peers import Client, Names, failure_of, hold, serve_fine


def test_the_certificate_is_for_the_name_and_the_name_is_sent(
    make_peer: Any, client: Client, authority: CertificateAuthority
) -> None:
    peer = make_peer(serve_fine, authority.issue(["portal.example.edu"], localhost=False))
    announced: list[str | None] = []
    peer._tls.sni_callback = lambda _, name, __: announced.append(name)
    http = client(resolve=Names(["127.0.0.1"]))
    assert http.send("GET", f"https://Portal.Example.edu:{peer.port}/", private=True).status == 200
    assert announced == ["portal.example.edu"]
    assert f"Host: portal.example.edu:{peer.port}\r\n" in peer.requests[0]


def test_an_address_may_stand_in_the_certificate(make_peer: Any, client: Client, leaf: LeafFiles) -> None:
    peer = make_peer(serve_fine, leaf)
    assert client().send("GET", f"https://127.0.0.1:{peer.port}/", private=True).status == 200


def test_a_name_counts_only_where_names_of_servers_stand(
    make_peer: Any, client: Client, authority: CertificateAuthority, tmp_path: Path
) -> None:
    peer = make_peer(serve_fine, with_common_name_only(authority, tmp_path, "portal.example.edu"))
    http = client(resolve=Names(["127.0.0.1"]))
    failure = failure_of(lambda: http.send("GET", f"https://portal.example.edu:{peer.port}/", private=True))
    assert isinstance(failure, UpstreamUntrusted)


def with_common_name_only(authority: CertificateAuthority, directory: Path, name: str) -> LeafFiles:
    signer = load_pem_x509_certificate(authority.ca_file.read_bytes())
    signing_key: Any = load_pem_private_key((authority.ca_file.parent / "ca.key").read_bytes(), None)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        CertificateBuilder(
            issuer_name=signer.subject,
            subject_name=Name([NameAttribute(NameOID.COMMON_NAME, name)]),
            public_key=key.public_key(),
            serial_number=random_serial_number(),
            not_valid_before=signer.not_valid_before_utc,
            not_valid_after=signer.not_valid_after_utc,
        )
    ).sign(signing_key, SHA256())
    leaf = LeafFiles(directory / "leaf.crt", directory / "leaf.key", authority.ca_file)
    leaf.cert.write_bytes(certificate.public_bytes(Encoding.PEM))
    leaf.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return leaf


def test_the_other_side_is_told_why_its_certificate_was_refused(
    make_peer: Any, client: Client, stranger: CertificateAuthority
) -> None:
    heard: list[str] = []

    def serve(peer: Any, connection: socket.socket) -> None:
        try:
            peer.read_request(connection)
        except ssl.SSLError as error:
            heard.append(str(error.reason))

    peer = make_peer(serve, stranger.issue())
    assert isinstance(failure_of(lambda: client().send("GET", peer.url, private=True)), UpstreamUntrusted)
    peer.close()
    assert heard == ["TLSV1_ALERT_UNKNOWN_CA"]


def test_an_international_name_is_used_in_its_ascii_form(
    make_peer: Any, client: Client, authority: CertificateAuthority
) -> None:
    name = "xn--mnchen-3ya.example.edu"
    peer, names = make_peer(serve_fine, authority.issue([name], localhost=False)), Names(["127.0.0.1"])
    assert client(resolve=names).send("GET", f"https://{name}:{peer.port}/", private=True).status == 200
    assert names.asked == [name]


@pytest.mark.parametrize(
    "leaf",
    [
        pytest.param(lambda _, stranger: stranger.issue(["portal.example.edu"]), id="another authority"),
        pytest.param(lambda ours, _: ours.issue(["other.example.edu"], localhost=False), id="another name"),
        pytest.param(lambda ours, _: ours.issue(), id="the address alone"),
        pytest.param(lambda ours, _: ours.issue(["portal.example.edu"], expired=True), id="expired"),
    ],
)
def test_a_certificate_that_does_not_verify_is_never_an_outage_and_gets_no_request(
    make_peer: Any, client: Client, authority: CertificateAuthority, stranger: CertificateAuthority, leaf: Any
) -> None:
    peer = make_peer(serve_fine, leaf(authority, stranger))
    http = client(resolve=Names(["127.0.0.1"]))
    failure = failure_of(lambda: http.send("GET", f"https://portal.example.edu:{peer.port}/", private=True))
    assert isinstance(failure, UpstreamUntrusted)
    assert not isinstance(failure, UpstreamUnavailable)
    peer.close()
    assert peer.requests == []


def test_plain_http_where_tls_is_expected_is_never_an_outage(make_peer: Any, client: Client) -> None:
    def serve(_: Any, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        hold(connection)

    peer = make_peer(serve)
    failure = failure_of(lambda: client().send("GET", f"https://localhost:{peer.port}", private=True))
    assert isinstance(failure, UpstreamUntrusted)


@pytest.mark.parametrize("content", [None, "", "no certificate\n"])
def test_a_file_of_authorities_that_cannot_be_read_is_refused_at_once(
    tmp_path: Path, client: Client, content: str | None
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    failure = failure_of(lambda: client(extra_ca_file=str(file)))
    assert (type(failure), failure.detail) == (UpstreamMisconfigured, "ca_file")
