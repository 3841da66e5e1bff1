"""Two controllers, two runs: one drives, one is refused; who slept past the lease neither writes nor acts."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from datetime import timedelta
from pathlib import Path

import pytest

from relight.audit import verify_run
from relight.engine import Journal, LeaseTaken
from relight.errors import Refused
from relight.plan import Step
from rig.killing import LEASE_LOST, SPAWN, drive_until_lease_lost
from rig.kinds import Note, driver, plan_of, submit, surroundings

pytestmark = pytest.mark.story
LEASE = timedelta(seconds=1)
STEPS = 60


def slow_chain(effects: Path) -> list[Step]:
    return [
        Step(
            id=f"s{i:02}",
            title="",
            spec=Note(path=str(effects), pause=0.05),
            after=(f"s{i - 1:02}",) if i else (),
        )
        for i in range(STEPS)
    ]


def stop_between_writes(pid: int, path: Path) -> None:
    """Stop a controller where it holds no lock of the journal: nobody gets past a write that stands still."""
    while True:
        os.kill(pid, signal.SIGSTOP)
        other = sqlite3.connect(path, timeout=0.1, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.01)
        else:
            other.rollback()
            return
        finally:
            other.close()


def test_a_controller_that_slept_past_its_lease_can_neither_append_nor_act(tmp_path: Path) -> None:
    path, effects = tmp_path / "journal.db", tmp_path / "effects"
    journal = Journal(path)
    submit(journal, plan_of(*slow_chain(effects)))
    sleeper = SPAWN.Process(target=drive_until_lease_lost, args=(path, LEASE))
    sleeper.start()
    while not effects.exists() or len(effects.read_text().split()) < 5:
        time.sleep(0.02)
    assert sleeper.pid is not None
    stop_between_writes(sleeper.pid, path)
    slept_at = journal.row("r1").sequence

    with pytest.raises(Refused, match="is driven by"):
        driver(path, around=surroundings(lease=LEASE)).drive()
    time.sleep(LEASE.total_seconds())
    state = driver(path, around=surroundings(lease=LEASE)).drive()
    ended_at = journal.row("r1").sequence
    os.kill(sleeper.pid, signal.SIGCONT)
    sleeper.join(20)

    assert sleeper.exitcode == LEASE_LOST
    assert journal.row("r1").sequence == ended_at > slept_at
    assert state.ended
    assert state.ended.result == "done"
    assert sorted(effects.read_text().split()) == [f"r1/s{i:02}" for i in range(STEPS)]
    terms = [event.term for event in journal.events("r1") if isinstance(event, LeaseTaken)]
    assert terms == [1, 2]
    assert verify_run(journal, "r1", None).faults == ()
