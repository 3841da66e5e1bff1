"""Driving a run in the foreground: shows it, survives Ctrl-C, ends with the report and an exit code."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass

from relight.app import CATALOGUE, World, driver
from relight.cli.exits import DONE, FAILED, INTERRUPTED, MISSED, WAITS
from relight.cli.live import watching
from relight.cli.output import Screen
from relight.cli.report_view import report_view
from relight.control import Report, report_of
from relight.engine import Journal, RunState, fold
from relight.plan import Plan


@dataclass(frozen=True)
class Manner:
    """How a run is driven: whether it waits for people, and whether events are shown as plain lines."""

    wait: bool = True
    plain: bool = False


def drive_run(world: World, journal: Journal, run: str, manner: Manner) -> int:
    """Drive a run to its end, or to where people decide, and return the exit code."""
    with watching(plain=manner.plain) as listener:
        driving = driver(world, journal, run, listener)
        try:
            state = driving.drive(wait=manner.wait)
        except KeyboardInterrupt:
            interrupted = True
        else:
            interrupted = False
    if interrupted:
        sys.stderr.write(f"\n{run} is not over: what it started goes on by itself where it can.\n")
        sys.stderr.write(f"Go on with it: relight resume {run}\n")
        return INTERRUPTED
    report = report_of(state, tuple(journal.events(run)))
    Screen().print(report_view(report, steps=False))
    if driving.anchor_trouble:
        sys.stderr.write(
            f"warning: the witness does not have the end of this record: {driving.anchor_trouble}\n"
        )
    if not state.ended:
        tell_gates(state)
    return exit_of(report, waits=not state.ended)


def exit_of(report: Report, *, waits: bool = False) -> int:
    """The exit code that a run's report comes to."""
    if waits:
        return WAITS
    if report.result != "done":
        return FAILED
    return DONE if report.objectives_met else MISSED


def read_report(journal: Journal, run: str) -> Report:
    """The report of a run as its journal has it."""
    events = tuple(journal.events(run))
    return report_of(fold(events, CATALOGUE), events)


def tell_gates(state: RunState) -> None:
    """Say which gates wait, and what the people must type."""
    screen = Screen()
    for name, gate in state.waiting_gates.items():
        missing = gate.identities - len(gate.approvals)
        screen.print(f"\nwaits for {people(missing)}: {gate.question}", style="yellow", soft_wrap=True)
        screen.print(f"  {approve_command(state.run, name)}", soft_wrap=True)
    screen.print(f"\nthen: relight resume {state.run}", soft_wrap=True)


def tell_overrides(plan: Plan, run: str) -> None:
    """Say what people must sign before the first effect, and what they must type."""
    screen = Screen()
    for finding in plan.overrides:
        who = people(finding.identities)
        screen.print(f"{who} must sign: {finding.message}", style="yellow", soft_wrap=True)
        screen.print(f"  {approve_command(run, finding.gate)}", soft_wrap=True)


def people(number: int) -> str:
    """How many people: "one person", "2 different people"."""
    return "one person" if number == 1 else f"{number} different people"


def approve_command(run: str, gate: str) -> str:
    """What a person types to approve a gate."""
    return f'relight approve {run} {shlex.quote(gate)} --as NAME --reason "…"'
