"""The wards of one file of tests: each kind is started once, on a Redis of its own, and is as new for every test."""

from __future__ import annotations

from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from typing import Any

from casduo.simulators.certificates import CertificateAuthority
from casduo.store.embedded import EmbeddedValkey
from tests.support.site import Site, build_site
from tests.support.ward import Ward, running_ward

_LONG_AGO = 1_700_000_000.0
"""Until the ward sets its own time."""


class Wards:
    """Gives wards by their terms, see :func:`tests.support.ward.running_ward`."""

    def __init__(self, directory: Path, authority: CertificateAuthority) -> None:
        self._directory = directory
        self._authority = authority
        self._stack = ExitStack()
        self._numbers = count()
        self._wards: dict[tuple[tuple[str, Any], ...], Ward] = {}

    def of(self, **terms: Any) -> Ward:
        """Return a ward in which nothing has happened yet."""
        kind = tuple(sorted(terms.items()))
        found = self._wards.get(kind)
        if found is None:
            found = self._wards[kind] = self._start(**terms)
        else:
            found.renew()
        return found

    def close(self) -> None:
        """End all."""
        self._stack.close()

    def _start(self, **terms: Any) -> Ward:
        directory = self._directory / str(next(self._numbers))
        directory.mkdir()
        redis = self._stack.enter_context(EmbeddedValkey(directory / "valkey"))

        def build(**options: str) -> Site:
            site = build_site(directory, redis.url, _LONG_AGO, **options)
            self._stack.enter_context(closing(site.composed))
            return site

        return self._stack.enter_context(running_ward(build, self._authority, **terms))
