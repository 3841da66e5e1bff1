"""`relight retry`: a person has a failed step tried again."""

from __future__ import annotations

import typer

from relight.cli.asking import AnyReasonOption, AsOption, StepArgument, ask_and_tell, read_state, require_step
from relight.cli.session import ProjectOption, RunArgument, command, find_project, this_person

app = command()


@app.command()
def retry(
    context: typer.Context,
    *,
    run: RunArgument,
    step: StepArgument,
    identity: AsOption = None,
    reason: AnyReasonOption = "",
    project: ProjectOption = None,
) -> int:
    """Try a failed step again, with all its tries; what it had blocked may start after all.

    A step that waits for its next try is tried at once. Ends with 4 if it was refused.
    """
    found = find_project(context, project)
    state = read_state(found, run)
    body = {"step": require_step(state, step), "reason": reason}
    return ask_and_tell(found, state.run, "retry", identity or this_person(), body)
