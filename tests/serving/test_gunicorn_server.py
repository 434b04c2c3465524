"""gunicorn's worker in a process of ours, on its way out."""

from __future__ import annotations

import http.client
import multiprocessing
import socket
import threading
import time
from collections.abc import Callable, Iterable
from multiprocessing.synchronize import Event

import pytest

from casduo.serving.gunicorn_server import GunicornServer
from casduo.serving.listeners import listen, open_listener
from casduo.settings.sections import ServerSettings

_SPAWN = multiprocessing.get_context("spawn")
_WAIT = 60.0
_PAUSE = 0.5
"""Seconds in which the worker would long have closed a connection that it does not keep."""


def _serve(listener: socket.socket, going: tuple[str, Event, Event, Event]) -> None:
    order, asked, told, answered = going

    def application(environ: dict[str, object], start_response: Callable[..., object]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/slow":
            asked.set()
            answered.wait(_WAIT)
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
        return [b"ok"]

    server = GunicornServer(ServerSettings(threads=2, shutdown=10), application, listener)

    def obey() -> None:
        asked.wait(_WAIT)
        server.close_connections()
        if order == "leave":
            server.let_go()
        told.set()

    listen(listener)
    threading.Thread(target=obey, daemon=True).start()
    server.run(lambda: None)


@pytest.mark.parametrize("order", ["drain", "leave"])
def test_a_connection_that_an_answer_promised_to_keep_is_not_closed_at_once(order: str) -> None:
    listener = open_listener("127.0.0.1", 0)
    asked, told, answered = _SPAWN.Event(), _SPAWN.Event(), _SPAWN.Event()
    process = _SPAWN.Process(target=_serve, args=(listener, (order, asked, told, answered)), daemon=True)
    connection = http.client.HTTPConnection(*listener.getsockname(), timeout=_WAIT)
    try:
        process.start()
        _until_it_listens(connection)
        connection.request("GET", "/slow")
        assert told.wait(_WAIT)
        answered.set()
        answer = connection.getresponse()
        assert (answer.read(), answer.getheader("Connection")) == (b"ok", "keep-alive")
        time.sleep(_PAUSE)

        connection.sock.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        last = http.client.HTTPResponse(connection.sock)
        last.begin()
        assert (last.status, last.read(), last.getheader("Connection")) == (200, b"ok", "close")
    finally:
        connection.close()
        process.kill()
        process.join()
        listener.close()


def _until_it_listens(connection: http.client.HTTPConnection) -> None:
    for _ in range(600):
        try:
            connection.connect()
            return
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise AssertionError("it does not listen")
