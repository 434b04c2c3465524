"""Looks for patterns that mean this server's own pages, on which entries of the file have no effect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Literal

from casduo.errors import Problem
from casduo.services.builtin import own_entries
from casduo.services.lint import Entry, written_urls
from casduo.services.model import RegisteredService
from casduo.services.patterns import Pattern, compile_pattern
from casduo.services.urls import ServiceUrl, parse_service
from casduo.settings import Settings
from casduo.yamlfile import Document


def lint_own_pages(entries: Sequence[Entry], document: Document, settings: Settings | None) -> Iterator[Problem]:
    """Yield what entries say of pages that are the server's own: their entries are made by the settings and come first,
    wherever others stand and whatever these demand (:func:`casduo.services.builtin.with_builtin`).

    :param settings: what those entries are made of; ``None`` skips this
    """
    own = own_entries([entry.service for entry in entries], settings)
    if not own:
        return
    host = _page(own[0].urls[0]).host
    for entry in entries:
        for path, text in written_urls(entry, document):
            pattern = compile_pattern(text)
            if not pattern.accepts_host(host):
                continue
            said = [(service, level) for service in own if (level := _meets(pattern, service)) is not None]
            if not said:
                continue
            names = ", ".join(service.id for service, _ in said)
            level = "warning" if any(one == "warning" for _, one in said) else "note"
            what = "matches nothing but" if level == "warning" else "also matches"
            message = f"{what} pages of this server ({names}), on which it has no effect: their entries come first"
            yield document.problem(path, message, level)


def _meets(pattern: Pattern, service: RegisteredService) -> Literal["warning", "note"] | None:
    """Return how grave it is that ``pattern`` means pages of ``service``; None where it does not.

    A wide one that means them with others is no mistake; one that is about nothing else is of no use.
    """
    ours = [compile_pattern(text) for text in service.urls]
    if any(one.covers(pattern) for one in ours):
        return "warning"
    if pattern.is_regex:
        # What it has in common with other patterns can only be guessed; what it makes of a page can be told.
        return "note" if any(pattern.matches(_page(text)) for text in service.urls) else None
    return "note" if any(pattern.overlaps(one) for one in ours) else None


@cache
def _page(pattern: str) -> ServiceUrl:
    """Return a page that a pattern of ours means."""
    return parse_service(pattern.removesuffix("**"))
