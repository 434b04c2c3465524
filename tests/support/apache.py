"""Apache with the unmodified mod_auth_cas, run as anybody."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import requests

from casduo.simulators.certificates import LeafFiles
from tests.support.ports import free_ports
from tests.support.visitor import Visitor

_PROGRAM = Path("/usr/sbin/apache2")
_MODULES = Path("/usr/lib/apache2/modules")
_LOADED = ("mpm_event", "authn_core", "authz_core", "authz_user", "alias", "include", "ssl", "auth_cas")

PROTECTED = ("AuthType CAS", "Require valid-user")
"""What every location begins with that lets in whoever has signed in."""


@dataclass(frozen=True)
class Host:
    """One port of Apache.

    :param locations: paths and the directives that hold below each
    :param directives: what mod_auth_cas knows per host only: the version of the protocol, addresses, prefixes.
        ``{url}`` in them stands for the address of the host itself
    :param validate: the endpoint of the server that tickets are validated at
    """

    locations: Mapping[str, Sequence[str]]
    directives: Sequence[str] = ()
    validate: str = "serviceValidate"


@dataclass(frozen=True)
class Apache:
    """A running Apache. ``urls`` are the addresses of its hosts without a slash at the end, in the order given."""

    urls: tuple[str, ...]
    log: Path


@contextmanager
def apache(cas_url: str, tls: LeafFiles, hosts: Sequence[Host], modules: Sequence[str] = ()) -> Iterator[Apache]:
    """Run Apache over TLS on ports of this machine; ends it, and waits for its end, on the way out.

    Every address below a host leads to one page, which shows the variables a CGI program would get.

    :param cas_url: the server's base with a slash at the end
    :param tls: Apache's own certificate; its authority is also the only one that mod_auth_cas trusts
    :param modules: further modules, such as ``proxy``
    """
    for needed in (_PROGRAM, _MODULES / "mod_auth_cas.so"):
        if not needed.exists():
            raise RuntimeError(f"{needed} is missing: apt-get install apache2 libapache2-mod-auth-cas (bin/test does)")
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="apache-")))
        ports = free_ports(len(hosts))
        configuration = _configuration(directory, cas_url, tuple(zip(ports, hosts, strict=True)), modules)
        _furnish(directory, tls, configuration)
        log = directory / "error.log"
        stderr = stack.enter_context(log.open("ab"))
        process = subprocess.Popen(
            [_PROGRAM, "-DFOREGROUND", "-f", directory / "httpd.conf"], stdout=stderr, stderr=stderr, **_anybody()
        )
        stack.callback(_end, process)
        urls = tuple(f"https://localhost:{port}" for port in ports)
        _wait_for(urls[0], str(tls.ca), process, log)
        yield Apache(urls, log)


def variables(page: requests.Response) -> dict[str, str]:
    """Return what the page of Apache was told, by the names CGI gives: ``REMOTE_USER``, ``HTTP_...``."""
    assert page.status_code == 200, f"{page.status_code} {page.url}"
    pairs = (line.partition("=") for line in page.content.decode().splitlines())
    return {name: unescape(value) for name, _, value in pairs}


def _configuration(directory: Path, cas_url: str, hosts: Sequence[tuple[int, Host]], modules: Sequence[str]) -> str:
    lines = [
        *(f"LoadModule {name}_module {_MODULES}/mod_{name}.so" for name in (*_LOADED, *modules)),
        f"ServerRoot {directory}",
        f"DefaultRuntimeDir {directory}",
        f"PidFile {directory}/httpd.pid",
        f"ErrorLog {directory}/error.log",
        "LogLevel warn auth_cas:info",
        "ServerName localhost",
        "StartServers 1",
        "ServerLimit 1",
        "ThreadsPerChild 8",
        "MaxRequestWorkers 8",
        "SSLSessionCache none",
        f"CASCookiePath {directory}/sessions/",
        f"CASCertificatePath {directory}/authority.pem",
        f"CASLoginURL {cas_url}login",
        f"<Directory {directory}/pages>",
        "Options +Includes",
        "SetOutputFilter INCLUDES",
        "</Directory>",
    ]
    for port, host in hosts:
        lines += [
            f"Listen 127.0.0.1:{port}",
            f"<VirtualHost 127.0.0.1:{port}>",
            "ServerName localhost",
            "SSLEngine on",
            f"SSLCertificateFile {directory}/certificate.pem",
            f"SSLCertificateKeyFile {directory}/key.pem",
            f"AliasMatch ^/ {directory}/pages/variables.txt",
            f"CASValidateURL {cas_url}{host.validate}",
            *(directive.replace("{url}", f"https://localhost:{port}") for directive in host.directives),
        ]
        for path, directives in host.locations.items():
            lines += [f"<Location {path}>", *directives, "</Location>"]
        lines.append("</VirtualHost>")
    return "\n".join(lines) + "\n"


def _furnish(directory: Path, tls: LeafFiles, configuration: str) -> None:
    """Lay out Apache's directory so that the account it runs under can read it all, whoever runs the tests."""
    (directory / "httpd.conf").write_text(configuration, encoding="utf-8")
    (directory / "pages").mkdir()
    (directory / "pages" / "variables.txt").write_text("<!--#printenv -->", encoding="utf-8")
    (directory / "sessions").mkdir()
    (directory / "error.log").touch()
    for source, name in ((tls.cert, "certificate"), (tls.key, "key"), (tls.ca, "authority")):
        shutil.copy(source, directory / f"{name}.pem")
    if account := _anybody():
        for path in (directory, *directory.rglob("*")):
            os.chown(path, account["user"], account["group"])


def _anybody() -> dict[str, object]:
    """Return how to start a process without privileges: root becomes nobody, for Apache will not serve as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}


def _wait_for(url: str, ca: str, process: subprocess.Popen[bytes], log: Path) -> None:
    # An open port says little: Apache listens before it has read all of its configuration.
    deadline = time.monotonic() + 30
    with Visitor(ca) as visitor:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise RuntimeError(f"apache2 ended at once: {log.read_text()}")
            try:
                visitor.step(f"{url}/")
                return
            except requests.ConnectionError:
                time.sleep(0.02)
    raise RuntimeError(f"apache2 did not come up: {log.read_text()}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
