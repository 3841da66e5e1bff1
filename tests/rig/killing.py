"""Controllers that are killed at a chosen instant, in processes of their own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from relight import app
from relight.control import Project
from relight.engine import Driver, Event, Journal
from relight.errors import LeaseLost
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


LEASE_LOST = 3


def drive_until_lease_lost(path: Path, lease: timedelta) -> None:
    try:
        Driver("r1", Journal(path), surroundings(lease=lease)).drive()
    except LeaseLost:
        sys.exit(LEASE_LOST)


def drive_project(root: Path, run: str, deadly: int, moment: str) -> None:
    """Drive a run of a real project, with real adapters, until it ends or dies."""
    world = app.open_world(root)
    app.driver(world, DeadlyJournal(Project(root).journal_path, deadly, moment), run).drive()


def exit_code_of(target: Callable[..., None], *args: object) -> int:
    """Run a controller in a process of its own; -9 is one that was killed."""
    process = SPAWN.Process(target=target, args=args)
    process.start()
    process.join(60)
    assert process.exitcode is not None, "the controller hangs"
    return process.exitcode
