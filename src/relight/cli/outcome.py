"""What a run came to, said at its end: the report, what people must do next, and the exit code."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from relight.app import CATALOGUE
from relight.cli.exits import DONE, FAILED, MISSED, WAITS
from relight.cli.output import Screen
from relight.cli.report_view import report_view
from relight.cli.waits import waits_of
from relight.control import Report, report_of
from relight.engine import Journal, RunState, fold


def tell_outcome(journal: Journal, state: RunState, anchor_trouble: str) -> int:
    """Show the report of a run that ended or waits for people; return the exit code."""
    if anchor_trouble:
        sys.stderr.write(f"warning: the witness does not have the end of this record: {anchor_trouble}\n")
    if not state.ended:
        _tell_waits(state)
        return WAITS
    report = report_of(state, tuple(journal.events(state.run)), anchor_trouble)
    Screen().print(report_view(report, steps=False))
    return exit_of(report)


def exit_of(report: Report) -> int:
    """The exit code that the report of a run which ended comes to."""
    if report.result != "done":
        return FAILED
    return DONE if report.objectives_met else MISSED


def read_report(journal: Journal, run: str, anchor_trouble: str = "") -> Report:
    """The report of a run as its journal has it; `anchor_trouble` as `report_of` takes it."""
    events = tuple(journal.events(run))
    return report_of(fold(events, CATALOGUE), events, anchor_trouble)


def _tell_waits(state: RunState) -> None:
    """Say what waits for people, and what they must type."""
    screen = Screen()
    waits = waits_of(state, datetime.now(UTC))
    for wait in waits:
        first, *rest = wait.lines
        screen.print(f"\n{first}", style="yellow", soft_wrap=True)
        for line in rest:
            screen.print(line, soft_wrap=True)
    if any(wait.about != "pause" for wait in waits):
        screen.print(f"\nthen: relight resume {state.run}", soft_wrap=True)
