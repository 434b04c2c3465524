"""One target under atheris, in a process that a find ends."""

from __future__ import annotations

import importlib
import sys


def main() -> None:
    """Fuzz the target named by the first argument; the others are libFuzzer's."""
    try:
        # By name: the tests themselves do without it, and not every Python and machine has it.
        atheris = importlib.import_module("atheris")
    except ImportError:
        raise SystemExit("fuzzing needs atheris: pip install 'casduo[fuzz]'") from None
    with atheris.instrument_imports(include=["casduo"]):
        from tests.fuzz.targets import TARGETS
    target = next(target for target in TARGETS if target.name == sys.argv[1])
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target.harness)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
