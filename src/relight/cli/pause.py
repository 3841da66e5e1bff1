"""`relight pause`: a person holds a run."""

from __future__ import annotations

import typer

from relight.cli.asking import AnyReasonOption, AsOption, ask_and_tell, read_state
from relight.cli.session import ProjectOption, RunArgument, command, find_project, this_person

app = command()


@app.command()
def pause(
    context: typer.Context,
    *,
    run: RunArgument,
    identity: AsOption = None,
    reason: AnyReasonOption = "",
    project: ProjectOption = None,
) -> int:
    """Hold a run: nothing new starts, and what is under way goes on to its end.

    Anybody may; relight resume RUN lets it go on. Ends with 4 if it was refused.
    """
    found = find_project(context, project)
    state = read_state(found, run)
    return ask_and_tell(found, state.run, "pause", identity or this_person(), {"reason": reason})
