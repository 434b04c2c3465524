"""Reads a Containerfile: its instructions by stage, the environment, and what it copies."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

_WORDS = "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL RUN STOPSIGNAL USER VOLUME WORKDIR"
_KNOWN = frozenset(re.findall("[A-Z]+", _WORDS))


@dataclass
class Stage:
    """What stands behind one FROM, in order."""

    image: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        return [text for instruction, text in self.instructions if instruction == name]

    @property
    def environment(self) -> dict[str, str]:
        return dict(word.split("=", 1) for text in self.all("ENV") for word in shlex.split(text))

    def words(self, name: str) -> list[str]:
        """Return the JSON form of the last instruction of a name."""
        found = json.loads(self.all(name)[-1])
        assert isinstance(found, list)
        return found


def read_containerfile(path: Path) -> list[Stage]:
    """Return the stages. Fails where an instruction is none."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    stages: list[Stage] = []
    for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        if not line.strip():
            continue
        name, _, text = line.strip().partition(" ")
        assert name in _KNOWN, line
        if name == "FROM":
            stages.append(Stage(text))
        else:
            stages[-1].instructions.append((name, text.strip()))
    return stages
