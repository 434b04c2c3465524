"""nginx and HAProxy with the files of ``deploy/``, run as anybody, in front of several ``casduo serve``."""

from __future__ import annotations

import errno
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from casduo.simulators.certificates import LeafFiles
from tests.support.ports import free_ports
from tests.support.site import write_site
from tests.support.waiting import PATIENCE, until

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


@dataclass(frozen=True)
class Node:
    """A ``casduo serve`` behind the proxy."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """Kill it with all its processes, at once, and wait until the last of them has let go of its port."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        until(self._is_gone, "the end of a node")

    def _is_gone(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == errno.ECONNREFUSED


@dataclass(frozen=True)
class Proxy:
    """A running proxy. ``directory`` holds all that it writes, its logs too; ``plain`` is its port for plain http."""

    port: int
    directory: Path
    plain: int

    @property
    def written(self) -> str:
        """All that it has written into logs; JSON may write a slash in two ways."""
        texts = (path.read_text("utf-8", "replace") for path in self.directory.glob("*.log"))
        return "".join(texts).replace("\\/", "/")


@contextmanager
def running_nodes(
    directory: Path, ports: Sequence[int], redis_url: str, url: str, registry: str, settings: str
) -> Iterator[list[Node]]:
    """Run nodes that have everything in common but the port.

    :param url: the address under which people reach the proxy
    """
    nodes: list[Node] = []
    try:
        for port in ports:
            home = directory / f"node-{port}"
            home.mkdir()
            path = write_site(home, redis_url, registry, settings, url)
            server = f"url: {url}, bind: '127.0.0.1:{port}', worker: false, trusted_proxies: 1"
            path.write_text(path.read_text(encoding="utf-8").replace(f"url: {url}", server, 1), encoding="utf-8")
            log = home / "serve.log"
            with log.open("wb") as stderr:
                process = subprocess.Popen(
                    [sys.executable, "-m", "casduo", "serve", "--config", str(path)],
                    stdout=stderr,
                    stderr=stderr,
                    cwd=ROOT,
                    start_new_session=True,
                )
            nodes.append(Node(port, process, log))
        for node in nodes:
            until(lambda node=node: _listens(node.port, node.process, node.log), f"a node on port {node.port}")
        yield nodes
    finally:
        for node in nodes:
            node.process.terminate()
        for node in nodes:
            node.process.wait(PATIENCE)


@contextmanager
def nginx(tls: LeafFiles, nodes: Sequence[int], *, forgiving: bool = False) -> Iterator[Proxy]:
    """Run nginx with ``deploy/nginx/casduo.conf``: only names, ports and places of files are others.

    :param forgiving: nodes that fail are asked again at once
    """

    def configure(directory: Path, port: int, plain: int) -> list[str]:
        text = (DEPLOY / "nginx" / "casduo.conf").read_text(encoding="utf-8")
        text = _replaced(
            text,
            (r"\n    listen \[::\].*", ""),
            (r"listen 443 ssl http2;", f"listen 127.0.0.1:{port} ssl http2;"),
            (r"listen 80;", f"listen 127.0.0.1:{plain};"),
            (r"/etc/ssl/sso\.example\.edu/fullchain\.pem", f"{directory}/certificate.pem"),
            (r"/etc/ssl/sso\.example\.edu/key\.pem", f"{directory}/key.pem"),
            (r"/var/log/nginx", str(directory)),
            (r"server_name sso\.example\.edu", "server_name localhost"),
            (r"https://sso\.example\.edu", f"https://localhost:{port}"),
            (r"10\.0\.0\.11:8443", f"127.0.0.1:{nodes[0]}"),
            (r"10\.0\.0\.12:8443", f"127.0.0.1:{nodes[1]}"),
            (r"max_fails=1", f"max_fails={0 if forgiving else 1}"),
        )
        temporary = "".join(
            f"{kind}_temp_path {directory}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (directory / "nginx.conf").write_text(
            f"daemon off;\nworker_processes 1;\npid {directory}/nginx.pid;\n"
            f"error_log {directory}/main-error.log crit;\n"
            f"events {{ worker_connections 256; }}\nhttp {{\n{temporary}{text}\n}}\n",
            encoding="utf-8",
        )
        return [_program("nginx", "nginx-light"), "-p", str(directory), "-c", f"{directory}/nginx.conf"]

    with _running(tls, configure) as found:
        yield found


@contextmanager
def haproxy(tls: LeafFiles, nodes: Sequence[int], *, forgiving: bool = False) -> Iterator[Proxy]:
    """Run HAProxy with ``deploy/haproxy/haproxy.cfg``: only names, ports and places of files are others.

    :param forgiving: it always is, for it goes by its own checks
    """

    def configure(directory: Path, port: int, plain: int) -> list[str]:
        text = (DEPLOY / "haproxy" / "haproxy.cfg").read_text(encoding="utf-8")
        text = _replaced(
            text,
            (r"log /dev/log local0 info", "log stderr format raw local0 info"),
            (r"bind :443", f"bind 127.0.0.1:{port}"),
            (r"bind :80", f"bind 127.0.0.1:{plain}"),
            (r"/etc/haproxy/sso\.example\.edu\.pem", f"{directory}/both.pem"),
            (r"maxconn 20000", "maxconn 200"),
            (r"10\.0\.0\.11:8443", f"127.0.0.1:{nodes[0]}"),
            # As many lines as there are nodes, each like the last one of the file.
            (
                r"\n( *server sso)2 10\.0\.0\.12:8443(.*)",
                "".join(rf"\n\g<1>{number} 127.0.0.1:{port}\2" for number, port in enumerate(nodes[1:], 2)),
            ),
        )
        (directory / "haproxy.cfg").write_text(text, encoding="utf-8")
        (directory / "both.pem").write_bytes(tls.cert.read_bytes() + tls.key.read_bytes())
        return [_program("haproxy", "haproxy"), "-db", "-f", f"{directory}/haproxy.cfg"]

    with _running(tls, configure) as found:
        yield found


@contextmanager
def _running(tls: LeafFiles, configure: Callable[[Path, int, int], list[str]]) -> Iterator[Proxy]:
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="proxy-")))
        port, plain = free_ports(2)
        shutil.copy(tls.cert, directory / "certificate.pem")
        shutil.copy(tls.key, directory / "key.pem")
        command = configure(directory, port, plain)
        log = directory / "stderr.log"
        stderr = stack.enter_context(log.open("ab"))
        account = _anybody()
        if account:
            for path in (directory, *directory.rglob("*")):
                os.chown(path, account["user"], account["group"])
        process = subprocess.Popen(command, stdout=stderr, stderr=stderr, cwd=directory, **account)
        stack.callback(_end, process)
        until(lambda: _listens(port, process, log), f"{Path(command[0]).name} listens")
        yield Proxy(port, directory, plain)


def _replaced(text: str, *changes: tuple[str, str]) -> str:
    """Make changes, each of which must find its place: a file that has changed is not tested by half."""
    for pattern, to in changes:
        text, count = re.subn(pattern, to, text)
        assert count, f"nothing looks like {pattern}"
    return text


def _program(name: str, package: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise RuntimeError(f"{name} is missing: apt-get install {package} (bin/test does it)")
    return found


def _anybody() -> dict[str, int]:
    """Return how to start a process without privileges: as root in a container, as whoever runs the tests elsewhere."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid}


def _listens(port: int, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text("utf-8", "replace")
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
