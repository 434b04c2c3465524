"""Services of django-mama-cas, from a settings module of Django (read, never run) or JSON, as entries."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import Any

from casduo.errors import Problem, SettingsError
from casduo.importing.addresses import Untranslatable, from_expression
from casduo.importing.compare import digest_of
from casduo.importing.entries import close_holes, make_valid, name_of, set_address, start_entry, unknown_field
from casduo.importing.fields import Fate, Fields
from casduo.importing.keys import allow_proxy, set_logout_url
from casduo.importing.model import Draft, Import, one_line
from casduo.importing.options import Options
from casduo.importing.reading import check_values, decoded, read_json

FIELDS: Fields = {
    "SERVICE": Fate("mapped", "`url`"),
    "CALLBACKS": Fate("lost", "they are programs that made attributes: write 'attributes'"),
    "LOGOUT_ALLOW": Fate("mapped", "`logout.type`"),
    "LOGOUT_URL": Fate("mapped", "`logout.url`"),
    "PROXY_ALLOW": Fate("mapped", "`proxy.allow`, with PROXY_PATTERN"),
    "PROXY_PATTERN": Fate("mapped", "`proxy.callback`"),
}
"""Every key of a service, and what becomes of it."""

_SERVICES = "MAMA_CAS_SERVICES"
_OLD_SERVICES = "MAMA_CAS_VALID_SERVICES"
_OLD_CALLBACKS = "MAMA_CAS_ATTRIBUTE_CALLBACKS"
_OLD_LOGOUT = "MAMA_CAS_ENABLE_SINGLE_SIGN_OUT"
_BACKENDS = "MAMA_CAS_SERVICE_BACKENDS"
_OWN_BACKEND = "mama_cas.services.backends.SettingsBackend"
_NAMES = (_SERVICES, _OLD_SERVICES, _OLD_CALLBACKS, _OLD_LOGOUT, _BACKENDS)


def import_mama_cas(file: str, content: bytes, options: Options | None = None) -> Import:
    """Turn the settings of django-mama-cas into entries.

    :param file: the name under which problems are reported; JSON when it ends in ``.json``, else Python
    """
    try:
        text = decoded(content, file)
        data = read_json(text, file) if file.lower().endswith(".json") else _python(text, file)
        settings = data if isinstance(data, dict) else {_SERVICES: data}
        check_values(settings, file)
        services = _services(settings, file)
    except SettingsError as error:
        return Import((), error.problems)
    problems = [*_backends(settings, file), *_of_the_server(settings, file)]
    taken: set[str] = set()
    drafts = []
    for number, service in enumerate(services, 1):
        if not isinstance(service, dict) or not isinstance(service.get("SERVICE"), str):
            problems.append(Problem(file, 0, 0, f"{_SERVICES}[{number - 1}]", "has no SERVICE"))
            continue
        drafts.append(_draft(service, number, file, taken, settings))
    close_holes(drafts, ignored_case=False)
    problems += make_valid(drafts)
    return Import(tuple(drafts), tuple(problems))


def _python(text: str, file: str) -> dict[str, Any]:
    """Return the settings that a Python module sets to literals. Nothing is run."""
    try:
        module = ast.parse(text)
    except SyntaxError as error:
        message = f"is not Python: {error.msg}"
        raise SettingsError((Problem(file, error.lineno or 0, error.offset or 0, "", message),)) from None
    except (ValueError, RecursionError, MemoryError):
        raise SettingsError((Problem(file, 0, 0, "", "is not Python that can be read"),)) from None
    if len(module.body) == 1 and isinstance(module.body[0], ast.Expr):
        return {_SERVICES: _literal(module.body[0].value, file, _SERVICES)}
    found: dict[str, Any] = {}
    top = {id(node) for node in module.body}
    set_here: set[int] = set()
    for node in ast.walk(module):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign | ast.AugAssign):
            targets = [node.target]
        for target in targets:
            if isinstance(target, ast.Name) and target.id in _NAMES:
                assert isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign)
                if isinstance(node, ast.AugAssign) or id(node) not in top or target.id in found:
                    message = (
                        "is set in more than one place, or under a condition: write down what holds, and import that"
                    )
                    raise SettingsError((Problem(file, node.lineno, node.col_offset + 1, target.id, message),))
                found[target.id] = _literal(node.value, file, target.id)
                set_here.add(id(target))
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and node.id in _NAMES and id(node) not in set_here:
            # Such as .append(...): what came of that, nobody knows who does not run it.
            message = "is used again further on, and may be changed there: write down what holds, and import that"
            raise SettingsError((Problem(file, node.lineno, node.col_offset + 1, node.id, message),))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id.startswith("MAMA_CAS_"):
            found.setdefault(node.id, None)
    return found


def _literal(node: ast.expr | None, file: str, name: str) -> Any:
    line, column = (node.lineno, node.col_offset + 1) if node is not None else (0, 0)
    try:
        return ast.literal_eval(node) if node is not None else None
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        message = "is worked out by the module, and nothing of that is run: write it out"
        raise SettingsError((Problem(file, line, column, name, message),)) from None


def _services(settings: Mapping[str, Any], file: str) -> list[Any]:
    services = settings.get(_SERVICES)
    if isinstance(services, list | tuple) and services:
        return list(services)
    old = settings.get(_OLD_SERVICES)
    if isinstance(old, list | tuple) and old and not services:
        return [{"SERVICE": text, "LOGOUT_ALLOW": settings.get(_OLD_LOGOUT, False)} for text in old]
    message = f"has no {_SERVICES}; without it the old server took every address, which cannot be meant"
    raise SettingsError((Problem(file, 0, 0, "", message),))


def _backends(settings: Mapping[str, Any], file: str) -> Iterable[Problem]:
    backends = settings.get(_BACKENDS)
    listed = backends if isinstance(backends, list | tuple) else [] if backends is None else [backends]
    for backend in listed:
        if backend != _OWN_BACKEND:
            message = f"{one_line(backend)[:100]!r} is a program; services that it knew are not here"
            yield Problem(file, 0, 0, _BACKENDS, message)


def _of_the_server(settings: Mapping[str, Any], file: str) -> Iterable[Problem]:
    for name in settings:
        if name.startswith("MAMA_CAS_") and name not in _NAMES:
            yield Problem(file, 0, 0, name, "is about the server and no service; see docs/settings.md", "note")


def _draft(service: dict[str, Any], number: int, file: str, taken: set[str], settings: Mapping[str, Any]) -> Draft:
    expression = service["SERVICE"]
    draft = Draft(f"{file} (service {number})", name_of(expression), expression)
    draft.digest = digest_of(service)
    start_entry(draft, number, taken)
    # The beginning of an address was enough.
    set_address(draft, "SERVICE", lambda: from_expression(expression, whole=False))
    if not draft.entry:
        return draft
    if service.get("CALLBACKS"):
        draft.lost("CALLBACKS", FIELDS["CALLBACKS"].sentence)
    if settings.get(_OLD_CALLBACKS):
        draft.lost(_OLD_CALLBACKS, FIELDS["CALLBACKS"].sentence)
    if service.get("LOGOUT_ALLOW"):
        draft.taken("LOGOUT_ALLOW", "logout: back_channel")
        if address := one_line(service.get("LOGOUT_URL")):
            set_logout_url(draft, "LOGOUT_URL", address)
    else:
        draft.entry["logout"] = {"type": "none"}
        draft.taken("LOGOUT_ALLOW", "logout: none")
        if service.get("LOGOUT_URL"):
            draft.left_out("LOGOUT_URL", "the service was not told of sign-outs")
    _proxy(draft, service)
    for key in service:
        if key not in FIELDS:
            unknown_field(draft, str(key), FIELDS)
    return draft


def _proxy(draft: Draft, service: dict[str, Any]) -> None:
    pattern = service.get("PROXY_PATTERN")
    # Without a pattern every callback was refused, whatever PROXY_ALLOW said.
    if not service.get("PROXY_ALLOW", True) or not isinstance(pattern, str):
        draft.taken("PROXY_ALLOW", "no proxy tickets")
        if pattern is not None:
            draft.left_out("PROXY_PATTERN", "nobody may proxy, so no callback is called")
        return
    try:
        address = from_expression(pattern, whole=False)
    except Untranslatable as error:
        draft.lost("PROXY_PATTERN", f"no pattern can say what {pattern[:200]!r} means: {error}; no proxy tickets")
        return
    if address.narrower:
        draft.differs("PROXY_PATTERN", f"means less than {pattern[:200]!r}: {'; '.join(address.narrower)}")
    allow_proxy(draft, "PROXY_PATTERN", list(address.patterns))
