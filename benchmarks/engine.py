"""The engine: what a step costs above the work it does, and how soon a killed run goes on.

The peer is the floor that any durable engine stands on: bare SQLite with the same settings, one durable
transaction for each step, in the same folder and the same run.
"""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from benchmarks.table import row
from relight.engine import Driver, Journal, RunStarted, Surroundings, ThreadExecutor
from relight.engine.fake import MemoryAnchors, MemoryClaims, NoProcesses
from relight.plan import Catalogue, Context, Done, Interruption, Outcome, Plan, Spec, Step


class Nothing(Spec):
    """A step of no work."""

    kind: ClassVar[str] = "bench.nothing"
    summary: ClassVar[str] = "nothing"
    interrupted: ClassVar[Interruption] = "repeat"


class NothingHandler:
    def attempt(self, spec: Nothing, context: Context) -> Outcome:
        return Done()


def surroundings() -> Surroundings:
    processes = NoProcesses()
    handler = NothingHandler()
    return Surroundings(
        catalogue=Catalogue({"bench.nothing": "benchmarks.engine:Nothing"}),
        executor=ThreadExecutor(lambda _: handler, processes),
        processes=processes,
        claims=MemoryClaims(),
        anchors=MemoryAnchors(),
        redact=lambda text: text,
        why_not=lambda _request, _state: "",
    )


def a_plan(count: int, chained: bool) -> Plan:
    steps = tuple(
        Step(id=f"s{i}", title="", spec=Nothing(), after=(f"s{i - 1}",) if chained and i else ())
        for i in range(count)
    )
    return Plan(runbook="b", goal="b", estate="b", steps=steps, observed_at=datetime(2026, 1, 1, tzinfo=UTC))


def drive(count: int, chained: bool, folder: Path) -> float:
    journal = Journal(folder / "journal.db")
    plan = a_plan(count, chained)
    data = plan.model_dump(mode="json")
    journal.create(RunStarted(at=datetime.now(UTC), run="r1", by="b", digest=plan.digest, plan=data))
    before = time.perf_counter()
    state = Driver("r1", journal, surroundings()).drive()
    seconds = time.perf_counter() - before
    assert state.ended
    assert state.ended.result == "done"
    return seconds


def bare_commits(count: int, folder: Path) -> float:
    db = sqlite3.connect(folder / "bare.db", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
    before = time.perf_counter()
    for _ in range(count):
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO t (b) VALUES (?)", ("x" * 300,))
        db.execute("COMMIT")
    seconds = time.perf_counter() - before
    db.close()
    return seconds


def in_folder(count: int, chained: bool) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return drive(count, chained, Path(folder))


def resumed() -> tuple[float, float]:
    """Seconds from the start of a new controller, after kill -9, to its first dispatched attempt."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        journal = Journal(path)
        plan = a_plan(1000, chained=True)
        data = plan.model_dump(mode="json")
        journal.create(RunStarted(at=datetime.now(UTC), run="r1", by="b", digest=plan.digest, plan=data))
        code = (
            "from benchmarks.engine import *; "
            f"Driver('r1', Journal(Path({str(path)!r})), surroundings()).drive()"
        )
        first = subprocess.Popen([sys.executable, "-c", code])
        while journal.row("r1").sequence < 200:
            time.sleep(0.01)
        first.kill()
        first.wait()
        at = journal.row("r1").sequence
        killed = time.perf_counter()
        second = subprocess.Popen([sys.executable, "-c", code])
        while not any(e.event.type == "attempt-started" for e in journal.entries("r1", after=at)):
            time.sleep(0.002)
        seconds = time.perf_counter() - killed
        second.kill()
        second.wait()
        before = time.perf_counter()
        subprocess.run([sys.executable, "-c", "from benchmarks.engine import *"], check=True)
        return seconds, time.perf_counter() - before


def main() -> None:
    per_step = min(in_folder(1000, chained=True) for _ in range(3)) / 1000
    with tempfile.TemporaryDirectory() as folder:
        bare = bare_commits(1000, Path(folder)) / 1000
    row(
        "1,000 steps in a row: overhead a step",
        f"{per_step * 1e3:.2f} ms",
        f"bare SQLite commit {bare * 1e3:.2f} ms",
    )
    row("1,000 ready steps: the whole run", f"{in_folder(1000, chained=False):.2f} s", "wanted: under 5 s")
    half, whole = in_folder(5000, chained=False), in_folder(10_000, chained=False)
    row("10,000 ready steps: the whole run", f"{whole:.2f} s", f"{whole / half:.2f} x the run of 5,000")
    half, whole = in_folder(5000, chained=True), in_folder(10_000, chained=True)
    row("10,000 steps in a row: the whole run", f"{whole:.2f} s", f"{whole / half:.2f} x the run of 5,000")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    row("memory of this process at its highest", f"{memory:.0f} MiB", "wanted: under 300 MiB")
    seconds, imports = resumed()
    row(
        "kill -9 to first dispatched attempt, 1,000 steps",
        f"{seconds:.2f} s",
        f"Python and imports alone {imports:.2f} s",
    )
