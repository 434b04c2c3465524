"""A real OpenLDAP server as a child process: own directory, own port, own people, gone afterwards."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from casduo.simulators.certificates import LeafFiles
from tests.support.ports import free_ports

SLAPD = "/usr/sbin/slapd"
BASE = "dc=example,dc=edu"
PEOPLE = f"ou=people,{BASE}"
READER = f"cn=reader,{BASE}"
READER_PASSWORD = "reads-only"

_START_WITHIN = 10.0

_CONFIG = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
moduleload memberof
pidfile {directory}/slapd.pid
argsfile {directory}/slapd.args
{tls}
{globally}
database mdb
suffix "{base}"
rootdn "cn=root,{base}"
directory {directory}/data
maxsize 16777216
dbnosync
index uid eq
overlay ppolicy
ppolicy_default "cn=default,ou=policies,{base}"
ppolicy_use_lockout
overlay memberof
access to attrs=userPassword by anonymous auth by * none
access to * by {readers} read by self read by * none
"""

_POLICY = """\
dn: cn={name},ou=policies,{base}
objectClass: device
objectClass: pwdPolicy
cn: {name}
pwdAttribute: userPassword
pwdMustChange: TRUE
{rules}

"""
_POLICIES = {
    "default": "pwdLockout: TRUE",
    "lockable": "pwdLockout: TRUE\npwdMaxFailure: 3\npwdLockoutDuration: 0",
    "expiring": "pwdMaxAge: 86400\npwdExpireWarning: 172800",
    "expired": "pwdMaxAge: 86400\npwdGraceAuthNLimit: 0",
    "grace": "pwdMaxAge: 86400\npwdGraceAuthNLimit: 3",
}


def person(uid: str, password: str, *lines: str) -> str:
    """Return the LDIF of a person. ``lines`` are further LDIF lines, such as ``mail: ada@example.edu``."""
    rdn = base64.b64encode(f"uid={_escaped(uid)},{PEOPLE}".encode()).decode()
    name = base64.b64encode(uid.encode()).decode()
    rest = "".join(f"{line}\n" for line in lines)
    return (
        f"dn:: {rdn}\nobjectClass: inetOrgPerson\nuid:: {name}\ncn: {uid.encode().hex()}\nsn: Person\n"
        f"userPassword: {_ssha(password)}\n{rest}\n"
    )


def governed_by(policy: str) -> str:
    """Return the LDIF line that puts a person under one of this server's policies."""
    return f"pwdPolicySubentry: cn={policy},ou=policies,{BASE}"


class Slapd:
    """One server. A context manager; :meth:`stop` and :meth:`start` in between act out a restart.

    :param directory: an empty or missing directory for everything it writes.
    :param people: LDIF of each, see :func:`person`.
    :param tls: certificate for ``ldaps://`` and StartTLS; None: neither is offered.
    :param globally: further lines of the global section of slapd.conf.
    :param readers: who may read everybody, as slapd.access(5) names them.
    """

    def __init__(
        self,
        directory: Path,
        people: Iterable[str],
        *,
        tls: LeafFiles | None = None,
        globally: str = "",
        readers: str = f'dn.exact="{READER}"',
    ) -> None:
        if not os.access(SLAPD, os.X_OK):
            raise RuntimeError(f"these tests need OpenLDAP's server at {SLAPD} (Debian: apt install slapd)")
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self.port, self.secure_port = free_ports(2)
        self._secure = tls is not None
        (directory / "data").mkdir(parents=True)
        config = _CONFIG.format(
            directory=directory, tls=_certificate(tls), globally=globally, base=BASE, readers=readers
        )
        (directory / "slapd.conf").write_text(config)
        self._load("".join([_tree(), *people]))

    @property
    def url(self) -> str:
        """Address without TLS, or with StartTLS."""
        return f"ldap://localhost:{self.port}"

    @property
    def secure_url(self) -> str:
        """Address with TLS from the start."""
        return f"ldaps://localhost:{self.secure_port}"

    def __enter__(self) -> Slapd:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()
        shutil.rmtree(self._directory)

    def start(self) -> None:
        """Start, and return when connections are taken."""
        addresses = f"ldap://127.0.0.1:{self.port}" + (f" ldaps://127.0.0.1:{self.secure_port}" if self._secure else "")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [SLAPD, "-f", str(self._directory / "slapd.conf"), "-h", addresses, "-d", "stats"], stderr=log
            )
        self._await_start(self._process)

    def stop(self) -> None:
        """Stop, and return when it has ended. Without effect on a server that does not run."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_START_WITHIN)
            self._process = None

    def binds(self) -> list[str]:
        """Return the names of all binds so far, in order, failed ones included."""
        return re.findall(r'BIND dn="(.*)" method=', self._log.read_text())

    def searches(self) -> int:
        """Return how many searches there were so far."""
        return self._log.read_text().count(" SRCH base=")

    @property
    def _log(self) -> Path:
        return self._directory / "log"

    def _load(self, ldif: str) -> None:
        loaded = subprocess.run(
            ["/usr/sbin/slapadd", "-q", "-f", str(self._directory / "slapd.conf")],
            input=ldif.encode(),
            capture_output=True,
            check=False,
        )
        if loaded.returncode:
            raise RuntimeError(f"slapadd refuses the test's people:\n{loaded.stderr.decode()}")

    def _await_start(self, process: subprocess.Popen[bytes]) -> None:
        awaited = [self.port] + ([self.secure_port] if self._secure else [])
        until = time.monotonic() + _START_WITHIN
        while time.monotonic() < until:
            if process.poll() is not None:
                raise RuntimeError(f"slapd ended with {process.returncode}:\n{self._log.read_text()[-2000:]}")
            awaited = [port for port in awaited if not _takes_connections(port)]
            if not awaited:
                return
            time.sleep(0.002)
        raise RuntimeError(f"slapd took no connection within {_START_WITHIN} seconds")


def _takes_connections(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _certificate(tls: LeafFiles | None) -> str:
    if tls is None:
        return ""
    return f"TLSCACertificateFile {tls.ca}\nTLSCertificateFile {tls.cert}\nTLSCertificateKeyFile {tls.key}"


def _tree() -> str:
    policies = "".join(_POLICY.format(name=name, base=BASE, rules=rules) for name, rules in _POLICIES.items())
    units = "".join(
        f"dn: ou={unit},{BASE}\nobjectClass: organizationalUnit\nou: {unit}\n\n" for unit in ("people", "policies")
    )
    return (
        f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n\n"
        f"{units}{policies}"
        f"dn: {READER}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: reader\n"
        f"userPassword: {_ssha(READER_PASSWORD)}\n\n"
        # Every search meets this reference to another server; nobody listens there.
        f"dn: ou=elsewhere,{PEOPLE}\nobjectClass: referral\nobjectClass: extensibleObject\nou: elsewhere\n"
        f"ref: ldap://127.0.0.1:9/ou=people,{BASE}\n\n"
    )


def _ssha(password: str) -> str:
    salt = b"a test's salt"
    digest = hashlib.sha1(password.encode() + salt, usedforsecurity=False).digest()
    return "{SSHA}" + base64.b64encode(digest + salt).decode()


def _escaped(value: str) -> str:
    # Every octet as \xx (RFC 4514, 2.4): clumsy, right, and not the code under test.
    return "".join(f"\\{octet:02x}" for octet in value.encode())
