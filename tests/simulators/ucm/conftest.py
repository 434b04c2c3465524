"""A running UCM with people and phones, and plain clients for its two interfaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import defusedxml.ElementTree
import pytest
import requests

from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from casduo.simulators.clock import VirtualClock
from casduo.simulators.ucm import UcmSimulator

REAL_SCHEMA = Path(__file__).parents[3].parent / "shared/axl/14.0"
"""Where the vendor's schema lies if somebody put it there; it is no part of the project."""

collect_ignore = [] if REAL_SCHEMA.is_dir() else ["test_real_schema.py"]

PHONE, OTHER_PHONE, PLAIN_PHONE = "SEP001122334455", "SEP00AABBCCDDEE", "SEP0000000000FF"
AXL_SECRET, EM_SECRET = "axl-Secret", "em-Secret"


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(start=1_800_000_000.0)


@pytest.fixture
def ucm(leaf: LeafFiles, authority: CertificateAuthority, clock: VirtualClock) -> Iterator[UcmSimulator]:
    with UcmSimulator(leaf, nodes=3, clock=clock, authority=authority) as running:
        running.add_user(
            "ada",
            pin="1815",
            password="Analytical",
            mail="ada@example.edu",
            profiles=["ada-ward", "ada-office"],
            default_profile="ada-ward",
            first_name="Ada",
            last_name="Lovelace",
            display_name="Ada Lovelace",
            department="Mathematics",
            telephone="4470",
            locale="English United Kingdom",
        )
        running.add_user("Grace", pin="1906", password="Cobol", mail="grace@example.edu", profiles=["grace <&> phone"])
        running.add_user("linus", pin="19691")
        running.add_phone(PHONE, description="Ward 3", device_pool="Hospital")
        running.add_phone(OTHER_PHONE, model="Cisco 7965", protocol="SCCP")
        running.add_phone(PLAIN_PHONE, enabled=False)
        running.add_application_user("axl", AXL_SECRET, {"axl"})
        running.add_application_user("reader", AXL_SECRET, {"axl-read"})
        running.add_application_user("em", EM_SECRET, {"em"})
        yield running


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, with its document read by local names."""

    response: requests.Response

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def root(self) -> Any:
        return defusedxml.ElementTree.fromstring(self.response.content)

    def texts(self, name: str) -> list[str]:
        found = (each for each in self.root.iter() if each.tag.rpartition("}")[2] == name)
        return [each.text or "" for each in found]

    def text(self, name: str) -> str:
        (text,) = self.texts(name)
        return text

    @property
    def code(self) -> int:
        """The code of a failure of the Extension Mobility API; 0 for success."""
        errors = [each for each in self.root.iter() if each.tag in ("error", "errorMessage")]
        return int(errors[0].get("code", "-1")) if errors else 0


class AxlClient:
    """Sends envelopes written by hand, the way any SOAP client would."""

    def __init__(self, ucm: UcmSimulator) -> None:
        self._ucm = ucm

    def __call__(
        self,
        operation: str,
        arguments: str = "",
        *,
        node: int = 0,
        account: tuple[str, str] | None = ("axl", AXL_SECRET),
        version: str = "14.0",
        headers: Mapping[str, str | None] | None = None,
        path: str = "/axl/",
        body: str | None = None,
        cookie: str = "",
        attributes: str = "",
        timeout: float = 10.0,
    ) -> Answer:
        document = body or (
            '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
            f'<a:{operation} xmlns:a="http://www.cisco.com/AXL/API/{version}"{attributes}>{arguments}</a:{operation}>'
            "</e:Body></e:Envelope>"
        )
        sent = {
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": f'"CUCM:DB ver={version} {operation}"',
            **({"Cookie": f"JSESSIONIDSSO={cookie}"} if cookie else {}),
            **(headers or {}),
        }
        return Answer(
            requests.post(
                f"{self._ucm.nodes[node].url}{path}",
                document.encode(),
                headers=sent,
                auth=account,
                verify=str(self._ucm.ca_file),
                timeout=timeout,
            )
        )

    def pin(self, userid: str, pin: str, **how: Any) -> Answer:
        return self("doAuthenticateUser", f"<userid>{escape(userid)}</userid><pin>{pin}</pin>", **how)

    def log_in(self, device: str, userid: str, profile: str, duration: str = "0", **how: Any) -> Answer:
        return self(
            "doDeviceLogin",
            f"<deviceName>{device}</deviceName><loginDuration>{duration}</loginDuration>"
            f"<profileName>{escape(profile)}</profileName><userId>{userid}</userId>",
            **how,
        )

    def log_out(self, device: str, **how: Any) -> Answer:
        return self("doDeviceLogout", f"<deviceName>{device}</deviceName>", **how)


class EmClient:
    """Sends documents of the Extension Mobility API written by hand."""

    def __init__(self, ucm: UcmSimulator) -> None:
        self._ucm = ucm

    def send(self, document: str, *, node: int = 0, timeout: float = 10.0) -> Answer:
        return Answer(
            requests.post(
                f"{self._ucm.nodes[node].url}/emservice/EMServiceServlet",
                {"xml": document},
                verify=str(self._ucm.ca_file),
                timeout=timeout,
            )
        )

    def __call__(self, root: str, content: str, caller: tuple[str, str] = ("em", EM_SECRET), **how: Any) -> Answer:
        who = f"<appInfo><appID>{caller[0]}</appID><appCertificate>{caller[1]}</appCertificate></appInfo>"
        return self.send(f"<{root}>{who}{content}</{root}>", **how)

    def log_in(self, device: str, userid: str, profile: str = "", more: str = "", **how: Any) -> Answer:
        chosen = f"<deviceProfile>{escape(profile)}</deviceProfile>" if profile else ""
        content = f"<deviceName>{device}</deviceName><userID>{userid}</userID>{chosen}{more}"
        return self("request", f"<login>{content}</login>", **how)

    def log_out(self, device: str, **how: Any) -> Answer:
        return self("request", f"<logout><deviceName>{device}</deviceName></logout>", **how)

    def query(self, name: str, child: str, *values: str, **how: Any) -> Answer:
        content = "".join(f"<{child}>{value}</{child}>" for value in values)
        return self("query", f"<{name}>{content}</{name}>", **how)


@pytest.fixture
def axl(ucm: UcmSimulator) -> AxlClient:
    return AxlClient(ucm)


@pytest.fixture
def em(ucm: UcmSimulator) -> EmClient:
    return EmClient(ucm)
