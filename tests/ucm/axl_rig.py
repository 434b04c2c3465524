"""A simulated UCM and a client of its AXL, ready to be asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from casduo.outbound.budget import Budget
from casduo.outbound.http import HttpAnswer, HttpClient
from casduo.simulators.clock import VirtualClock
from casduo.simulators.ucm import UcmSimulator
from casduo.ucm.axl import AxlDirectory, AxlLogins
from casduo.ucm.axl_client import AxlClient
from casduo.ucm.nodes import Nodes, NodeTerms
from casduo.ucm.schema import AxlSchema

USERNAME, PASSWORD = "casduo", "s3cret & <more>"
PIN = "18151815"
PHONE, OTHER_PHONE, CLOSED_PHONE = "SEP001122334455", "SEP00AABBCCDDEE", "SEP00000000DEAD"


@cache
def schema(version: str = "14.0") -> AxlSchema:
    return AxlSchema(version)


def populate(ucm: UcmSimulator) -> None:
    """Ada with two profiles, grace with none, o'brien with an apostrophe; two phones and one that is closed."""
    ucm.add_application_user(USERNAME, PASSWORD, roles={"axl", "em"})
    ucm.add_user(
        "ada",
        pin=PIN,
        mail="ada@example.edu",
        profiles=["ada-office", "ada-ward"],
        default_profile="ada-ward",
        first_name="Ada",
        last_name="Lovelace",
        display_name="Ada Lovelace",
        department="Ward 3",
        locale="English United States",
        telephone="1815",
    )
    ucm.add_user("grace", pin="19061906")
    ucm.add_user("o'brien", pin="47114711", profiles=['o\'brien & "sons" <%#ä>'])
    ucm.add_phone(PHONE)
    ucm.add_phone(OTHER_PHONE)
    ucm.add_phone(CLOSED_PHONE, enabled=False)


@dataclass
class Axl:
    """A client with everything that stands on it."""

    nodes: Nodes
    client: AxlClient
    directory: AxlDirectory = field(init=False)
    logins: AxlLogins = field(init=False)

    def __post_init__(self) -> None:
        self.directory, self.logins = AxlDirectory(self.client), AxlLogins(self.client)


def budget(seconds: float = 4.0) -> Budget:
    return Budget(seconds)


def axl(
    ucm: UcmSimulator,
    *,
    servers: Sequence[str] = (),
    username: str = USERNAME,
    password: str = PASSWORD,
    version: str = "14.0",
    read_timeout: float = 3.0,
    failures: int = 5,
    clock: VirtualClock | None = None,
) -> Axl:
    """Return a client of the simulated UCM, or of ``servers``."""
    terms = NodeTerms(1.0, read_timeout, 4, ca_file=str(ucm.ca_file), failures=failures)
    nodes = Nodes("axl", tuple(servers) or tuple(ucm.servers), terms, clock or VirtualClock())
    return Axl(nodes, AxlClient(nodes, username, password, schema(version)))


@dataclass
class Exchanged:
    """What went over the wire, each way."""

    headers: dict[str, str]
    request: bytes
    answer: HttpAnswer


class Listening:
    """Stands before the real connections of a node and keeps what passes."""

    def __init__(self, http: HttpClient, heard: list[Exchanged]) -> None:
        self._http = http
        self._heard = heard

    def request(self, *arguments: Any, **options: Any) -> HttpAnswer:
        answer = self._http.request(*arguments, **options)
        self._heard.append(Exchanged(options["headers"], options["body"], answer))
        return answer

    def close(self) -> None:
        self._http.close()


def listen(nodes: Nodes) -> list[Exchanged]:
    """Return the list in which everything sent and received from now on is kept."""
    heard: list[Exchanged] = []
    nodes.nodes = tuple(replace(node, http=Listening(node.http, heard)) for node in nodes.nodes)
    return heard
