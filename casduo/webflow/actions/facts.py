"""What pages are told about a service: shared by every action that shows one."""

from __future__ import annotations

from dataclasses import replace

from casduo.localtext import in_language
from casduo.services.model import RegisteredService
from casduo.services.urls import DEFAULT_PORTS, ServiceUrl
from casduo.values import value_object


@value_object(frozen=True, slots=True)
class ServiceFacts:
    """A service as people see it."""

    name: str
    host: str
    description: str
    logo: str

    def told_in(self, language: str) -> ServiceFacts:
        """Return the same with the texts of one language."""
        return replace(self, name=in_language(self.name, language), description=in_language(self.description, language))


def service_facts(entry: RegisteredService, url: ServiceUrl | None) -> ServiceFacts:
    """Return what a page shows of ``entry``, with the host that was really asked for."""
    return ServiceFacts(entry.name, _where(url) if url is not None else "", entry.description or "", entry.logo or "")


def _where(url: ServiceUrl) -> str:
    return url.host if url.port == DEFAULT_PORTS.get(url.scheme) else f"{url.host}:{url.port}"
