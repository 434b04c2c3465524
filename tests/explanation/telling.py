"""People, entries and settings, and explanations made of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from casduo.explanation import Explanation, Person, explain
from casduo.explanation.model import Service
from casduo.services.index import Registry
from casduo.services.model import RegisteredService
from casduo.settings import Settings

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()
CAMPUS = "10.1.2.3"
HOME = "192.0.2.7"

GRACE = Person("grace", {"groups": ("staff",), "mail": ("Grace@example.edu",), "cn": ("Grace Hopper",)}, "local")
ADA = Person("ada", {"groups": ("students",), "mail": ("ada@example.edu", "countess@example.edu")}, "local")
NOBODY = Person("linus")
DUO = {
    "api_host": "api-12345678.duosecurity.com",
    "universal": {"client_id": "DI01234567890123456X", "client_secret": "0123456789012345678901234567890123456789"},
}


def made(**sections: Any) -> Settings:
    usual: dict[str, Any] = {
        "server": {"url": "https://sso.example.edu/cas"},
        "authentication": [
            {"type": "users_file", "name": "local", "path": "users.yaml"},
            {"type": "ucm_pin", "name": "pins"},
        ],
        "duo": DUO,
    }
    return Settings.model_validate(usual | sections)


def entry(name: str = "app", url: str | list[str] = "https://app.example.edu/**", **keys: Any) -> RegisteredService:
    return RegisteredService.model_validate({"id": name, "name": name.title(), "url": url, **keys})


def told(
    *services: RegisteredService, url: str = "https://app.example.edu/x", settings: Settings | None = None, **more: Any
) -> Explanation:
    return explain(url, Registry(services or [entry()], "v1"), settings or made(), NOON, **more)


def of(explanation: Explanation) -> Service:
    assert explanation.service is not None
    return explanation.service
