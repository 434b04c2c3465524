"""A directory that takes connections and says nothing: whoever asks it is in hand until the test lets go."""

from __future__ import annotations

import socket
import threading
from typing import Self
from urllib.parse import urljoin

import requests

from tests.support.visitor import login_form
from tests.support.waiting import PATIENCE, until


class Standstill:
    """``handler`` is the line for ``authentication`` that leads to it: ask for somebody who is in no file."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = int(self._listener.getsockname()[1])
        self.handler = (
            f"- {{type: ldap, servers: ['ldap://localhost:{port}'], allow_plaintext: true,"
            f" direct_bind_dn: 'uid={{username}},dc=example,dc=edu', receive_timeout: {2 * PATIENCE:.0f}s}}\n"
        )
        self._held: list[socket.socket] = []
        self._lets_go = False
        threading.Thread(target=self._take, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.release()

    def release(self) -> None:
        """Hang up on everybody: they are answered that passwords cannot be checked."""
        self._lets_go = True
        while self._held:
            self._held.pop().close()

    def _take(self) -> None:
        while True:
            try:
                asking = self._listener.accept()[0]
            except OSError:
                return
            self._held.append(asking)
            if self._lets_go:
                self.release()

    def holds(self) -> bool:
        """Whether anybody is in hand."""
        return bool(self._held)


class Visit:
    """Somebody who signs in at ``base`` (a slash at the end), and is in hand from here on."""

    def __init__(self, standstill: Standstill, base: str, ca: str | None = None) -> None:
        self.status = 0
        self.page = ""
        self._session = requests.Session()
        self._session.verify, self._session.trust_env = ca, False
        page = self._session.get(f"{base}login", timeout=PATIENCE)
        form = login_form(page)
        assert form is not None, page.text
        fields = {field["name"]: field.get("value", "") for field in form.find_all("input")}
        url = urljoin(page.url, form["action"])
        self._thread = threading.Thread(target=self._enter, args=(url, fields), daemon=True)
        self._thread.start()
        until(standstill.holds, "somebody is in hand")

    def _enter(self, url: str, fields: dict[str, str]) -> None:
        fields = {**fields, "username": "nobody-we-know", "password": "guess"}
        try:
            answer = self._session.post(url, fields, timeout=2 * PATIENCE)
            self.status, self.page = answer.status_code, answer.text
        except requests.RequestException as error:
            self.page = repr(error)
        self._session.close()

    @property
    def is_over(self) -> bool:
        """Whether it was answered, or cut off (``status`` is 0 then)."""
        return not self._thread.is_alive()

    def ends(self) -> None:
        """Wait until it is over."""
        self._thread.join(PATIENCE)
        assert self.is_over
