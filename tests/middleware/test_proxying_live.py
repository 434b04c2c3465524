"""A portal that asks a library in a person's name, over TLS and real sockets, in one process and in several."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from werkzeug.serving import make_server

from casduo.middleware import CasMiddleware
from casduo.simulators.certificates import CertificateAuthority
from tests.middleware.conftest import SECRET
from tests.middleware.proxying_cas import ProxyingCas
from tests.support.ports import free_port

PAGE = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
HERE = Path(__file__).parent


class Site:
    """A CAS server and the applications beside it, all with certificates of one authority."""

    def __init__(self, directory: Path) -> None:
        self.authority = CertificateAuthority.create(directory / "ca", "tests")
        self.leaf = self.authority.issue()
        self.ca_file = str(self.authority.ca_file)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.leaf.cert, self.leaf.key)
        self.context = context
        self.cas = ProxyingCas(tls=context, host="localhost", deliver=self._deliver)

    def _deliver(self, callback: str, fields: dict[str, str]) -> int:
        return requests.get(callback, params=fields, verify=self.ca_file, timeout=5, allow_redirects=False).status_code

    @contextmanager
    def serve(self, app: Any, port: int) -> Iterator[None]:
        server = make_server("127.0.0.1", port, app, threaded=True, ssl_context=self.context)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()

    def protect(self, app: Any, url: str, **options: Any) -> CasMiddleware:
        return CasMiddleware(
            app, cas_url=self.cas.url, service_url=url, secret_key=SECRET, ca_file=self.ca_file, **options
        )

    def sign_in(self, url: str, user: str) -> requests.Session:
        browser = requests.Session()
        browser.verify, browser.trust_env = self.ca_file, False
        browser.headers.update(PAGE)
        browser.get(f"{url}/", allow_redirects=False, timeout=10)
        page = browser.get(f"{url}/?ticket={self.cas.issue(f'{url}/', user)}", timeout=10)
        assert page.status_code == 200, page.text
        return browser


def library(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{environ['REMOTE_USER']} {body} {environ['casduo.session'].proxies[0]}".encode()]


def portal_of(site: Site, target: str) -> Callable[..., list[bytes]]:
    def portal(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] != "/loan":
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"hello"]
        ticket = environ["casduo.proxy"].proxy_ticket(target)
        answer = requests.post(
            target, params={"ticket": ticket}, data="one book", verify=site.ca_file, timeout=10, allow_redirects=False
        )
        start_response(f"{answer.status_code} As told", [("Content-Type", "text/plain")])
        return [answer.content]

    return portal


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.cas.close()


def test_a_portal_lends_books_in_peoples_names(site: Site) -> None:
    ports = free_port(), free_port()
    portal_url, library_url = (f"https://localhost:{port}" for port in ports)
    target = f"{library_url}/loans"
    site.cas.targets = {target}
    portal = site.protect(portal_of(site, target), portal_url, session="memory", proxy_callback="/cas/pgt")
    accepting = site.protect(library, library_url, allowed_proxies=[f"{portal_url}/cas/pgt"])
    with ExitStack() as running:
        running.enter_context(site.serve(portal, ports[0]))
        running.enter_context(site.serve(accepting, ports[1]))
        for user in ("ada", "grace"):
            with site.sign_in(portal_url, user) as browser:
                for _ in range(2):
                    page = browser.get(f"{portal_url}/loan", timeout=20)
                    assert page.text == f"{user} one book {portal_url}/cas/pgt"
    assert site.cas.callbacks == [(f"{portal_url}/cas/pgt", 200)] * 2


def test_processes_share_what_arrives_at_one_of_them(site: Site, redis_url: str) -> None:
    """The callback and the validation that waits for it are rarely the same worker's."""
    port = free_port()
    url = f"https://localhost:{port}"
    site.cas.targets = {"https://library.example.edu/"}
    environment = os.environ | {
        "CAS_URL": site.cas.url,
        "SERVICE_URL": url,
        "SESSION_STORE": redis_url,
        "CA_FILE": site.ca_file,
        "PROXY_CALLBACK": "/cas/pgt",
        "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, "-m", "gunicorn", "--chdir", str(HERE), "--bind", f"127.0.0.1:{port}", "--workers", "3"]
    command += ["--threads", "2", "--keyfile", str(site.leaf.key), "--certfile", str(site.leaf.cert)]
    process = subprocess.Popen([*command, "--log-level", "warning", "served_app:app"], env=environment)
    try:
        _wait_for(f"{url}/healthz", site.ca_file)
        for number in range(12):
            with site.sign_in(url, f"person{number}") as browser:
                ticket = browser.get(f"{url}/proxy?https://library.example.edu/", timeout=20).text
            assert site.cas.proxy_tickets[ticket][1].user == f"person{number}"
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(url: str, ca_file: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            assert requests.get(url, verify=ca_file, timeout=5).status_code == 200
            return
        except requests.ConnectionError:
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.02)
