"""``python -m casduo.messages extract|update|check``: the translations, for those who change or translate sentences."""

from __future__ import annotations

import sys
from pathlib import Path

from casduo.messages.translations import LOCALES, path_of
from casduo.messages.upkeep import TEMPLATE, TRANSLATED, problems, template, updated

USAGE = """\
usage: python -m casduo.messages extract|update|check

  extract  writes the template, casduo.pot
  update   writes the template, and brings every language up to date: new sentences without a translation, changed ones
           marked as fuzzy, those that are gone taken out; then tells what is left to be translated
  check    changes nothing; ends with 1 where something is missing, out of date or wrong
"""


def main(arguments: list[str]) -> int:
    """Carry out one of the commands and return the exit status."""
    match arguments:
        case ["extract"]:
            _write(LOCALES / TEMPLATE, template())
            return 0
        case ["update"]:
            _write(LOCALES / TEMPLATE, template())
            for language in TRANSLATED:
                _write(path_of(language), updated(language))
            return 0 if _told() else 1
        case ["check"]:
            return 0 if _told() else 1
    sys.stderr.write(USAGE)
    return 2


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _told() -> bool:
    """Tell all problems and return whether there is none."""
    lines = [f"{path_of(language)}: {problem}" for language in TRANSLATED for problem in problems(language)]
    if (LOCALES / TEMPLATE).read_bytes() != template():
        lines.append(f"{LOCALES / TEMPLATE}: is out of date; 'update' writes it anew")
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return not lines


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
