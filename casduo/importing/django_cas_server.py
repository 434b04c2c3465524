"""Service patterns of django-cas-server (0.9 to 3.x), as ``manage.py dumpdata cas_server`` writes them, as entries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from casduo.errors import Problem, SettingsError
from casduo.importing.addresses import from_expression
from casduo.importing.compare import digest_of
from casduo.importing.entries import (
    close_holes,
    make_valid,
    name_of,
    patterns_of,
    set_address,
    start_entry,
    unknown_field,
)
from casduo.importing.fields import Fate, Fields
from casduo.importing.keys import ALL_ATTRIBUTES, allow_proxy, release, require, set_logout_url
from casduo.importing.model import Draft, Import, one_line
from casduo.importing.options import Options
from casduo.importing.reading import decoded, read_json
from casduo.services.policies import MAX_MATCHED
from casduo.services.regexes import check_expression

FIELDS: Fields = {
    "pos": Fate("mapped", "the order of the entries"),
    "name": Fate("mapped", "`id` and `name`"),
    "pattern": Fate("mapped", "`url`"),
    "user_field": Fate("mapped", "`username_attribute`"),
    "restrict_users": Fate("mapped", "`access.attributes`, with `--username-attribute`; else the entry is closed"),
    "usernames": Fate("mapped", "`access.attributes`, with `--username-attribute`; else the entry is closed"),
    "attributs": Fate("mapped", "`attributes`"),
    "replacements": Fate("mapped", "`match` and `replace` of `attributes`"),
    "filters": Fate("mapped", "`access.attributes`"),
    "proxy": Fate("mapped", "`proxy.targets` of those that have callbacks"),
    "proxy_callback": Fate("mapped", "`proxy.callback`"),
    "single_log_out": Fate("mapped", "`logout.type`"),
    "single_log_out_callback": Fate("mapped", "`logout.url`"),
}
"""Every field of a service pattern, with those of the tables that point at it, and what becomes of it."""

_PATTERN = "cas_server.servicepattern"
_FEDERATION = "cas_server.federatediendityprovider"
_DETAILS = {
    "cas_server.username": "usernames",
    "cas_server.replaceattributname": "attributs",
    "cas_server.replaceattributvalue": "replacements",
    "cas_server.filterattributvalue": "filters",
}


@dataclass(slots=True)
class _Pattern:
    key: str
    fields: Mapping[str, Any]
    details: dict[str, list[Mapping[str, Any]]] = field(default_factory=lambda: defaultdict(list))


def import_django_cas_server(file: str, content: bytes, options: Options | None = None) -> Import:
    """Turn a dump of django-cas-server into entries. People, tickets and sessions in it are not looked at.

    :param file: the name under which problems are reported
    """
    options = options or Options()
    try:
        data = read_json(decoded(content, file), file)
        patterns = _patterns(data, file)
    except SettingsError as error:
        return Import((), error.problems)
    taken: set[str] = set()
    drafts = [_draft(pattern, file, taken, options) for pattern in patterns]
    _proxies(patterns, drafts)
    close_holes(drafts, ignored_case=False)
    problems = [*_elsewhere(data, file), *make_valid(drafts)]
    return Import(tuple(drafts), tuple(problems))


def _elsewhere(data: list[dict[str, Any]], file: str) -> Iterator[Problem]:
    if any(str(row.get("model")).lower() == _FEDERATION for row in data):
        message = "knows servers that people signed in at instead; here nobody signs in at another server"
        yield Problem(file, 0, 0, _FEDERATION, message, "warning")


def _rows(data: Any, file: str) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Return the rows that say something about services: the table, the row, and its fields.

    :raises SettingsError: one cannot be read; it may have kept people out, of whichever service
    """
    rows = []
    for at, row in enumerate(data if isinstance(data, list) else []):
        kind = str(row.get("model")).lower() if isinstance(row, dict) else ""
        fields = row.get("fields") if isinstance(row, dict) else None
        if kind and kind != _PATTERN and kind not in _DETAILS:
            continue
        if not kind or not isinstance(fields, dict):
            raise SettingsError((Problem(file, 0, 0, f"[{at}]", "is no row of a dump"),))
        rows.append((kind, row, fields))
    return rows


def _patterns(data: Any, file: str) -> list[_Pattern]:
    rows = _rows(data, file)
    found: dict[str, _Pattern] = {}
    for kind, row, fields in rows:
        key = str(row.get("pk"))
        if kind == _PATTERN and found.setdefault(key, _Pattern(key, fields)).fields != fields:
            message = f"service pattern {one_line(key)[:40]} is there twice, and says two things"
            raise SettingsError((Problem(file, 0, 0, "", message),))
    if not found:
        message = "holds no service patterns: it is no output of 'manage.py dumpdata cas_server'"
        raise SettingsError((Problem(file, 0, 0, "", message),))
    for kind, row, fields in rows:
        if kind == _PATTERN:
            continue
        owner = found.get(str(fields.get("service_pattern")))
        if owner is None:
            message = (
                f"{row.get('model')} {one_line(row.get('pk'))} belongs to a service pattern that the file does not have"
            )
            raise SettingsError((Problem(file, 0, 0, "", message),))
        owner.details[_DETAILS[kind]].append(fields)
    return sorted(
        found.values(), key=lambda pattern: (_number(pattern.fields.get("pos"), 100), _number(pattern.key, 0))
    )


def _number(value: Any, default: int) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return default


