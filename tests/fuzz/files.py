"""Harnesses for files and settings that people write."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path

from pydantic import ValidationError

from casduo.authentication.ldap.password_policy import decode
from casduo.authentication.users_document import read_users
from casduo.errors import SettingsError
from casduo.events.audit_line import DamagedLine, read_line
from casduo.events.audit_verify import verify
from casduo.events.record import EventRecord
from casduo.fieldtypes import UTC, format_duration, parse_delay, parse_duration
from casduo.importing.apereo import import_apereo
from casduo.importing.django_cas_server import import_django_cas_server
from casduo.importing.mama_cas import import_mama_cas
from casduo.paths import views_directory
from casduo.services.file import read_registry
from casduo.services.index import Registry
from casduo.settings.load import read_settings
from casduo.settings.redisnodes import parse_nodes
from casduo.settings.webex import WebexRoute
from casduo.templatecheck import template_problems
from casduo.webex.templates import rendered, template_for
from casduo.webex.text import LONGEST_MESSAGE
from tests.fuzz.model import parts_of, passing, text_of

_RECORD = {"id": "e", "at": 1.5, "event": "login.failed", "level": "info", "facts": {}}


def audit(data: bytes) -> None:
    for line in data.splitlines(keepends=True):
        passing(DamagedLine, lambda: read_line(line))  # noqa: B023
        # As somebody writes it who knows how lines are sealed.
        body = b'{"seq":1,"prev":"","x":' + line.strip()
        seal = hashlib.sha256(body + b"}").hexdigest().encode()
        passing(DamagedLine, lambda: read_line(body + b',"hash":"' + seal + b'"}\n'))  # noqa: B023
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "audit-000000000001.jsonl"
        path.write_bytes(data)
        verify([path])


def registry(data: bytes) -> None:
    reading = read_registry(data, "registry.yaml", None)
    assert reading.registry is not None or reading.problems
    for problem in reading.problems:
        assert str(problem)


def settings(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "casduo.yaml"
        path.write_bytes(data)
        found, problems = read_settings(path, {})
    assert found is not None or problems
    passing(SettingsError, lambda: read_users(text_of(data), "users.yaml"))


def imports(data: bytes) -> None:
    for name in ("Some-1.json", "Some-1.yml"):
        passing(SettingsError, lambda: import_apereo([(name, data)]))  # noqa: B023
    passing(SettingsError, lambda: import_django_cas_server("dump.json", data))
    passing(SettingsError, lambda: import_mama_cas("settings.py", data))


def sizes(data: bytes) -> None:
    text = text_of(data)
    for read in (parse_duration, parse_delay):
        seconds = passing(ValueError, lambda: read(text))  # noqa: B023
        if seconds is not None and seconds >= 0.001:
            assert abs(parse_duration(format_duration(seconds)) - seconds) <= 0.0006
    policy = passing(ValueError, lambda: decode(data))
    assert policy is None or policy.grace_logins is None or isinstance(policy.grace_logins, int)


def redis_addresses(data: bytes) -> None:
    """Addresses of Sentinels and clusters. No message tells a word of them: they may hold a password."""
    text = text_of(data)
    said = ""
    found = None
    try:
        found = parse_nodes(text)
    except ValueError as error:
        said = str(error)
    assert len(text) < 30 or text not in said
    if found is not None:
        assert found.nodes
        assert all(host and 0 < port < 65536 for host, port in found.nodes)


def templates(data: bytes) -> None:
    """A template of a site's own, which is looked at and never run."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "login.html"
        path.write_bytes(data)
        for problem in template_problems(views_directory(), Path(folder), (), lambda *_: ""):
            assert problem.message
            assert problem.line >= 0


def notifications(data: bytes) -> None:
    """Templates of notifications, filled with what anybody may be called."""
    template, who = map(text_of, parts_of(data, 2))
    own = passing(ValidationError, lambda: WebexRoute.model_validate({"to": "space", "template": template}))
    if own is None:
        return
    record = EventRecord.from_json(json.dumps({**_RECORD, "principal": who}))
    text = rendered(template_for(record.kind, own.template), record, Registry((), "1"), UTC)
    assert len(text.encode()) <= LONGEST_MESSAGE
