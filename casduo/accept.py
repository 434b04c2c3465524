"""Reads the ``Accept-*`` headers of browsers and phones: what they name, the best first."""

from __future__ import annotations

from collections.abc import Iterator

MOST_READ = 500
"""Characters; real phones send a few dozen."""


def accepted(header: str) -> list[str]:
    """Return what the header names, in small letters and in the order of preference; what it rules out is left out.

    Old phones leave out weights and mean the order (RFC 9110, 12.5, lets equal weights mean anything).
    """
    weighted = sorted(_weighted(header[:MOST_READ]), key=lambda pair: -pair[1])
    return [name for name, weight in weighted if weight > 0]


def _weighted(header: str) -> Iterator[tuple[str, float]]:
    for part in header.split(","):
        name, _, parameters = part.partition(";")
        if name.strip():
            yield name.strip().lower(), _weight(parameters)


def _weight(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0
