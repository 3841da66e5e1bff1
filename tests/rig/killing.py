"""Controllers that are killed at a chosen instant, in processes of their own."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from relight.engine import Driver, Event, Journal
from rig.kinds import surroundings

SPAWN = multiprocessing.get_context("forkserver")
SPAWN.set_forkserver_preload(["rig.killing"])


class DeadlyJournal(Journal):
    """Kills its process around the nth append of events: "before" it is durable, or "after"."""

    def __init__(self, path: Path, deadly: int, moment: str) -> None:
        super().__init__(path)
        self._left = deadly
        self._moment = moment

    def append(
        self, run: str, term: int, events: Sequence[Event], answered: Sequence[int] = ()
    ) -> tuple[int, str]:
        self._left -= 1
        if self._left == 0 and self._moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = super().append(run, term, events, answered)
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


def drive_to_death(path: Path, deadly: int, moment: str) -> None:
    Driver("r1", DeadlyJournal(path, deadly, moment), surroundings()).drive()


def exit_code_of_drive_to_death(path: Path, deadly: int, moment: str) -> int:
    """Drive run r1 until it ends (0) or is killed (-9)."""
    process = SPAWN.Process(target=drive_to_death, args=(path, deadly, moment))
    process.start()
    process.join(20)
    assert process.exitcode is not None, "the controller hangs"
    return process.exitcode
