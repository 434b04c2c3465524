"""Small web applications over TLS that leave signing in, signing out and proxying to the unmodified python-cas."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import requests
from cas import CASClient, CASClientBase, CASClientV3
from defusedxml import ElementTree
from werkzeug.wrappers import Request, Response

from casduo.simulators.certificates import LeafFiles
from casduo.simulators.server import SimulatorServer
from tests.support.served import Served

_PROXY = "{http://www.yale.edu/tp/cas}proxy"


@dataclass(frozen=True)
class Entered:
    """Somebody whom an application knows: by which ticket, what it was told of them, and with what it may ask others.

    ``proxies`` are the callbacks of those who asked on the way, the last one first; ``pgt`` is empty for none.
    """

    ticket: str
    user: str
    attributes: dict[str, Any]
    proxies: tuple[str, ...]
    pgt: str = field(repr=False)


class Application:
    """An application at ``/<name>/`` of its own server.

    Its page shows, as JSON, who is there and, if there is a next application, what that one answers when it is asked in
    their name. ``/<name>/pgt`` takes proxy-granting tickets. Whatever is posted is a message that somebody signed out.

    :param version: the version of the protocol that tickets are validated by, 2 or 3
    :param proxied: whether tickets of proxies are good as well
    :param proxy: whether to ask for proxy-granting tickets, as one does for a ``next_app``
    """

    def __init__(
        self,
        name: str,
        cas: Served,
        *,
        version: int = 3,
        proxied: bool = False,
        proxy: bool = False,
        next_app: Application | None = None,
    ) -> None:
        self.name = name
        self.origin = ""
        self.messages: list[tuple[str, bytes]] = []
        """What was posted here, with its media type."""
        self.entered: list[Entered] = []
        """Everybody who ever was let in."""
        self._cas = cas
        self._version = version
        self._proxied = proxied
        self._proxy = proxy or next_app is not None
        self.next_app = next_app
        self._sessions: dict[str, Entered] = {}
        self._grants: dict[str, str] = {}
        self._told: set[str] = set()
        self._changed = threading.Condition()

    @property
    def url(self) -> str:
        """Its page, which is also the service it is registered by."""
        return f"{self.origin}/{self.name}/"

    @property
    def callback(self) -> str:
        """Where it takes proxy-granting tickets."""
        return f"{self.url}pgt"

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        if request.method == "POST":
            return self._end(request)(environ, start_response)
        if request.path == f"/{self.name}/pgt":
            self._grants[request.args["pgtIou"]] = request.args["pgtId"]
            return Response("taken")(environ, start_response)
        return self._page(request)(environ, start_response)

    @property
    def ious(self) -> tuple[str, ...]:
        """The names under which it was given proxy-granting tickets."""
        return tuple(self._grants)

    def client(self, service: str = "") -> CASClientBase:
        """Return python-cas for this application, or for another service of which it wants proxy tickets."""
        options = {"proxy_callback": self.callback} if self._proxy else {}
        client = CASClient(
            version=self._version,
            service_url=service or self.url,
            server_url=self._cas.url,
            verify_ssl_certificate=self._cas.ca,
            **options,
        )
        if self._proxied:
            client.url_suffix = client.url_suffix.replace("serviceValidate", "proxyValidate")
        return client

    def buy(self, entered: Entered, service: str) -> str:
        """Return a proxy ticket for a service in the name of somebody who has entered.

        :raises cas.CASError: the server gives none
        """
        return str(self.client(service).get_proxy_ticket(entered.pgt))

    def knows(self, cookie: str) -> bool:
        """Say whether the session of a browser still lives."""
        return cookie in self._sessions

    def wait_until_told(self, *tickets: str, seconds: float = 15.0) -> None:
        """Wait until a message has named each of the tickets."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._told.issuperset(tickets), seconds), (
                f"{self.name} was told of {self._told}, not of all of {tickets}"
            )

    def _page(self, request: Request) -> Response:
        cookie = request.cookies.get(self.name, "")
        entered = self._sessions.get(cookie)
        if entered is None:
            ticket = request.args.get("ticket")
            if ticket is None:
                return Response(status=302, headers={"Location": self.client().get_login_url()})
            entered = self._validate(ticket)
            if entered is None:
                return Response("no such ticket", 403)
            cookie = secrets.token_hex(16)
            self.entered.append(entered)
            self._sessions[cookie] = entered
        shown = {name: value for name, value in asdict(entered).items() if name not in ("ticket", "pgt")}
        if self.next_app is not None:
            shown["next"] = self._ask(self.next_app, entered)
        page = Response(json.dumps(shown), mimetype="application/json")
        page.set_cookie(self.name, cookie, secure=True, httponly=True)
        return page

    def _validate(self, ticket: str) -> Entered | None:
        client = self.client()
        # As verify_ticket does, but it keeps the names of the proxies to itself.
        answer = client.get_verification_response(ticket)
        user, attributes, iou = client.verify_response(answer)
        if user is None:
            return None
        proxies = tuple(element.text or "" for element in ElementTree.fromstring(answer).iter(_PROXY))
        return Entered(ticket, user, attributes, proxies, self._grants.get(iou, ""))

    def _ask(self, other: Application, entered: Entered) -> object:
        ticket = self.buy(entered, other.url)
        with requests.get(
            other.url, params={"ticket": ticket}, verify=self._cas.ca, allow_redirects=False, timeout=20
        ) as answer:
            assert answer.status_code == 200, f"{other.name}: {answer.status_code} {answer.text}"
            return answer.json()

    def _end(self, request: Request) -> Response:
        self.messages.append((request.content_type or "", request.get_data()))
        named = {index.text for index in CASClientV3.get_saml_slos(request.form["logoutRequest"])}
        with self._changed:
            self._sessions = {key: entered for key, entered in self._sessions.items() if entered.ticket not in named}
            self._told |= named
            self._changed.notify_all()
        return Response(status=302, headers={"Location": "/"})


@contextmanager
def running(tls: LeafFiles, *applications: Application) -> Iterator[None]:
    """Serve applications over TLS, each from a server of its own on a free port."""
    servers = [SimulatorServer(application, certificate=tls, name=application.name) for application in applications]
    try:
        for server, application in zip(servers, applications, strict=True):
            server.start()
            application.origin = server.url
        yield
    finally:
        for server in servers:
            server.stop()
