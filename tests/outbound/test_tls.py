"""What a server shows and who vouches for it, looked at on real sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from casduo.errors import UpstreamError, UpstreamMisconfigured, UpstreamUnavailable
from casduo.outbound.tls import (
    Authorities,
    Destination,
    ProxyRefused,
    Verdict,
    addresses_of,
    reach,
    shown_by,
    shown_from,
    time_told_by,
    verdict_on,
    verdict_on_files,
)
from casduo.simulators.certificates import CertificateAuthority, LeafFiles

DAY = 86_400.0


@dataclass
class Authority:
    """An authority that signs whatever it is told to, other authorities included."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def made(cls, name: x509.Name, signer: Authority | None = None) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = signer.certificate.subject if signer else name
        builder = _builder(name, issuer, key).add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        return cls(builder.sign(signer.key if signer else key, hashes.SHA256()), key)

    def leaf(self, directory: Path, name: x509.Name, *names: x509.GeneralName, since: float = -1.0) -> LeafFiles:
        """Sign a server's certificate; ``since`` is in days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(name, self.certificate.subject, key, since)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        return _written(directory, key, builder.sign(self.key, hashes.SHA256()), self.certificate)

    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def _builder(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, since: float = -1.0
) -> x509.CertificateBuilder:
    start = datetime.now(UTC) + timedelta(days=since)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=30))
    )


def _written(
    directory: Path, key: ec.EllipticCurvePrivateKey, leaf: x509.Certificate, issuer: x509.Certificate
) -> LeafFiles:
    encoding = serialization.Encoding.PEM
    directory.mkdir(exist_ok=True)
    files = LeafFiles(directory / "leaf.crt", directory / "leaf.key", directory / "ca.crt")
    files.cert.write_bytes(leaf.public_bytes(encoding) + issuer.public_bytes(encoding))
    files.key.write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    files.ca.write_bytes(issuer.public_bytes(encoding))
    return files


def name(common: str, organization: str = "") -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organization:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(attributes)


def nothing(peer: Any, connection: socket.socket) -> None:
    """Shake hands if that is what there is to do, and read until the other side leaves."""
    while connection.recv(4096):
        pass


def tunnel(peer: Any, connection: socket.socket) -> None:
    """A web proxy that lets through."""
    target = peer.read_request(connection).split(" ")[1]
    with socket.create_connection(("127.0.0.1", int(target.rpartition(":")[2]))) as there:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = threading.Thread(target=_splice, args=(there, connection))
        back.start()
        _splice(connection, there)
        back.join(5)


def _splice(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    for each in (one, other):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def saying(answer: bytes) -> Callable[[Any, socket.socket], None]:
    def serve(peer: Any, connection: socket.socket) -> None:
        if peer.read_request(connection):
            connection.sendall(answer)

    return serve


def at(port: int, **changes: Any) -> Destination:
    return Destination("localhost", port, **{"connect_timeout": 5.0, "answer_timeout": 5.0, **changes})


def failure_of(call: Callable[[], object]) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        call()
    return caught.value


def trusting(*files: LeafFiles | CertificateAuthority) -> Authorities:
    return Authorities(tuple(str(each.ca if isinstance(each, LeafFiles) else each.ca_file) for each in files))


# --- what is shown ---------------------------------------------------------------------------------------------------


def test_a_chain_is_shown_whole_whoever_vouches_for_it(make_peer: Any, tmp_path: Path) -> None:
    root = Authority.made(name("Acme Root"))
    proxy = Authority.made(name("Acme Web Gateway", "Acme, Inc."), root)
    leaf = proxy.leaf(tmp_path, name("api.example.edu", "Example"), x509.DNSName("api.example.edu"))
    first, second = shown_by(at(make_peer(nothing, leaf).port))
    assert (first.subject, first.issuer) == ("CN=api.example.edu, O=Example", "CN=Acme Web Gateway, O=Acme, Inc.")
    assert (second.subject, second.issuer) == ("CN=Acme Web Gateway, O=Acme, Inc.", "CN=Acme Root")
    assert first.names == ("api.example.edu",)
    assert first.since < time.time() < first.until
    assert first.until - first.since == 30 * DAY
    der = x509.load_pem_x509_certificate(leaf.cert.read_bytes())
    assert first.fingerprint == der.fingerprint(hashes.SHA256()).hex()


def test_names_and_addresses_are_both_names(make_peer: Any, authority: CertificateAuthority) -> None:
    (leaf,) = shown_by(at(make_peer(nothing, authority.issue(["api.example.edu"])).port))
    assert leaf.names == ("localhost", "api.example.edu", "127.0.0.1")


def test_a_certificate_without_names_is_shown_too(make_peer: Any, tmp_path: Path) -> None:
    leaf = Authority.made(name("Acme Root")).leaf(tmp_path, x509.Name([]))
    first, _ = shown_by(at(make_peer(nothing, leaf).port))
    assert (first.subject, first.names) == ("", ())


# --- who vouches -----------------------------------------------------------------------------------------------------


def test_whoever_trusts_the_authority_is_content(make_peer: Any, authority: CertificateAuthority) -> None:
    destination = at(make_peer(nothing, authority.issue()).port)
    assert verdict_on(destination, trusting(authority)) is Verdict.TRUSTED


def test_one_of_several_authorities_is_enough(
    make_peer: Any, authority: CertificateAuthority, stranger: CertificateAuthority
) -> None:
    destination = at(make_peer(nothing, authority.issue()).port)
    assert verdict_on(destination, trusting(stranger, authority)) is Verdict.TRUSTED
    assert verdict_on(destination, trusting(stranger)) is Verdict.UNKNOWN_AUTHORITY
    assert verdict_on(destination, Authorities(system=True)) is Verdict.UNKNOWN_AUTHORITY


def test_a_certificate_for_somebody_else(make_peer: Any, authority: CertificateAuthority) -> None:
    destination = at(make_peer(nothing, authority.issue(["api.example.edu"], localhost=False)).port)
    assert verdict_on(destination, trusting(authority)) is Verdict.WRONG_NAME


def test_an_address_that_the_certificate_does_not_have(make_peer: Any, authority: CertificateAuthority) -> None:
    leaf = authority.issue(["api.example.edu"], localhost=False)
    destination = Destination("127.0.0.1", make_peer(nothing, leaf).port)
    assert verdict_on(destination, trusting(authority)) is Verdict.WRONG_NAME


def test_an_expired_certificate(make_peer: Any, authority: CertificateAuthority) -> None:
    destination = at(make_peer(nothing, authority.issue(expired=True)).port)
    assert verdict_on(destination, trusting(authority)) is Verdict.EXPIRED


def test_a_certificate_of_tomorrow(make_peer: Any, tmp_path: Path) -> None:
    root = Authority.made(name("Root"))
    leaf = root.leaf(tmp_path, name("localhost"), x509.DNSName("localhost"), since=1.0)
    assert verdict_on(at(make_peer(nothing, leaf).port), trusting(leaf)) is Verdict.NOT_YET_VALID


def test_a_forged_certificate_is_refused(make_peer: Any, tmp_path: Path) -> None:
    real, forger = Authority.made(name("Root")), Authority.made(name("Root"))
    leaf = forger.leaf(tmp_path, name("localhost"), x509.DNSName("localhost"))
    leaf.ca.write_bytes(real.pem())
    assert verdict_on(at(make_peer(nothing, leaf).port), trusting(leaf)) in (
        Verdict.REFUSED,
        Verdict.UNKNOWN_AUTHORITY,
    )


def test_a_file_of_authorities_that_cannot_be_used(make_peer: Any, leaf: LeafFiles, tmp_path: Path) -> None:
    destination = at(make_peer(nothing, leaf).port)
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("not PEM")
    for file in (tmp_path / "missing.pem", garbage):
        for files in ((str(file),), (str(leaf.ca), str(file))):
            failure = failure_of(lambda files=files: verdict_on(destination, Authorities(files)))
            assert isinstance(failure, UpstreamMisconfigured)
            assert failure.detail == "ca_file"


# --- what does not come about ----------------------------------------------------------------------------------------


@pytest.fixture
def leaf(authority: CertificateAuthority) -> LeafFiles:
    return authority.issue()


def test_a_name_that_nobody_has() -> None:
    failure = failure_of(lambda: addresses_of("nowhere.invalid"))
    assert isinstance(failure, UpstreamUnavailable)
    assert failure.detail == "dns"
    assert failure_of(lambda: reach(Destination("nowhere.invalid"))).detail == "dns"
    assert failure_of(lambda: addresses_of("a" * 70 + ".example")).detail == "dns"


def test_the_addresses_of_a_name_come_once_each() -> None:
    addresses = addresses_of("localhost")
    assert "127.0.0.1" in addresses
    assert len(set(addresses)) == len(addresses)


def test_a_port_that_refuses(free_port: int) -> None:
    assert failure_of(lambda: reach(at(free_port))).detail == "refused"
    assert failure_of(lambda: shown_by(at(free_port))).detail == "refused"


def test_a_server_can_be_reached_without_a_word_of_tls(make_peer: Any) -> None:
    peer = make_peer(nothing)
    reach(at(peer.port))
    assert peer.requests == []


def test_a_server_that_says_nothing(make_peer: Any) -> None:
    destination = at(make_peer(nothing).port, answer_timeout=0.1)
    reach(destination)
    assert failure_of(lambda: shown_by(destination)).detail == "timeout"
    assert failure_of(lambda: verdict_on(destination, Authorities(system=True))).detail == "timeout"


def test_a_server_that_hangs_up(make_peer: Any) -> None:
    destination = at(make_peer(lambda peer, connection: connection.recv(1)).port)
    assert failure_of(lambda: shown_by(destination)).detail == "reset"


def test_a_server_that_speaks_no_tls(make_peer: Any) -> None:
    destination = at(make_peer(lambda peer, connection: connection.sendall(b"220 mail.example.edu ESMTP\r\n")).port)
    assert failure_of(lambda: shown_by(destination)).detail == "no_tls"
    assert failure_of(lambda: verdict_on(destination, Authorities(system=True))).detail == "no_tls"


# --- through a web proxy ---------------------------------------------------------------------------------------------


def test_a_proxy_is_asked_to_connect_and_gets_its_password_alone(
    make_peer: Any, authority: CertificateAuthority, leaf: LeafFiles
) -> None:
    proxy, server = make_peer(tunnel), make_peer(saying(b"HTTP/1.1 204 No Content\r\n\r\n"), leaf)
    destination = at(server.port, proxy=f"http://ada:love%40lace@localhost:{proxy.port}")
    assert destination.first_hop == ("localhost", proxy.port)
    assert verdict_on(destination, trusting(authority)) is Verdict.TRUSTED
    assert shown_by(destination)[0].names == ("localhost", "127.0.0.1")
    time_told_by(destination)
    assert all(request.startswith(f"CONNECT localhost:{server.port} HTTP/1.1\r\n") for request in proxy.requests)
    assert "Proxy-Authorization: Basic YWRhOmxvdmVAbGFjZQ==" in proxy.requests[0]
    assert "authorization" not in "".join(server.requests).lower()
    assert "lace" not in repr(destination)


@pytest.mark.parametrize("status", [403, 407, 502])
def test_a_proxy_that_refuses_says_how(make_peer: Any, status: int) -> None:
    proxy = make_peer(saying(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode()))
    failure = failure_of(lambda: reach(at(1, proxy=f"http://localhost:{proxy.port}")))
    assert isinstance(failure, ProxyRefused)
    assert (failure.status, failure.detail) == (status, "proxy_refused")


def test_a_proxy_that_is_none(make_peer: Any) -> None:
    proxy = make_peer(saying(b"250 pleased to meet you\r\n"))
    assert failure_of(lambda: reach(at(1, proxy=f"http://localhost:{proxy.port}"))).detail == "unreadable"


def test_a_proxy_that_is_down(free_port: int) -> None:
    assert failure_of(lambda: reach(at(1, proxy=f"http://localhost:{free_port}"))).detail == "refused"


def test_a_proxy_without_a_port_has_the_usual_one() -> None:
    assert Destination("api.example.edu", proxy="http://proxy.example.edu").first_hop == ("proxy.example.edu", 80)
    assert Destination("api.example.edu", proxy="https://proxy.example.edu").first_hop == ("proxy.example.edu", 443)


# --- what time it is there -------------------------------------------------------------------------------------------


def test_the_time_is_told_by_a_server_that_nobody_vouches_for(make_peer: Any, stranger: CertificateAuthority) -> None:
    told = 1_800_000_000.0
    answer = f"HTTP/1.1 404 Not Found\r\nDate: {formatdate(told, usegmt=True)}\r\nContent-Length: 0\r\n\r\n"
    peer = make_peer(saying(answer.encode()), stranger.issue(expired=True))
    assert time_told_by(at(peer.port)) == told
    assert peer.requests == ["GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nDate: tomorrow\r\nContent-Length: 0\r\n\r\n",
        b"hello\r\n\r\n",
        b"",
    ],
)
def test_a_server_that_does_not_tell_the_time(make_peer: Any, leaf: LeafFiles, answer: bytes) -> None:
    assert time_told_by(at(make_peer(saying(answer), leaf).port)) is None


def test_a_server_that_is_away_tells_no_time(free_port: int) -> None:
    assert time_told_by(at(free_port)) is None


# --- our own files ---------------------------------------------------------------------------------------------------


def test_files_are_judged_as_a_browser_would_judge_the_server(
    authority: CertificateAuthority, stranger: CertificateAuthority
) -> None:
    leaf = authority.issue(["sso.example.edu"])
    (certificate,) = shown_from(leaf.cert, leaf.key)
    assert "sso.example.edu" in certificate.names

    def verdict(files: LeafFiles, host: str, authorities: Authorities) -> Verdict:
        return verdict_on_files(files.cert, files.key, host, authorities)

    assert verdict(leaf, "sso.example.edu", trusting(authority)) is Verdict.TRUSTED
    assert verdict(leaf, "other.example.edu", trusting(authority)) is Verdict.WRONG_NAME
    assert verdict(leaf, "sso.example.edu", trusting(stranger)) is Verdict.UNKNOWN_AUTHORITY
    expired = authority.issue(["sso.example.edu"], expired=True)
    assert verdict(expired, "sso.example.edu", trusting(authority)) is Verdict.EXPIRED


def test_files_that_no_server_can_use(authority: CertificateAuthority, tmp_path: Path) -> None:
    one, other = authority.issue(["ada.example.edu"]), authority.issue(["grace.example.edu"])
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("not PEM")
    key = serialization.load_pem_private_key(one.key.read_bytes(), None)
    encrypted = tmp_path / "encrypted.key"
    encrypted.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"lovelace"),
        )
    )

    def detail(certificate: Path, key: Path) -> str:
        failure = failure_of(lambda: shown_from(certificate, key))
        assert isinstance(failure, UpstreamMisconfigured)
        return failure.detail

    assert detail(one.cert, other.key) == "key_mismatch"
    assert detail(one.cert, tmp_path / "missing.key") == "file"
    assert detail(garbage, one.key) == "not_pem"
    assert detail(one.cert, encrypted) == "not_pem"
