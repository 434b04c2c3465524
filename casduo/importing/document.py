"""Writes drafts as a ``registry.yaml`` for people: in the manner of the sample, with a comment where one must look."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from casduo.importing.model import Draft, Kind

_WIDTH = 118
_FLOW = 88

_HEADING = """\
# yaml-language-server: $schema=docs/registry.schema.json
#
# Services taken over from {origin}. The first one that matches a URL has it.
# Look at every line that begins with "# LOOK": there the old server worked in another way, or did something that cannot
# be said here. Entries with "# CLOSED" are disabled until somebody has decided. Afterwards run: casduo check
# Keep the lines "# From": by them a later import with --compare finds out what has changed at the old server.
"""

_MARKS: dict[Kind, str] = {"closed": "CLOSED", "lost": "LOOK", "differs": "LOOK"}


def registry_text(drafts: Iterable[Draft], origin: str) -> str:
    """Return the registry file.

    :param drafts: in their order; those without an entry become a comment
    :param origin: what the services were taken from, for people
    """
    drafts = list(drafts)
    some = any(draft.entry for draft in drafts)
    parts = [_HEADING.format(origin=origin), "\nservices:" if some else "\nservices: []\n"]
    parts += ["\n" + entry_text(draft) for draft in drafts]
    return "".join(parts)


def entry_text(draft: Draft) -> str:
    """Return an entry with the comment above it."""
    return "".join(f"  {line}\n" for line in _comment(draft)) + (_entry(draft.entry) if draft.entry else "")


def _comment(draft: Draft) -> list[str]:
    lines = [f"# From {draft.source}, {draft.digest}" if draft.digest else f"# From {draft.source}"]
    if not draft.entry:
        lines[0] += f": no entry for {draft.name!r}"
    for finding in draft.to_look_at():
        text = f"{_MARKS[finding.kind]} {finding.field}: {finding.sentence}"
        lines += textwrap.wrap(text, _WIDTH - 4, initial_indent="# ", subsequent_indent="#   ", break_on_hyphens=False)
    return lines


def _entry(entry: dict[str, Any]) -> str:
    yaml = YAML(typ="rt")
    yaml.width = _WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = StringIO()
    yaml.dump([CommentedMap((key, _styled(key, value)) for key, value in entry.items())], stream)
    return stream.getvalue()


def _styled(key: str, value: Any) -> Any:
    """Write short lists and mappings on one line, as the sample does; patterns each on a line of its own."""
    if isinstance(value, dict):
        styled = CommentedMap((name, _styled(name, member)) for name, member in value.items())
        if len(str(value)) <= _FLOW and not any(isinstance(member, dict) for member in value.values()):
            styled.fa.set_flow_style()
        return styled
    if isinstance(value, list | tuple):
        listed = CommentedSeq(_styled(key, member) for member in value)
        if key != "url" and len(str(value)) <= _FLOW:
            listed.fa.set_flow_style()
        return listed
    return value