def _draft(pattern: _Pattern, file: str, taken: set[str], options: Options) -> Draft:
    fields = pattern.fields
    expression = str(fields.get("pattern") or "")
    name = one_line(fields.get("name"), 200) or name_of(expression)
    draft = Draft(f"{file} (service pattern {one_line(pattern.key)})", name, expression)
    draft.digest = digest_of([fields, pattern.details])
    start_entry(draft, _number(pattern.key, 0), taken)
    # The beginning of an address was enough.
    set_address(draft, "pattern", lambda: from_expression(expression, whole=False))
    if not draft.entry:
        return draft
    _people(draft, pattern, options)
    _attributes(draft, pattern, options)
    if text := one_line(fields.get("user_field")):
        draft.entry["username_attribute"] = text
        draft.taken("user_field", f"username_attribute: {text}")
        draft.differs(
            "user_field", f"people with two values of {text} get no ticket; the old server told the first one"
        )
    if fields.get("single_log_out") is True:
        draft.taken("single_log_out", "logout: back_channel")
        if address := one_line(fields.get("single_log_out_callback")):
            set_logout_url(draft, "single_log_out_callback", address)
    else:
        draft.entry["logout"] = {"type": "none"}
        draft.taken("single_log_out", "logout: none")
        if one_line(fields.get("single_log_out_callback")):
            draft.left_out("single_log_out_callback", "the service was not told of sign-outs")
    for key, value in fields.items():
        if key not in FIELDS and value not in (None, "", False):
            unknown_field(draft, key, FIELDS)
    return draft


def _people(draft: Draft, pattern: _Pattern, options: Options) -> None:
    if pattern.fields.get("restrict_users") not in (False, None):
        names = [name for row in pattern.details["usernames"] if (name := one_line(row.get("value")))]
        if options.username_attribute and names:
            attributes = draft.entry.setdefault("access", {}).setdefault("attributes", {})
            attributes[options.username_attribute] = list(dict.fromkeys(names))
            draft.taken("restrict_users", f"access: {options.username_attribute} must be one of {len(names)} names")
        else:
            draft.close(
                "restrict_users",
                f"{len(names)} people were let in by name, which only an attribute can say: name the one that holds "
                "the name that people sign in with, by --username-attribute",
            )
    elif pattern.details["usernames"]:
        draft.left_out("usernames", "everybody was let in, listed or not")
    for row in pattern.details["filters"]:
        require(draft, "filters", one_line(row.get("attribut")) or "?", [str(row.get("pattern") or "")])


def _attributes(draft: Draft, pattern: _Pattern, options: Options) -> None:
    replacements: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in pattern.details["replacements"]:
        replacements[one_line(row.get("attribut"))].append(row)
    names = {one_line(row.get("name")) for row in pattern.details["attributs"]}
    if "*" not in names and (unused := set(replacements) - names):
        draft.left_out("replacements", f"{', '.join(sorted(unused))[:200]} were not released")
    for row in pattern.details["attributs"]:
        source = one_line(row.get("name"))
        if source == "*":
            _all(draft, replacements, options)
            continue
        _attribute(draft, source, one_line(row.get("replace")) or source, replacements[source])


def _all(draft: Draft, replacements: Mapping[str, list[Mapping[str, Any]]], options: Options) -> None:
    if not options.all_attributes:
        draft.lost("attributs", ALL_ATTRIBUTES)
        return
    for name in options.all_attributes:
        _attribute(draft, name, name, replacements.get(name, []))
    draft.differs("attributs", "all attributes were released; now those are that --all-attributes names")


def _attribute(draft: Draft, source: str, name: str, replacements: list[Mapping[str, Any]]) -> None:
    if not source:
        return
    value: object = source
    if replacements:
        match, replace = str(replacements[0].get("pattern") or ""), str(replacements[0].get("replace") or "")
        if len(replacements) > 1 or not (match.startswith("^") and match.endswith("$")):
            draft.lost(
                "replacements", f"parts of {source[:60]} were replaced, so it is not released: here whole values are"
            )
            return
        try:
            check_expression(match, MAX_MATCHED)
        except ValueError as error:
            draft.lost("replacements", f"{source[:60]} is not released: {error}")
            return
        value = {"from": source, "match": match, "replace": replace}
        draft.differs(
            "replacements", f"values of {source[:60]} that do not match are left out; they were told as they are"
        )
    before = len(draft.findings)
    release(draft, "attributs", name, value)
    if len(draft.findings) == before:
        draft.taken("attributs", f"attributes: {name}" if name == source else f"attributes: {name}, from {source}")


def _proxies(patterns: Iterable[_Pattern], drafts: list[Draft]) -> None:
    """Let those have proxy tickets that had callbacks, for those that took such tickets."""
    pairs = [(pattern.fields, draft) for pattern, draft in zip(patterns, drafts, strict=True) if draft.entry]
    targets = [draft.entry["id"] for fields, draft in pairs if fields.get("proxy") is True]
    for fields, draft in pairs:
        if fields.get("proxy") is True:
            draft.taken("proxy", "it stands in proxy.targets of those that have callbacks")
        if fields.get("proxy_callback") is not True:
            continue
        if not targets:
            draft.left_out("proxy_callback", "no service took proxy tickets")
            continue
        allow_proxy(draft, "proxy_callback", patterns_of(draft))
        if "proxy" in draft.entry:
            draft.entry["proxy"]["targets"] = list(targets)
            draft.differs("proxy_callback", "callbacks are this entry's own; any service could use them")
