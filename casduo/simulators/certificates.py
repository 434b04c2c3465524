"""A certificate authority of our own, so that simulators and the demo speak real TLS with names clients accept."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, get_args

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from casduo.simulators.files import write_file

CertificateFault = Literal["other_authority", "wrong_name", "expired"]

CERTIFICATE_FAULTS: tuple[CertificateFault, ...] = get_args(CertificateFault)

_CA_LIFETIME = timedelta(days=3650)
_LEAF_LIFETIME = timedelta(days=365)
_BACKDATE = timedelta(hours=1)
"""How far certificates begin in the past: a client's clock may be a little behind."""


@dataclass(frozen=True, slots=True)
class LeafFiles:
    """Where a server finds its certificate.

    :param cert: PEM file of the certificate.
    :param key: PEM file of the private key, readable by its owner only.
    :param ca: PEM file of the authority that signed it: what a client must trust.
    """

    cert: Path
    key: Path
    ca: Path


class CertificateAuthority:
    """Signs server certificates. Make one with :meth:`create` or :meth:`load_or_create`."""

    def __init__(self, directory: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self._directory = directory
        self._certificate = certificate
        self._key = key

    @property
    def ca_file(self) -> Path:
        """PEM file with the authority's certificate."""
        return self._directory / "ca.crt"

    @classmethod
    def create(
        cls, directory: Path, name: str = "casduo local authority", *, lifetime: timedelta = _CA_LIFETIME
    ) -> CertificateAuthority:
        """Make a new authority and write ``ca.crt`` and ``ca.key`` into ``directory``, which is created if missing.

        :param name: common name of the authority; give two authorities in one test different ones.
        :param lifetime: how long it is valid from now on.
        """
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _BACKDATE)
            .not_valid_after(now + lifetime)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(certificate_signing=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        authority = cls(directory, certificate, key)
        write_file(authority.ca_file, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)
        write_file(directory / "ca.key", _private_pem(key), mode=0o600)
        return authority

    @classmethod
    def load_or_create(cls, directory: Path, name: str = "casduo local authority") -> CertificateAuthority:
        """Return the authority whose files lie in ``directory``; make a new one if there is none or it ran out."""
        try:
            certificate = x509.load_pem_x509_certificate((directory / "ca.crt").read_bytes())
            key = serialization.load_pem_private_key((directory / "ca.key").read_bytes(), password=None)
        except FileNotFoundError:
            return cls.create(directory, name)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{directory / 'ca.key'} is not a key this authority made")
        if certificate.not_valid_after_utc < datetime.now(UTC) + _LEAF_LIFETIME:
            return cls.create(directory, name)
        return cls(directory, certificate, key)

    def issue_wrong(self, fault: CertificateFault) -> LeafFiles:
        """Make a server certificate that a client who trusts this authority must refuse."""
        if fault == "other_authority":
            other = CertificateAuthority.create(self._directory / "other", "another authority")
            return other.issue()
        if fault == "wrong_name":
            return self.issue(["wrong.example.org"], localhost=False)
        return self.issue(expired=True)

    def issue(self, names: Sequence[str] = (), *, localhost: bool = True, expired: bool = False) -> LeafFiles:
        """Make a server certificate and write it beside the authority's own files, under all its names: it takes the
        place of an older one for the same names, and of no other.

        :param names: further DNS names. Official Duo clients accept DNS names only, never an address.
        :param localhost: also name ``localhost`` and 127.0.0.1; False makes a certificate with the wrong name, and
            then ``names`` must not be empty.
        :param expired: end yesterday, to see what a client does with it.
        :raises ValueError: no name at all.
        """
        dns_names = [*(["localhost"] if localhost else []), *(name for name in names if name != "localhost")]
        if not dns_names:
            raise ValueError("a certificate needs at least one name")
        key = ec.generate_private_key(ec.SECP256R1())
        until = datetime.now(UTC) + (-timedelta(days=1) if expired else _LEAF_LIFETIME)
        since = until - timedelta(days=30) if expired else datetime.now(UTC) - _BACKDATE
        alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in dns_names]
        if localhost:
            alternatives.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, dns_names[-1][:64])]))
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(since)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(certificate_signing=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        stem = _file_stem("_".join(dns_names)) + ("-expired" if expired else "")
        leaf = LeafFiles(self._directory / f"{stem}.crt", self._directory / f"{stem}.key", self.ca_file)
        write_file(leaf.cert, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)
        write_file(leaf.key, _private_pem(key), mode=0o600)
        return leaf


def _key_usage(*, certificate_signing: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificate_signing,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificate_signing,
        crl_sign=certificate_signing,
        encipher_only=False,
        decipher_only=False,
    )


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _file_stem(name: str) -> str:
    # "ca" would overwrite the authority itself.
    stem = re.sub(r"[^A-Za-z0-9.-]", "_", name)
    return f"leaf-{stem}"
