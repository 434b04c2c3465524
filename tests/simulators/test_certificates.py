"""The authority's certificates are what TLS libraries accept, and the wrong ones are wrong in one way only."""

from __future__ import annotations

import ssl
import stat
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from casduo.simulators.certificates import CertificateAuthority, CertificateFault, LeafFiles


def names_of(path: Path) -> list[str]:
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(
        x509.DNSName
    )


def test_a_leaf_names_localhost_and_what_was_asked_for(authority: CertificateAuthority) -> None:
    assert names_of(authority.issue(["api-casduo01.duo.test"]).cert) == ["localhost", "api-casduo01.duo.test"]


def test_a_leaf_also_names_the_loopback_address(authority: CertificateAuthority) -> None:
    certificate = x509.load_pem_x509_certificate(authority.issue().cert.read_bytes())
    alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(address) for address in alternatives.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_a_leaf_with_the_wrong_name_does_not_name_localhost(authority: CertificateAuthority) -> None:
    assert names_of(authority.issue(["wrong.example.org"], localhost=False).cert) == ["wrong.example.org"]


def test_leaves_for_other_names_lie_in_other_files(authority: CertificateAuthority) -> None:
    ours = authority.issue(["portal.example.edu"])
    others = [
        authority.issue(["portal.example.edu"], localhost=False),
        authority.issue(["portal.example.edu"], expired=True),
        authority.issue(["library.example.edu", "portal.example.edu"]),
        authority.issue(),
    ]
    assert len({leaf.cert for leaf in (ours, *others)}) == 5
    assert names_of(ours.cert) == ["localhost", "portal.example.edu"]


def test_a_leaf_without_any_name_is_refused(authority: CertificateAuthority) -> None:
    with pytest.raises(ValueError, match="at least one name"):
        authority.issue(localhost=False)


def test_private_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    authority = CertificateAuthority.create(tmp_path)
    leaf = authority.issue()
    assert stat.S_IMODE(leaf.key.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "ca.key").stat().st_mode) == 0o600


def test_an_authority_is_found_again(tmp_path: Path) -> None:
    first = CertificateAuthority.load_or_create(tmp_path)
    before = first.ca_file.read_bytes()
    leaf = CertificateAuthority.load_or_create(tmp_path).issue()
    assert first.ca_file.read_bytes() == before
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf.cert, leaf.key)
    assert leaf.ca == first.ca_file


def test_a_directory_that_does_not_exist_is_made(tmp_path: Path) -> None:
    assert CertificateAuthority.load_or_create(tmp_path / "state" / "tls").ca_file.is_file()


def test_a_name_cannot_leave_the_directory(tmp_path: Path) -> None:
    authority = CertificateAuthority.create(tmp_path)
    assert authority.issue(["../escape"]).cert.parent == tmp_path


def test_an_authority_that_would_not_outlive_its_certificates_is_replaced(tmp_path: Path) -> None:
    first = CertificateAuthority.create(tmp_path, lifetime=timedelta(days=364)).ca_file.read_bytes()
    assert CertificateAuthority.load_or_create(tmp_path).ca_file.read_bytes() != first


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    CertificateAuthority.create(tmp_path)
    foreign = ed25519.Ed25519PrivateKey.generate()
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (tmp_path / "ca.key").write_bytes(foreign.private_bytes(encoding, form, serialization.NoEncryption()))
    with pytest.raises(ValueError, match="not a key this authority made"):
        CertificateAuthority.load_or_create(tmp_path)


@pytest.mark.parametrize(
    ("fault", "message"),
    [("other_authority", "issuer"), ("wrong_name", "Hostname mismatch"), ("expired", "expired")],
)
def test_a_wrong_certificate_is_wrong_in_one_way(tmp_path: Path, fault: CertificateFault, message: str) -> None:
    authority = CertificateAuthority.create(tmp_path)
    leaf = authority.issue_wrong(fault)
    with pytest.raises(ssl.SSLCertVerificationError, match=message):
        shake_hands(leaf, authority)
    shake_hands(authority.issue(), authority)


def shake_hands(leaf: LeafFiles, authority: CertificateAuthority) -> None:
    """Have a client that trusts the authority look at a certificate, in memory."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(leaf.cert, leaf.key)
    trusting = ssl.create_default_context(cafile=authority.ca_file)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(back, there, server_hostname="localhost")
    server = serving.wrap_bio(there, back, server_side=True)
    for _ in range(3):
        for side in (client, server):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
