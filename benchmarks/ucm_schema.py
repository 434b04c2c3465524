"""``python -m benchmarks.ucm_schema``: what loading the AXL schema costs a process in time and memory.

Each figure is of a process of its own, which has imported zeep already; the median of several is shown. With
``--wsdl AXLAPI.wsdl`` a UCM's own schema is measured beside the built-in one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks import machine

GOAL_SECONDS = 0.05
GOAL_MEGABYTES = 10.0

_CALLS = 200
_CHILD = "--one-process"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process paid.

    :param zeep_seconds: for importing zeep, once per process, and ``zeep_megabytes`` the memory that took
    :param seconds: for loading the schema, and ``megabytes`` the memory that took
    :param request_seconds: for writing one request
    """

    zeep_seconds: float
    zeep_megabytes: float
    seconds: float
    megabytes: float
    request_seconds: float


def measure(version: str, wsdl: Path | None) -> Cost:
    """Load zeep and the schema in this process, which must not have done so before."""
    empty, begin = _megabytes(), time.perf_counter()
    import zeep  # noqa: F401 - the import is what is measured

    zeep_seconds, with_zeep = time.perf_counter() - begin, _megabytes()
    from casduo.ucm.schema import AxlSchema

    begin = time.perf_counter()
    schema = AxlSchema(version, wsdl)
    seconds, loaded = time.perf_counter() - begin, _megabytes()
    begin = time.perf_counter()
    for _ in range(_CALLS):
        schema.request("doAuthenticateUser", userid="ada", pin="18151815")
    request_seconds = (time.perf_counter() - begin) / _CALLS
    return Cost(zeep_seconds, with_zeep - empty, seconds, loaded - with_zeep, request_seconds)


def _megabytes() -> float:
    return machine.memory_megabytes([os.getpid()])


def _in_a_process(version: str, wsdl: Path | None) -> Cost:
    command = [sys.executable, "-m", "benchmarks.ucm_schema", _CHILD, "--version", version]
    done = subprocess.run(
        [*command, *(["--wsdl", str(wsdl)] if wsdl else [])], check=True, stdout=subprocess.PIPE, text=True
    )
    return Cost(**json.loads(done.stdout))


def _line(name: str, costs: list[Cost]) -> str:
    def middle(field: str) -> float:
        return median(float(getattr(cost, field)) for cost in costs)

    return (
        f"{name:12} load {middle('seconds') * 1000:7.1f} ms  memory {middle('megabytes'):6.1f} MB  "
        f"request {middle('request_seconds') * 1000:5.2f} ms  "
        f"(zeep itself: {middle('zeep_seconds') * 1000:.0f} ms, {middle('zeep_megabytes'):.1f} MB)"
    )


def main() -> int:
    """Measure, print, and return 1 if the built-in schema costs more than it may."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--version", default="14.0", help="version of the AXL schema (%(default)s)")
    parser.add_argument("--wsdl", type=Path, help="a UCM's own AXLAPI.wsdl, to be measured besides")
    parser.add_argument("--processes", type=int, default=5, help="processes per schema (%(default)s)")
    parser.add_argument(_CHILD, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one_process:
        print(json.dumps(asdict(measure(options.version, options.wsdl))))
        return 0
    own = [_in_a_process(options.version, None) for _ in range(options.processes)]
    print(_line("built-in", own))
    if options.wsdl:
        print(_line("UCM's own", [_in_a_process(options.version, options.wsdl) for _ in range(options.processes)]))
    seconds, megabytes = median(cost.seconds for cost in own), median(cost.megabytes for cost in own)
    good = seconds < GOAL_SECONDS and megabytes < GOAL_MEGABYTES
    print(f"goal: below {GOAL_SECONDS * 1000:.0f} ms and {GOAL_MEGABYTES:.0f} MB: {'met' if good else 'missed'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
