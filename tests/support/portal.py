"""An application that proxies: its callback page on a real TLS socket, and its steps towards the server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Self
from urllib.parse import parse_qs, urlencode
from xml.etree import ElementTree

from casduo.simulators.certificates import LeafFiles
from casduo.simulators.server import SimulatorServer
from tests.support.raw import FORM, Answer, call
from tests.support.site import LIBRARY, Browser, Site, ticket_of
from tests.support.wires import Wire

PORTAL = "https://portal.example.edu/"
GATEWAY = "https://gateway.example.edu/api"
HUB = "https://hub.example.edu/"
CAS = "{http://www.yale.edu/tp/cas}"


class Portal:
    """The callback page of an application. ``targets`` is what it was asked for, ``granted`` what it took: the
    proxy-granting tickets by their IOUs. ``status`` is its answer; ``meanwhile`` runs before it answers.
    """

    def __init__(self, leaf: LeafFiles) -> None:
        self.server = SimulatorServer(self._answer, certificate=leaf, name="portal")
        self.targets: list[str] = []
        self.granted: dict[str, str] = {}
        self.status = 200
        self.meanwhile: Callable[[], None] = lambda: None

    @property
    def callback(self) -> str:
        """The address of the page."""
        return f"{self.server.url}/pgt"

    @property
    def latest(self) -> str:
        """The proxy-granting ticket that came last."""
        return list(self.granted.values())[-1]

    def forget(self) -> None:
        """Be as new."""
        self.targets.clear()
        self.granted.clear()
        self.status = 200
        self.meanwhile = lambda: None
        self.server.faults.clear()

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(self, *details: object) -> None:
        self.server.stop()

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.targets.append(environ["REQUEST_URI"])
        query = parse_qs(environ["QUERY_STRING"])
        self.meanwhile()
        if self.status == 200 and "pgtIou" in query:
            self.granted[query["pgtIou"][0]] = query["pgtId"][0]
        start_response(f"{self.status} Whatever", [("Location", "https://elsewhere.example.edu/")])
        return [b"<html>thank you</html>".ljust(4096)]


def registry_with(portal: Portal, *, private: str = "true", more: str = "") -> str:
    """A registry in which portal, gateway and hub may proxy, each with a callback below one of the same host."""
    proxies = "\n".join(
        f"  - id: {name}\n    name: {name.title()}\n    url: https://{name}.example.edu/**\n"
        f"    proxy: {{allow: true, callback: '{portal.server.url}/pgt{rest}', private_addresses: {private}}}"
        for name, rest in (("portal", ""), ("gateway", "/gateway/*"), ("hub", "/hub"))
    )
    return f"""services:
{proxies}
  - id: library
    name: Library
    url: https://library.example.edu/**
    attributes: [mail, displayName, groups]
  - id: archive
    name: Archive
    url: https://archive.example.edu/**
  - id: staff
    name: Staff room
    url: https://staff.example.edu/**
    access: {{groups: [staff]}}
  - id: lab
    name: Laboratory
    url: https://lab.example.edu/**
    access: {{networks: [10.0.0.0/8]}}
  - id: solo
    name: Examination
    url: https://solo.example.edu/**
    single_sign_on: false
  - id: closed
    name: Old system
    url: https://closed.example.edu/**
    enabled: false
{more}"""


def trusting(leaf: LeafFiles) -> str:
    """Settings of a server that trusts the authority of a callback page."""
    return f"outbound: {{ca_file: '{leaf.ca}'}}\n"


def sign_in(site: Site, service: str = PORTAL, username: str = "ada") -> dict[str, str]:
    """What the portal holds when somebody comes to it."""
    return {"service": service, "ticket": ticket_of(site.browser().sign_in(username, service))}


def proxy_granting(site: Site, portal: Portal, asked: dict[str, str] | None = None, callback: str = "") -> str:
    """Validate with a callback, and return the proxy-granting ticket by the IOU of the answer."""
    asked = {**(asked or sign_in(site)), "pgtUrl": callback or portal.callback}
    return portal.granted[iou_of(Wire("/p3/proxyValidate").ask(site, asked))]


def ask_proxy(site: Site, fields: dict[str, str], method: str = "GET", **more: Any) -> Answer:
    """Ask for a proxy ticket, by GET with a query or by POST with a form."""
    if method == "POST":
        return call(site, "POST", "/cas/proxy", body=urlencode(fields).encode(), kind=FORM, **more)
    return call(site, method, "/cas/proxy", urlencode(fields), **more)


def proxy_ticket(site: Site, pgt: str, target: str = LIBRARY) -> str:
    """Ask for a proxy ticket that one should get."""
    return proxy_ticket_of(ask_proxy(site, {"pgt": pgt, "targetService": target}))


def proxied(site: Site, portal: Portal, target: str = LIBRARY) -> dict[str, str]:
    """What the target of a proxy ticket sends to validate it."""
    return {"service": target, "ticket": proxy_ticket(site, proxy_granting(site, portal), target)}


def session_at_the_portal(site: Site, portal: Portal) -> tuple[Browser, str]:
    """A browser that is signed in, and the proxy-granting ticket of the portal it went to."""
    browser = site.browser()
    asked = {"service": PORTAL, "ticket": ticket_of(browser.sign_in("ada", PORTAL))}
    return browser, proxy_granting(site, portal, asked)


def asked_with(pgt: str, target: str = LIBRARY, **more: str) -> dict[str, str]:
    """What the holder of a proxy-granting ticket sends to ask for a proxy ticket."""
    return {"pgt": pgt, "targetService": target, **more}


def iou_of(answer: Answer) -> str:
    """Return the IOU of a successful answer in XML."""
    found = success(answer).find(f"{CAS}proxyGrantingTicket")
    assert found is not None, answer.body
    return found.text or ""


def proxies_of(answer: Answer) -> list[str]:
    """Return the chain of a successful answer, in XML or JSON."""
    if answer.body.startswith(b"{"):
        told = json.loads(answer.body)["serviceResponse"]["authenticationSuccess"]
        return list(told.get("proxies", []))
    return [each.text or "" for each in success(answer).iterfind(f"{CAS}proxies/{CAS}proxy")]


def success(answer: Answer) -> ElementTree.Element:
    """Return the element of success of an answer in XML."""
    found = ElementTree.fromstring(answer.body).find(f"{CAS}authenticationSuccess")  # noqa: S314
    assert found is not None, answer.body
    return found


def proxy_ticket_of(answer: Answer) -> str:
    """Return the proxy ticket of a successful answer in XML."""
    found = ElementTree.fromstring(answer.body).find(f"{CAS}proxySuccess/{CAS}proxyTicket")  # noqa: S314
    assert found is not None, answer.body
    return found.text or ""


def refusal_of(answer: Answer) -> str:
    """Return the code of a refusal by ``/proxy`` in XML; empty for none."""
    assert answer.status == 200
    found = ElementTree.fromstring(answer.body).find(f"{CAS}proxyFailure")  # noqa: S314
    return found.attrib["code"] if found is not None else ""
