"""Runs as lists show them, read from the journal."""

from __future__ import annotations

from rich.table import Table

from relight.app import CATALOGUE
from relight.cli.answers import RunLine, RunWord
from relight.cli.drivers import is_driven
from relight.cli.gates import open_gates
from relight.cli.output import table
from relight.cli.wording import brief, instant
from relight.engine import Event, Journal, RunEnded, RunRow, RunStarted, RunState, fold
from relight.errors import InvalidFile, JournalError

STYLES = {
    "done": "green",
    "failed": "red",
    "refused": "red",
    "aborted": "red",
    "driven": "cyan",
    "waits": "yellow",
    "left": "yellow",
    "unreadable": "red",
}


def run_lines(journal: Journal, newest: int | None = None) -> tuple[RunLine, ...]:
    """The newest runs, or all of them, oldest first."""
    rows = journal.runs()
    return tuple(_run_line(journal, row) for row in (rows if newest is None else rows[-newest:]))


def state_of(row: RunRow, state: RunState) -> RunWord:
    """How it is with a run."""
    if state.ended:
        return state.ended.result
    if open_gates(state) or state.paused or state.stuck:
        return "waits"
    return "driven" if is_driven(row) else "left"


def run_table(lines: tuple[RunLine, ...]) -> Table:
    """Runs for people."""
    shown = table("run", "state", "goal", "by", "started", "took")
    for line in lines:
        took = brief(line.ended_at - line.started_at) if line.ended_at else "-"
        started = instant(line.started_at)
        shown.add_row(line.run, line.state, line.goal, line.by, started, took, style=STYLES[line.state])
    return shown


def _run_line(journal: Journal, row: RunRow) -> RunLine:
    """A run as a list shows it; one that cannot be read is said to be so, and hides no other."""
    try:
        return _readable_line(journal, row)
    except (InvalidFile, JournalError) as error:
        return RunLine(
            run=row.run,
            runbook="",
            goal=f"{error.what}: relight audit verify",
            by="",
            started_at=row.started_at,
            ended_at=None,
            state="unreadable",
            reason=str(error),
            events=row.sequence,
        )


def _readable_line(journal: Journal, row: RunRow) -> RunLine:
    first = _event_after(journal, row.run, 0)
    if not isinstance(first, RunStarted):
        raise JournalError(f"{row.run} does not begin with its plan")
    ended: RunEnded | None = None
    state: RunWord
    if row.ended:
        last = _event_after(journal, row.run, row.sequence - 1)
        ended = last if isinstance(last, RunEnded) else None
        state = ended.result if ended else "failed"
    else:
        state = state_of(row, fold(journal.events(row.run), CATALOGUE))
    return RunLine(
        run=row.run,
        runbook=str(first.plan.get("runbook", "")),
        goal=str(first.plan.get("goal", "")),
        by=first.by,
        started_at=row.started_at,
        ended_at=ended.at if ended else None,
        state=state,
        reason=ended.reason if ended else "",
        events=row.sequence,
    )


def _event_after(journal: Journal, run: str, sequence: int) -> Event | None:
    return next(journal.events(run, after=sequence), None)
