"""Looks over entries that ask for an approval, and those for machines behind a gateway."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from casduo.errors import Problem
from casduo.services.lint import Entry
from casduo.services.model import ApprovalRule, RegisteredService
from casduo.settings import Settings
from casduo.yamlfile import Document, KeyPath

Level = Literal["warning", "note"]
_Said = tuple[KeyPath, str, Level]


def lint_approvals(entries: Sequence[Entry], document: Document, settings: Settings | None) -> Iterator[Problem]:
    """Yield what should be looked at about approvals and targets.

    :param settings: whether there is a Webex, and for whom REST is; ``None`` skips what is about them
    """
    for entry in entries:
        for path, message, level in _said(entry.service, settings):
            yield document.problem(("services", entry.index, *path), message, level)
    # One that has a mistake is not among the entries.
    whole = len(entries) == len(document.data.get("services") or ())
    asked_for = any(entry.service.requires_approval is not None for entry in entries)
    if settings is not None and "approvals" in settings.model_fields_set and whole and not asked_for:
        message = "no entry has requires_approval: the section 'approvals' of the settings has no effect"
        yield document.problem(("services",), message, "note")


def _said(service: RegisteredService, settings: Settings | None) -> Iterator[_Said]:
    rule = service.requires_approval
    if rule is not None:
        yield from _rule(service)
        if settings is not None:
            yield from _webex(rule, settings)
            yield from _rest(service, settings)
    if service.target is not None and rule is None and service.duo_rule is None:
        yield (
            ("target",),
            "a password alone leads there: the entry has neither requires_duo nor requires_approval",
            "note",
        )


def _rule(service: RegisteredService) -> Iterator[_Said]:
    if service.channel == "phone":
        message = "a phone has no form: it asks for max_duration from that moment on"
        yield ("requires_approval",), message, "note"
    elif not service.single_sign_on:
        message = (
            "people who come back once they are let in are asked for their password again: single_sign_on is false"
        )
        yield ("requires_approval",), message, "warning"
    if service.duo_rule is None:
        known_by = "PIN" if service.channel == "phone" else "password"
        message = f"who asks is known by a {known_by} alone: the entry has no requires_duo"
        yield ("requires_approval",), message, "note"


def _webex(rule: ApprovalRule, settings: Settings) -> Iterator[_Said]:
    webex, place = settings.webex, ("requires_approval",)
    if webex is None:
        if rule.room is not None:
            message = "has no effect: the settings have no section 'webex'"
            yield (*place, "room"), message, "warning"
        yield place, "requests are decided on the page of this server only, and nobody is told of them", "note"
    elif rule.room is None and webex.room is None:
        message = "nobody is told of requests: neither the entry nor the section 'webex' has a room"
        yield place, message, "warning"
    elif rule.approve_in == "anywhere" and webex.webhook.secret is None:
        message = "requests are decided on the page of this server only: without webex.webhook.secret their cards have"
        yield place, f"{message} no buttons", "note"


def _rest(service: RegisteredService, settings: Settings) -> Iterator[_Said]:
    clients = settings.rest.clients if settings.rest.enabled else ()
    served = [client.name for client in clients if not client.services or service.id in client.services]
    if service.channel == "browser" and "rest" in service.protocols and served:
        message = f"programs ({', '.join(served)}) get tickets for it while a request is approved, and cannot make one"
        yield ("protocols",) if "protocols" in service.model_fields_set else (), message, "note"
