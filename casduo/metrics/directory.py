"""Where the processes of a server put their numbers, for any of them to tell the numbers of all.

One directory for each ``casduo serve``, below its state directory and named in ``PROMETHEUS_MULTIPROC_DIR``, as
prometheus_client wants it. Locks say who is alive: the system lets go of them however a process ends, and a process id
that is given out again deceives nobody. What processes have counted that ended is folded into one file of each kind, so
that a server whose processes are replaced for years does not grow.

Files of numbers are written through memory, and a process that writes to a page for which a full disk has no room is
killed. So there is room for all of a process's numbers before it begins, or it does not measure.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from casduo.signing import random_text

VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"

_OWNER: Final = "server.lock"
_FOLDING: Final = "folding.lock"
_STARTING: Final = "starting.lock"
_ROOM: Final = {"counter": 1 << 19, "histogram": 1 << 20, "gauge_livesum": 1 << 16, "gauge_livemax": 1 << 16}
"""Bytes; more than all series of a process take."""
_FILE: Final = re.compile(r"(counter|histogram|gauge_[a-z]+)_([0-9]+)\.db")
_NAME_LENGTH: Final = 12


def prepare(state_directory: Path, environ: MutableMapping[str, str]) -> Path:
    """Make the directory of a server that is about to start, put its name into ``environ``, and clear away what servers
    have left that no longer run. To be called before anything imports prometheus_client.

    :param environ: of the processes that are to be started. A directory that it names already is used; files of numbers
        in it are deleted if no other server uses it.
    :raises OSError: it cannot be made
    """
    given = environ.get(VARIABLE)
    if given:
        directory = Path(given)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _lock(directory / _OWNER):
            for file in directory.glob("*.db"):
                file.unlink()
        return directory
    place = state_directory / "metrics"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(place / _STARTING):
        _clear_away(place)
        directory = place / random_text(_NAME_LENGTH)
        directory.mkdir(mode=0o700)
        _lock(directory / _OWNER)
    environ[VARIABLE] = str(directory)
    return directory


def join(directory: Path) -> None:
    """Say that this process puts numbers there, for as long as it lives, and make room for them.

    :raises OSError: there is none
    """
    pid = os.getpid()
    for kind, size in _ROOM.items():
        _make_room(directory / f"{kind}_{pid}.db", size)
    # Never closed. Somebody who looks whether it is held has it for a moment.
    fcntl.flock(_opened(_sign_of_life(directory, pid)), fcntl.LOCK_EX)


@contextmanager
def gathered(directory: Path) -> Iterator[None]:
    """Hold the numbers of all processes still, those of ended ones folded together, while somebody adds them up."""
    with _alone(directory / _FOLDING):
        ended = _ended(directory)
        if ended:
            with suppress(OSError):
                _fold(directory, ended)
        yield


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _clear_away(place: Path) -> None:
    for directory in (path for path in place.iterdir() if path.is_dir()):
        with suppress(OSError), (directory / _OWNER).open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(directory, ignore_errors=True)


def _ended(directory: Path) -> list[Path]:
    """Return the files of processes that are no more."""
    files = [(path, int(found[2])) for path in directory.glob("*.db") if (found := _FILE.fullmatch(path.name))]
    alive = {pid for pid in {pid for _, pid in files} if pid == os.getpid() or _is_held(_sign_of_life(directory, pid))}
    return [path for path, pid in files if pid not in alive]


def _fold(directory: Path, files: list[Path]) -> None:
    # Here and not above: see casduo.metrics.prometheus.
    from prometheus_client.mmap_dict import MmapedDict, mmap_key
    from prometheus_client.multiprocess import MultiProcessCollector

    for kind in ("counter", "histogram"):
        old = [path for path in files if path.name.startswith(f"{kind}_")]
        if not old:
            continue
        sums = directory / f"{kind}_ended.db"
        before = [sums] if sums.exists() else []
        new = directory / f"{kind}_ended.new"
        new.unlink(missing_ok=True)
        _make_room(new, sum(path.stat().st_size for path in (*before, *old)))
        written = MmapedDict(str(new))  # type: ignore[no-untyped-call]
        paths = [str(path) for path in (*before, *old)]
        for metric in MultiProcessCollector.merge(paths, accumulate=False):  # type: ignore[no-untyped-call]
            for sample in metric.samples:
                names, values = list(sample.labels), list(sample.labels.values())
                key = mmap_key(metric.name, sample.name, names, values, metric.documentation)
                written.write_value(key, sample.value, 0.0)  # type: ignore[no-untyped-call]
        written.close()  # type: ignore[no-untyped-call]
        # In this order: a server that dies in between has counted less, which Prometheus understands, and not twice.
        for path in old:
            path.unlink()
        new.replace(sums)
    for path in files:
        path.unlink(missing_ok=True)
        _sign_of_life(directory, int(path.stem.rpartition("_")[2])).unlink(missing_ok=True)


def _make_room(path: Path, size: int) -> None:
    with path.open("a+b") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)


def _sign_of_life(directory: Path, pid: int) -> Path:
    return directory / f"process_{pid}.lock"


def _lock(path: Path) -> bool:
    """Take a lock for as long as this process lives. Returns whether it could be had."""
    file = _opened(path)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return False
    return True


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _is_held(path: Path) -> bool:
    try:
        with path.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
