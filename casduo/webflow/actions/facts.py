"""What pages are told about a service: shared by every action that shows one."""

from __future__ import annotations

from dataclasses import dataclass

from casduo.services.model import RegisteredService
from casduo.services.urls import ServiceUrl


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """A service as people see it."""

    name: str
    host: str
    description: str
    logo: str


def service_facts(entry: RegisteredService, url: ServiceUrl | None) -> ServiceFacts:
    """Return what a page shows of ``entry``, with the host that was really asked for."""
    return ServiceFacts(entry.name, url.host if url is not None else "", entry.description or "", entry.logo or "")
