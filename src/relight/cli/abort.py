"""`relight abort`: a person ends a run, and may have what was done taken back."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from relight.cli.asking import AsOption, ReasonOption, ask_and_tell, read_state
from relight.cli.exits import WAITS
from relight.cli.output import write
from relight.cli.session import ProjectOption, RunArgument, command, find_project, this_person
from relight.cli.waits import undoable
from relight.cli.wording import count
from relight.engine import UNDO, RunState
from relight.errors import Refused, UsageError
from relight.plan import Irreversible

app = command()


@app.command()
def abort(
    context: typer.Context,
    *,
    run: RunArgument,
    identity: AsOption = None,
    reason: ReasonOption = "",
    undo: Annotated[
        bool, typer.Option("--undo", help="Take back what was done, failed or was cut off, in reverse order.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    project: ProjectOption = None,
) -> int:
    """End a run: nothing starts any more, and what runs is stopped; it ends as "aborted".

    Asks first; without a terminal --yes is needed. Ends with 4 if it was refused.
    """
    found = find_project(context, project)
    state = read_state(found, run)
    if state.ended:
        raise Refused(f"{state.run} has ended; there is nothing to abort", f"relight report {state.run}")
    if not reason.strip():
        raise UsageError("to abort needs a reason", 'say why: --reason "…"; it goes into the record')
    if not yes and not _agrees(state, undo=undo):
        sys.stderr.write(f"{state.run} was not aborted\n")
        return WAITS
    body = {"reason": reason, "undo": "yes" if undo else ""}
    return ask_and_tell(found, state.run, "abort", identity or this_person(), body)


def _agrees(state: RunState, *, undo: bool) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("nobody is here to be asked", "say --yes")
    write(_meaning(state, undo=undo))
    return typer.confirm(f"End {state.run}?", default=False)


def _meaning(state: RunState, *, undo: bool) -> str:
    """What an abort does to the steps that were tried."""
    tried = [step for name, step in state.steps.items() if step.attempt and not name.startswith(UNDO)]
    if not tried:
        return "nothing was done yet\n"
    if not undo:
        return f"what was done stays: {count(len(tried), 'step')}; --undo would take it back\n"
    back = set(undoable(state))
    told = [f"taken back: {', '.join(_back_to_front(back, state)) or 'nothing'}"]
    for step in tried:
        if step.step.id not in back:
            how = step.step.undo
            why = how.irreversible if isinstance(how, Irreversible) else "it declares no undo"
            told.append(f"stays: {step.step.id}: {why}")
    return "\n".join(told) + "\n"


def _back_to_front(names: set[str], state: RunState) -> list[str]:
    """Steps in the reverse order of the plan."""
    return [name for name in reversed(state.steps) if name in names]
