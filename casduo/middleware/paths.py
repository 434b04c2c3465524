"""Which paths of the application need a sign-in: the longest pattern that matches decides. Pure.

A pattern is an exact path (``/healthz``) or a path that ends in ``/*``, which means the path itself and everything
below it (``/static/*``). The star does not count as length; of two equally long patterns the exact one wins, then the
stricter. A path no pattern matches is public.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from enum import IntEnum
from urllib.parse import unquote


class Access(IntEnum):
    """What a path demands; a greater value is stricter."""

    PUBLIC = 0
    """Nothing. A session that exists is told to the application."""
    GATEWAY = 1
    """Nothing, but the CAS server is asked once, silently, who this is."""
    PROTECTED = 2
    """A session."""
    RENEW = 3
    """A session that began with credentials typed for it, not long ago."""


class PathRules:
    """The patterns of one application.

    :param public: patterns that need no session.
    :param gateway: patterns whose users are recognised if that is possible without a prompt.
    :param protected: patterns that need a session.
    :param renew: patterns that need freshly typed credentials.
    """

    def __init__(
        self,
        *,
        public: Iterable[str] = (),
        gateway: Iterable[str] = (),
        protected: Iterable[str] = ("/*",),
        renew: Iterable[str] = (),
    ) -> None:
        lists = {
            Access.PUBLIC: public,
            Access.GATEWAY: gateway,
            Access.PROTECTED: protected,
            Access.RENEW: renew,
        }
        # WSGI hands paths over as bytes in the guise of Latin-1, so patterns are written that way too.
        rules = [
            (pattern.encode().decode("latin-1"), access) for access, patterns in lists.items() for pattern in patterns
        ]
        self._rules = sorted(rules, key=_weight, reverse=True)

    def access(self, path: str) -> Access:
        """Return what a path demands.

        A path that may mean another one to the application (``/static/../admin``, ``//admin``, ``/static/%2e%2e/``,
        a back slash, ``;`` parameters) is judged as written and as resolved; the stricter judgement counts.

        :param path: ``PATH_INFO``.
        """
        resolved = _resolved(path)
        if resolved == path:
            return self._match(path)
        return max(self._match(path), self._match(resolved))

    def _match(self, path: str) -> Access:
        for pattern, access in self._rules:
            if matches(pattern, path):
                return access
        return Access.PUBLIC


def _weight(rule: tuple[str, Access]) -> tuple[int, bool, Access]:
    pattern, access = rule
    return len(pattern.removesuffix("/*")), not pattern.endswith("/*"), access


def matches(pattern: str, path: str) -> bool:
    """Return whether one pattern matches a path."""
    if pattern.endswith("/*"):
        prefix = pattern[:-2]
        return path == prefix or path.startswith(f"{prefix}/") or not prefix
    return path == pattern


def problem_of(pattern: str) -> str | None:
    """Return what is wrong with a pattern, or ``None``."""
    if not pattern.startswith("/"):
        return f"the pattern {pattern!r} does not begin with a slash"
    if "*" in pattern.removesuffix("/*"):
        return f"the pattern {pattern!r} has a star elsewhere than in a final '/*'"
    return None


def _resolved(path: str) -> str:
    for _ in range(3):
        path = unquote(path, encoding="latin-1")
    path = path.replace("\\", "/")
    segments = [segment.partition(";")[0] for segment in path.split("/")]
    slash = "/" if len(segments) > 1 and not segments[-1] else ""
    joined = posixpath.normpath("/" + "/".join(segments)).lstrip("/")
    return f"/{joined}{slash}" if joined else "/"
