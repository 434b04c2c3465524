"""Which entry of the registry has a URL, and what keeps the others from having it."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from casduo.explanation.model import Entry, Relation
from casduo.services.index import MatchNote, Registry
from casduo.services.patterns import GlobPattern, Pattern, compile_pattern
from casduo.services.urls import ServiceUrl

MOST_LIKE = 5
"""Entries with a similar host that are told of."""

_ALIKE = 0.8
_ALIKE_APART = 0.6
"""Least likeness (difflib's ratio) of two hosts, and of what is left of them without the labels they end in alike."""

_ORDER: dict[Relation, int] = {"chosen": 0, "later": 1, "same host": 2, "like": 3, "other": 4}


def entries(registry: Registry, url: ServiceUrl, *, everything: bool) -> tuple[tuple[Entry, ...], int]:
    """Return the entries worth knowing about, the chosen one first and each kind in file order, and how many are left
    out.

    :param everything: leave none out
    """
    notes = registry.explain(url)
    # Hosts that look alike are of interest where none is right.
    like = set() if any(note.chosen for note in notes) else _like(notes, url.host)
    found = [_entry(note, url, like=note.service.id in like) for note in notes]
    shown = [entry for entry in found if everything or entry.relation != "other"]
    return tuple(sorted(shown, key=lambda entry: _ORDER[entry.relation])), len(found) - len(shown)


def _entry(note: MatchNote, url: ServiceUrl, *, like: bool) -> Entry:
    service = note.service
    if note.chosen:
        return Entry(service.id, note.pattern, "chosen", "has the URL")
    if not note.difference:
        return Entry(service.id, note.pattern, "later", "matches too, but an earlier entry has the URL")
    if note.difference not in ("scheme", "host"):
        return Entry(service.id, note.pattern, "same host", _difference(compile_pattern(note.pattern), url))
    # Of several patterns the index names the one that got furthest, which need not be the one with this host.
    pattern = next((pattern for pattern in _patterns(note) if pattern.accepts_host(url.host)), None)
    if pattern is not None:
        return Entry(service.id, pattern.text, "same host", _difference(pattern, url))
    pattern = compile_pattern(note.pattern)
    return Entry(service.id, pattern.text, "like" if like else "other", _difference(pattern, url))


def _patterns(note: MatchNote) -> list[Pattern]:
    return [compile_pattern(text) for text in note.service.urls]


def _difference(pattern: Pattern, url: ServiceUrl) -> str:
    match pattern.difference(url):
        case "scheme" if pattern.accepts_host(url.host):
            return f"the URL has another scheme, {url.scheme}"
        case "scheme" | "host":
            return "the URL has another host"
        case "port":
            return f"the URL has another port, {url.port}"
        case "path":
            return f"the URL has another path, {url.path}"
        case _:
            return f"the URL has another query, {url.query or 'none'}"


def _like(notes: Sequence[MatchNote], host: str) -> set[str]:
    """Return the ids of the few services whose host is spelled most like ``host``, the same one left out."""
    ratios: dict[str, float] = {}
    for note in notes:
        for pattern in _patterns(note):
            if isinstance(pattern, GlobPattern) and pattern.labels is not None and not pattern.accepts_host(host):
                written = ".".join(label.text for label in pattern.labels)
                ratios[note.service.id] = max(ratios.get(note.service.id, 0.0), likeness(written, host))
    best = sorted((name for name, ratio in ratios.items() if ratio), key=lambda name: -ratios[name])
    return set(best[:MOST_LIKE])


def likeness(a: str, b: str) -> float:
    """Return how alike two host names are, from 0 (not worth telling) to 1.

    What they end in alike counts little: all hosts of a campus end alike.
    """
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    if matcher.real_quick_ratio() < _ALIKE or matcher.quick_ratio() < _ALIKE or matcher.ratio() < _ALIKE:
        return 0.0
    ours, others = a.split("."), b.split(".")
    while ours and others and ours[-1] == others[-1]:
        ours.pop()
        others.pop()
    # Nothing left of one: it is the parent of the other, such as example.edu of www.example.edu.
    if ours and others and SequenceMatcher(None, ".".join(ours), ".".join(others)).ratio() < _ALIKE_APART:
        return 0.0
    return matcher.ratio()
