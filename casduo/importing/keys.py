"""Writes the keys of an entry that all servers' services lead to: who gets in, what is released, proxies, sign-out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from casduo.errors import MalformedService
from casduo.fieldtypes import web_url
from casduo.importing.addresses import compiled
from casduo.importing.expressions import literals
from casduo.importing.model import Draft
from casduo.services.names import released_name
from casduo.services.urls import parse_service

ALL_ATTRIBUTES = (
    "all attributes were released, and here only those are that are listed: say "
    "--all-attributes mail,displayName,... or write 'attributes' into the entry"
)
"""What is said where nobody knows what "all" is."""


def require(draft: Draft, field: str, attribute: str, expressions: Sequence[str]) -> None:
    """Let those in only whose ``attribute`` has one of the values that ``expressions`` mean."""
    listed: list[str] = []
    for expression in expressions:
        found = literals(expression)
        if found is None or not all(found):
            draft.close(field, f"{attribute[:60]}: no list of values says what {expression[:100]!r} means")
            return
        listed += found
    if not listed:
        draft.close(field, f"{attribute[:60]} has no values, so nobody was let in")
        return
    attributes = draft.entry.setdefault("access", {}).setdefault("attributes", {})
    if attribute in attributes and attributes[attribute] != listed:
        draft.close(field, f"{attribute[:60]} must fit two lists, which cannot be said")
        return
    attributes[attribute] = list(dict.fromkeys(listed))
    draft.taken(field, f"access: {attribute} must be {' or '.join(listed)[:200]}")
    draft.differs(
        field, f"{attribute}: values count as a whole; the old server may have looked for them within longer ones"
    )


def release(draft: Draft, field: str, name: str, source: object) -> None:
    """Have an attribute released, if it may be called so.

    :param name: the name that the application sees
    :param source: as ``attributes`` of ``registry.yaml`` writes it: a name at the source, or a mapping
    """
    try:
        released_name(name)
    except ValueError as error:
        draft.lost(field, f"the attribute {name[:60]!r} {error}")
        return
    attributes: dict[str, Any] = draft.entry.setdefault("attributes", {})
    if name in attributes and attributes[name] != source:
        draft.lost(field, f"{name!r} comes from more than one attribute; only the first is released")
        return
    attributes[name] = source


def set_logout_url(draft: Draft, field: str, text: str) -> None:
    """Have a service told of sign-outs at an address of its own."""
    first, *others = [address.strip() for address in text.split(",") if address.strip()] or [""]
    try:
        parse_service(web_url(first))
    except (ValueError, MalformedService):
        draft.lost(field, f"{first[:100]!r} is no address that can be called")
        return
    draft.entry.setdefault("logout", {})["url"] = first
    draft.taken(field, f"logout: {first[:200]}")
    if others:
        draft.lost(field, f"one address is told of sign-outs, so {', '.join(others)[:200]} is not")


def allow_proxy(draft: Draft, field: str, patterns: list[str]) -> None:
    """Let the service have proxy tickets, sent to where ``patterns`` say, if that is somewhere in particular."""
    read = compiled(patterns)
    secure = [text for text, pattern in zip(patterns, read, strict=True) if pattern.schemes == {"https"}]
    usable = [pattern.text for pattern in compiled(secure) if pattern.width() is None]
    if len(secure) < len(patterns):
        draft.differs(field, "tickets are sent by https only")
    if not usable:
        draft.lost(
            field,
            "callbacks could be anywhere, which nobody needs and everybody can misuse: write the address of the "
            "callback into proxy.callback. Till then, no proxy tickets",
        )
        return
    draft.entry["proxy"] = {"allow": True, "callback": usable[0] if len(usable) == 1 else usable}
    draft.taken(field, f"proxy: callbacks to {', '.join(usable)[:200]}")
