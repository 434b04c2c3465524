"""The same walk under each WSGI server people use: over sockets, with many people at once."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from werkzeug.serving import make_server

from tests.support.ports import free_port

HERE = Path(__file__).parent
PAGE = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}


def _module() -> Any:
    spec = importlib.util.spec_from_file_location("served_app", HERE / "served_app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _listener() -> tuple[socket.socket, str]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


def _environment(cas_url: str, url: str, store: str) -> dict[str, str]:
    return os.environ | {
        "CAS_URL": cas_url,
        "SERVICE_URL": url,
        "SESSION_STORE": store,
        "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")]),
    }


@contextmanager
def under_werkzeug(cas_url: str, store: str) -> Iterator[str]:
    listener, url = _listener()
    with listener:
        app = _module().protected(cas_url, url, session=store)
        server = make_server("127.0.0.1", 0, app, threaded=True, fd=listener.fileno())
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield url
        server.shutdown()
        server.server_close()


@contextmanager
def under_waitress(cas_url: str, store: str) -> Iterator[str]:
    # A process of its own: waitress cannot be stopped from another thread without racing its own loop.
    with under_own_port(cas_url, store, "waitress", "--threads=8", "--listen={address}", "served_app:app") as url:
        yield url


@contextmanager
def under_own_port(cas_url: str, store: str, *command: str) -> Iterator[str]:
    """A server that binds for itself: `{address}` and `{port}` in its command are filled in."""
    port = free_port()
    address = f"127.0.0.1:{port}"
    url, places = f"http://{address}", {"address": address, "port": port}
    words = [sys.executable, "-m", *(word.format(**places) for word in command)]
    process = subprocess.Popen(words, env=_environment(cas_url, url, store), cwd=HERE)
    try:
        yield url
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def under_gunicorn(cas_url: str, store: str, *options: str) -> Iterator[str]:
    listener, url = _listener()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}", "--chdir", str(HERE)]
    command += ["--log-level", "warning", *options, "served_app:app"]
    process = subprocess.Popen(command, env=_environment(cas_url, url, store), pass_fds=[listener.fileno()])
    listener.close()
    try:
        yield url
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def under_gunicorn_threads(cas_url: str, store: str) -> Iterator[str]:
    with under_gunicorn(cas_url, store, "--worker-class", "gthread", "--threads", "8") as url:
        yield url


@contextmanager
def under_gunicorn_gevent(cas_url: str, store: str) -> Iterator[str]:
    with under_gunicorn(cas_url, store, "--worker-class", "gevent") as url:
        yield url


@contextmanager
def under_two_gunicorn_workers(cas_url: str, store: str) -> Iterator[str]:
    with under_gunicorn(cas_url, store, "--workers", "2", "--threads", "4") as url:
        yield url


@contextmanager
def under_granian(cas_url: str, store: str) -> Iterator[str]:
    command = ["granian", "--interface", "wsgi", "--port", "{port}", "--blocking-threads", "8", "--no-access-log"]
    with under_own_port(cas_url, store, *command, "--log-level", "warning", "served_app:app") as url:
        yield url


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            assert requests.get(f"{url}/healthz", timeout=5).status_code == 200
            return
        except requests.ConnectionError:
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.02)


SERVERS = [
    under_werkzeug,
    under_waitress,
    under_granian,
    under_gunicorn_threads,
    under_gunicorn_gevent,
    under_two_gunicorn_workers,
]


@pytest.fixture(params=SERVERS, ids=lambda server: server.__name__)
def url(request: pytest.FixtureRequest, cas: Any, redis_url: str) -> Iterator[str]:
    # Several processes can end one another's sessions only through a common store.
    store = redis_url if request.param is under_two_gunicorn_workers else "cookie"
    with request.param(cas.url, store) as url:
        wait_for(url)
        yield url


def test_people_sign_in_work_and_are_signed_out(url: str, cas: Any, logout_request: Any) -> None:
    failures: list[str] = []

    def live(name: str) -> None:
        with requests.Session() as browser:
            browser.headers.update(PAGE)
            begun = browser.get(f"{url}/loans%2F1?a=%C3%A4&a=2", allow_redirects=False, timeout=20)
            # Where a server keeps the path as it was written, %2F survives; where not, the service has a slash.
            service = parse_qs(urlsplit(begun.headers["Location"]).query)["service"][0]
            ticket = cas.issue(service, name)
            page = browser.get(f"{service}&ticket={ticket}", timeout=20)
            saved = browser.post(f"{url}/save", data={"title": name}, timeout=20)
            ended = requests.post(url, data=logout_request(ticket), headers=FORM, timeout=20)
            after = browser.get(f"{url}/", allow_redirects=False, timeout=20)
            checks = {
                "begun": begun.status_code == 302,
                "page": page.text == f"{name}|/loans/1|a=%C3%A4&a=2|",
                "address": page.url == service and service.endswith("1?a=%C3%A4&a=2"),
                "saved": saved.text == f"{name}|/save||title={name}",
                "ended": ended.status_code == 200,
                "after": after.status_code == 302 and after.headers["Location"].startswith(cas.url),
            }
            failures.extend(f"{name}: {check}: {page.text[:200]}" for check, good in checks.items() if not good)

    threads = [threading.Thread(target=live, args=(f"person{number}",)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_odd_requests_get_an_answer(url: str, cas: Any) -> None:
    assert requests.head(f"{url}/", headers=PAGE, timeout=20).status_code == 302
    assert requests.post(f"{url}/save", data=b"x" * 200_000, timeout=20).status_code == 401
    assert requests.get(f"{url}/?q=%ff%fe", headers=PAGE, allow_redirects=False, timeout=20).status_code == 302
    # Servers draw their own line for a query; what passes them gets a page.
    assert requests.get(f"{url}/?{'q' * 1_000_000}", headers=PAGE, timeout=20).status_code in (400, 414, 431)
    prefetch = requests.get(f"{url}/", headers=PAGE | {"Sec-Purpose": "prefetch"}, timeout=20)
    assert prefetch.status_code == 401
