"""A runbook whose second of three lines cannot be left, and the command as a process that knows it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from relight import app
from relight.cli.main import main
from relight.engine.fake import MemoryAnchors, MemoryClaims
from rig.kinds import NoteHandler

RUNBOOK = '''
"""Leaves a line, fails to leave a second, and needs what that would have found out for the third."""

from datetime import timedelta

from relight.generic import Wait
from relight.plan import Gate, Plan, Ref, RetryPolicy, Runbook, RunbookInput, Step
from rig.kinds import Note


def build(estate, situation, inputs):
    there, missing = inputs["folder"] + "/lines", inputs["folder"] + "/missing/lines"
    once = RetryPolicy(attempts=1)
    wait = Wait(duration=timedelta(seconds=float(inputs["seconds"])))
    undone = Note(path=inputs["folder"] + "/undone")
    use = Note(path=there, value=Ref("second", "value"))
    steps = (
        Step(id="first", title="leave a line", spec=Note(path=there), undo=undone),
        Step(id="pass", title="let time pass", spec=wait, after=("first",)),
        Step(id="second", title="leave another", spec=Note(path=missing), after=("pass",), retry=once),
        Step(id="third", title="use it", spec=use, after=("second",)),
    )
    return Plan(
        runbook="trouble",
        goal="three lines are left",
        estate=estate.name,
        inputs=dict(inputs),
        steps=steps,
        observed_at=situation.now,
    )


RUNBOOK = Runbook(
    name="trouble",
    summary="fail at the second of three",
    build=build,
    inputs={"folder": RunbookInput("where"), "seconds": RunbookInput("to wait", default="0")},
)
'''
PLACES = {"rig.note": "rig.kinds:Note"}
HANDLERS = {"rig.note": "rig.troubles:note_handler"}
_TESTS = Path(__file__).parents[1]


def note_handler(_world: Any) -> NoteHandler:
    return NoteHandler()


def know_notes(setting: Any = setattr) -> None:
    """Let the command know the kinds of the runbook; `setting` as setattr, or as pytest undoes it."""
    setting(app.CATALOGUE, "_places", {**app.SPECS, **PLACES})
    setting(app, "HANDLERS", {**app.HANDLERS, **HANDLERS})


def call_in_the_background(project: Path, *arguments: str) -> subprocess.Popen[str]:
    """The command as another process, in a world without any site; its output is kept in one pipe."""
    return subprocess.Popen(
        [sys.executable, "-m", "rig.troubles", *arguments],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(_TESTS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


if __name__ == "__main__":
    know_notes()
    claims, anchors = MemoryClaims(), MemoryAnchors()
    put: Any = setattr
    put(app.World, "claims", lambda _self: claims)
    put(app.World, "anchors", lambda _self: anchors)
    put(app, "PROBES", ())
    main()
