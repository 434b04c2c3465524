"""A person at a browser with a cookie jar, who walks through applications and the server over real sockets."""

from __future__ import annotations

from typing import Self
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from bs4 import BeautifulSoup

from tests.support.site import PASSWORDS
from tests.support.waiting import PATIENCE


class Visitor:
    """A person at a browser, who trusts one authority and follows redirects by hand.

    ``path`` holds the addresses of the last walk in their order, the first one and the one arrived at included.
    """

    def __init__(self, ca: str) -> None:
        self.path: list[str] = []
        self.http = requests.Session()
        # Otherwise a bundle named in the environment would win over ours.
        self.http.trust_env = False
        self.http.verify = ca

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def visit(self, address: str, **options: object) -> requests.Response:
        """Go to an address and wherever it leads. Ten redirects are a loop."""
        self.path = [address]
        return self._walk(self.step(address, **options))

    def step(self, address: str, **options: object) -> requests.Response:
        """Ask for one address and stay there."""
        return self.http.get(address, allow_redirects=False, timeout=PATIENCE, **options)

    def sign_in(self, page: requests.Response, username: str = "ada") -> requests.Response:
        """Fill in the form of the login page as it stands and go wherever that leads."""
        answer = self.submit(page, username)
        self.path = [answer.url]
        return self._walk(answer)

    def submit(self, page: requests.Response, username: str = "ada") -> requests.Response:
        """Fill in the form of the login page as it stands and stay with the answer."""
        form = login_form(page)
        assert form is not None, page.text
        fields = {
            field["name"]: field.get("value", "") for field in form.find_all("input") if field.get("name") != "warn"
        }
        fields |= {"username": username, "password": PASSWORDS[username]}
        return self.http.post(urljoin(page.url, form["action"]), fields, allow_redirects=False, timeout=PATIENCE)

    def ticket(self, cas_url: str, service: str) -> str:
        """Return a ticket that the server gives the visitor, who has a session there, and that nobody has seen yet."""
        return ticket_in(self.step(f"{cas_url}login", params={"service": service}).headers["Location"])

    def _walk(self, answer: requests.Response) -> requests.Response:
        for _ in range(10):
            target = self.http.get_redirect_target(answer)
            if target is None:
                return answer
            self.path.append(urljoin(answer.url, target))
            answer = self.step(self.path[-1])
        raise AssertionError(f"a loop of redirects: {self.path}")


def login_form(page: requests.Response) -> object:
    """Return the form for name and password, ``None`` for a page without it."""
    return BeautifulSoup(page.text, "html.parser").find("form", id="login")


def ticket_in(address: str) -> str:
    """Return the ticket that an address carries."""
    return parse_qs(urlsplit(address).query)["ticket"][-1]
