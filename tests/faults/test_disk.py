"""A disk that is full: the state of the embedded Valkey, the audit trail and the log lie on it."""

from __future__ import annotations

import time
from pathlib import Path

from tests.events.disks import small_disk
from tests.faults.conftest import Sound
from tests.faults.stage import on_stage
from tests.faults.stream import Stream


def test_logins_are_refused_while_the_disk_is_full_and_whole_again_once_there_is_room(
    tmp_path: Path, rounds: range, sound: Sound
) -> None:
    with (
        small_disk(tmp_path / "disk", 16 * 1024 * 1024) as disk,
        on_stage(disk.directory / "stage", "") as stage,
        Stream(stage.bases) as stream,
    ):
        for _ in rounds:
            stream.flows(4)
            disk.fill()
            try:
                stream.tells(4)
            finally:
                disk.free()
            stream.recovers(time.monotonic())
        sound(stream, stage)
