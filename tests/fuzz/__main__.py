"""``python -m tests.fuzz``: looks for inputs that a parser does not bear, guided by what code they reach.

    python -m tests.fuzz                          every target for a minute
    python -m tests.fuzz --seconds 600 service    one of them for longer
    python -m tests.fuzz --repeat tests/fuzz/kept/service/0123456789abcdef

Needs atheris (``pip install casduo[fuzz]``). What is found is kept in tests/fuzz/kept/, where the tests replay it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.replay import keep, kept
from tests.fuzz.targets import TARGETS, Target

_SLOWEST = 5
"""Seconds after which one input is a find: time has to grow with the length, and no input is long."""
_MEMORY_MB = 1024
_BY_NAME = {target.name: target for target in TARGETS}


def main() -> int:
    """Fuzz, or repeat a find. Returns how many targets had finds."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--repeat", type=Path, help="a kept file, to see its fault")
    parser.add_argument("targets", nargs="*", choices=[*_BY_NAME, []], help="default: all")
    asked = parser.parse_args()
    if asked.repeat is not None:
        _BY_NAME[asked.repeat.parent.name].harness(asked.repeat.read_bytes())
        return 0
    return sum(fuzz(_BY_NAME[name], asked.seconds) for name in asked.targets or _BY_NAME)


def fuzz(target: Target, seconds: int) -> bool:
    """Fuzz one target in a process of its own. Returns whether there was a find, after telling of it."""
    with tempfile.TemporaryDirectory() as folder:
        corpus, finds = Path(folder) / "corpus", Path(folder) / "finds"
        corpus.mkdir()
        finds.mkdir()
        for number, data in enumerate([*target.seeds, *(path.read_bytes() for path in kept(target))]):
            (corpus / f"{number:04}").write_bytes(data)
        options = [
            f"-max_total_time={seconds}",
            f"-timeout={_SLOWEST}",
            f"-max_len={target.longest}",
            f"-rss_limit_mb={_MEMORY_MB}",
            f"-artifact_prefix={finds}/",
            "-print_final_stats=1",
        ]
        command = [sys.executable, "-m", "tests.fuzz.child", target.name, *options, str(corpus)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        runs = next((line.split()[-1] for line in done.stdout.splitlines() if "number_of_executed_units" in line), "?")
        found = [path for path in finds.iterdir() if path.name.split("-")[0] in ("crash", "timeout", "oom")]
        print(f"{target.name}: {runs} inputs, {len(found)} finds", flush=True)
        if not found and done.returncode:
            print(done.stdout[-3000:])
            return True
        for path in found:
            place = keep(target, path.read_bytes())
            print(f"  {path.name.split('-')[0]}; repeat: python -m tests.fuzz --repeat {place}")
            print(
                "  " + "\n  ".join(line for line in done.stdout.splitlines()[:60] if not line.startswith(("#", "INFO")))
            )
        return bool(found)


if __name__ == "__main__":
    raise SystemExit(main())
