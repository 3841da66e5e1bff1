"""Driving a run in the foreground: shows it, survives Ctrl-C, ends with the report and an exit code."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from relight.app import World, driver
from relight.cli.exits import INTERRUPTED
from relight.cli.live import watching
from relight.engine import Journal


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
            state = None
    if state is None:
        sys.stderr.write(f"\n{run} is not over: what it started goes on by itself where it can.\n")
        sys.stderr.write(f"Go on with it: relight resume {run}\n")
        return INTERRUPTED
    # Only now: a run that is taken up after a crash must not wait for what only its end needs.
    from relight.cli.outcome import tell_outcome  # noqa: PLC0415

    return tell_outcome(journal, state, driving.anchor_trouble)
