"""What the demo keeps from one start to the next: a directory with certificates, keys, users and the server's data."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from casduo.authentication.passwords import Argon2Settings, Passwords
from casduo.authentication.users_document import read_users
from casduo.authentication.users_editor import add_user
from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from casduo.simulators.demo.errors import StateUnusable
from casduo.simulators.demo.people import PEOPLE
from casduo.simulators.duo.model import new_id, new_secret_key
from casduo.simulators.files import write_file

ARGON2 = Argon2Settings(memory_kib=8192)
"""Real hashes that are made in a few milliseconds: the first start makes one for everybody."""

_MARGIN = timedelta(days=30)
"""A certificate that ends sooner is replaced."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Secrets of the demo, made at its first start.

    :param duo_client_id: the sign-in server's name at Duo, 20 characters.
    :param duo_client_secret: its secret there, 40 characters.
    :param duo_api_key: the same for Duo's Auth API, by which devices are registered.
    :param duo_api_secret: its secret there.
    :param apps_secret: signs the applications' cookies.
    :param ucm_axl_password: of the sign-in server's account at the UCM that looks people up.
    :param ucm_em_password: of its account there that logs people in on phones.
    :param webex_token: of the bot that posts for the sign-in server.
    :param webex_webhook_secret: signs what Webex tells the sign-in server.
    """

    duo_client_id: str = field(default_factory=lambda: new_id("DI"))
    duo_client_secret: str = field(default_factory=new_secret_key, repr=False)
    duo_api_key: str = field(default_factory=lambda: new_id("DI"))
    duo_api_secret: str = field(default_factory=new_secret_key, repr=False)
    apps_secret: str = field(default_factory=lambda: secrets.token_urlsafe(36), repr=False)
    ucm_axl_password: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    ucm_em_password: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    webex_token: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)
    webex_webhook_secret: str = field(default_factory=lambda: secrets.token_urlsafe(36), repr=False)


@dataclass(frozen=True, slots=True)
class State:
    """The directory. Only its owner can read it."""

    directory: Path

    @property
    def settings_file(self) -> Path:
        """The sign-in server's settings, written at every start."""
        return self.directory / "casduo.yaml"

    @property
    def registry_file(self) -> Path:
        """The registered services; people may edit it."""
        return self.directory / "registry.yaml"

    @property
    def users_file(self) -> Path:
        """Who can sign in; people may edit it."""
        return self.directory / "users.yaml"

    @property
    def server_directory(self) -> Path:
        """Where the sign-in server keeps what must outlive a restart."""
        return self.directory / "server"

    @property
    def valkey_directory(self) -> Path:
        """Where the sign-in server looks for the Valkey that belongs to it."""
        return self.server_directory / "valkey"

    @property
    def webex_file(self) -> Path:
        """What was said in Webex, written at the end of a run."""
        return self.directory / "webex.json"

    @property
    def serve_log(self) -> Path:
        """What the sign-in server writes, since the last start."""
        return self.directory / "serve.log"

    @property
    def apps_log(self) -> Path:
        """What everything else writes, since the last start."""
        return self.directory / "apps.log"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the directory if there is none, and keep it for this process.

        :raises StateUnusable: it cannot be written to, or another demo has it.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self.directory / "demo.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateUnusable(self.directory, (error.strerror or type(error).__name__).lower()) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise StateUnusable(self.directory, "another demo runs with it") from None
        try:
            yield
        finally:
            os.close(descriptor)

    def certificate(self) -> LeafFiles:
        """Return the one certificate for ``localhost`` that all servers show.

        It stays the same as long as it is good: browsers remember the exception that somebody made for it.
        """
        authority = CertificateAuthority.load_or_create(self.directory / "tls", "casduo demo authority")
        stem = authority.ca_file.parent / "leaf-localhost"
        known = LeafFiles(stem.with_suffix(".crt"), stem.with_suffix(".key"), authority.ca_file)
        return known if _is_good(known) else authority.issue()

    def keys(self) -> Keys:
        """Return the keys; make those that are missing."""
        path = self.directory / "keys.json"
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            known = {}
        keys = Keys(**known)
        if asdict(keys) != known:
            write_file(path, (json.dumps(asdict(keys), indent=2) + "\n").encode())
        return keys

    def complete_users(self) -> None:
        """Add those people to the users file who are not in it.

        :raises SettingsError: somebody edited the file and it is wrong now.
        """
        try:
            text = self.users_file.read_text(encoding="utf-8")
        except FileNotFoundError:
            text = ""
        known = read_users(text, str(self.users_file))
        passwords = Passwords(ARGON2)
        for person in PEOPLE:
            if person.username not in known:
                hashed = passwords.hash(person.password)
                add_user(self.users_file, person.username, hashed, name=person.name, attributes=person.attributes)


def _is_good(leaf: LeafFiles) -> bool:
    try:
        certificate, authority = (x509.load_pem_x509_certificate(path.read_bytes()) for path in (leaf.cert, leaf.ca))
        certificate.verify_directly_issued_by(authority)
    except (FileNotFoundError, InvalidSignature, ValueError):
        return False
    return leaf.key.exists() and certificate.not_valid_after_utc > datetime.now(UTC) + _MARGIN
