"""A node that answers what a test puts in its mouth, and the making of nodes that are asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

from casduo.outbound.budget import Budget
from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from casduo.simulators.server import SimulatorServer
from casduo.ucm.nodes import Nodes, NodeTerms

PLENTY = 60.0
"""Seconds that no test is to need."""


@dataclass(frozen=True, slots=True)
class Canned:
    """One answer."""

    body: bytes = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/xml"),)


@dataclass(frozen=True, slots=True)
class Heard:
    """One request, as it arrived."""

    path: str
    content: bytes
    cookie: str

    @property
    def document(self) -> str:
        """The field ``xml`` of a form."""
        return parse_qs(self.content.decode("ascii"), strict_parsing=True)["xml"][0]


@dataclass
class CannedNode:
    """Answers with ``answers`` in turn, and with the last one for ever."""

    server: SimulatorServer
    answers: list[Canned] = field(default_factory=lambda: [Canned()])
    heard: list[Heard] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"localhost:{self.server.port}"

    def say(self, *bodies: str | bytes | Canned) -> None:
        self.answers = [
            body if isinstance(body, Canned) else Canned(body.encode() if isinstance(body, str) else body)
            for body in bodies
        ]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        content = environ["wsgi.input"].read(length)
        self.heard.append(Heard(environ["PATH_INFO"], content, environ.get("HTTP_COOKIE", "")))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        start_response(f"{answer.status} Whatever", list(answer.headers))
        return [answer.body]


def canned_node(leaf: LeafFiles) -> CannedNode:
    """Return a node that is yet to be started."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return node(environ, start_response)

    node = CannedNode(SimulatorServer(application, certificate=leaf))
    return node


def terms_for(authority: CertificateAuthority, **terms: Any) -> NodeTerms:
    """Return terms that are patient unless a test says otherwise."""
    patient = {"connect_timeout": PLENTY, "read_timeout": PLENTY, "max_in_flight": 4, **terms}
    return NodeTerms(ca_file=str(authority.ca_file), **patient)


def plenty() -> Budget:
    """Return a budget that nobody uses up."""
    return Budget(PLENTY)


__all__ = ["PLENTY", "Canned", "CannedNode", "Heard", "Nodes", "canned_node", "plenty", "terms_for"]
