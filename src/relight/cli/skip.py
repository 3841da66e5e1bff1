"""`relight skip`: a person answers for a step, which then counts as done."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from relight.cli.asking import (
    AsOption,
    ReasonOption,
    StepArgument,
    ask_and_tell,
    meant,
    read_state,
    require_step,
)
from relight.cli.session import ProjectOption, RunArgument, command, find_project, this_person
from relight.cli.waits import wanted_facts
from relight.errors import UsageError
from relight.plan import Facts

app = command()


@app.command()
def skip(
    context: typer.Context,
    *,
    run: RunArgument,
    step: StepArgument,
    identity: AsOption = None,
    reason: ReasonOption = "",
    facts: Annotated[
        list[str] | None,
        typer.Option("--fact", metavar="NAME=VALUE", help="What the step would have found out. Repeatable."),
    ] = None,
    facts_json: Annotated[
        str | None, typer.Option("--facts", metavar="JSON", help="All of them, as one JSON object.")
    ] = None,
    project: ProjectOption = None,
) -> int:
    """Answer for a step yourself: it counts as done, and what comes after it may start.

    If it runs, it is stopped. Later steps may refer to what it would have found out: then these facts must be
    given, and relight show says which. Ends with 4 if it was refused.
    """
    found = find_project(context, project)
    state = read_state(found, run)
    spec = state.steps[require_step(state, step)].step.spec
    given = read_facts(type(spec).facts, facts or (), facts_json)
    missing = [name for name in wanted_facts(state, step) if name not in given]
    if missing:
        options = " ".join(f"--fact {name}=VALUE" for name in missing)
        raise UsageError(
            f"later steps refer to what {step} finds out: {', '.join(missing)}", f"give {options}"
        )
    body = {"step": step, "reason": reason, "facts": json.dumps(given)}
    return ask_and_tell(found, state.run, "skip", identity or this_person(), body)


def read_facts(kind: type[Facts], pairs: Sequence[str], whole: str | None) -> dict[str, Any]:
    """The facts as they were typed; the controller checks them as a whole. Raise UsageError."""
    try:
        facts = json.loads(whole) if whole else {}
    except ValueError as error:
        raise UsageError(f"--facts is not JSON: {error}", """write --facts '{"name": "value"}'""") from None
    if not isinstance(facts, dict):
        raise UsageError("--facts is no JSON object", """write --facts '{"name": "value"}'""")
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"{pair!r} is no fact", "write --fact NAME=VALUE")
        if name in facts:
            raise UsageError(f"fact {name!r} is given twice", "give it once")
        facts[name] = _value(kind, name, value)
    for name in facts:
        if name not in kind.model_fields:
            there = ", ".join(kind.model_fields) or "none"
            raise UsageError(
                f"such a step has no fact {name!r}", meant(name, kind.model_fields) or f"it has {there}"
            )
    return facts


def _value(kind: type[Facts], name: str, text: str) -> Any:
    """A value as text where its field takes that ("7" for a number too), else as the JSON that it is."""
    try:
        kind.model_validate({name: text})
    except ValidationError as error:
        # Others will be missing; what counts is whether this one fits.
        if any(fault["loc"][:1] == (name,) for fault in error.errors()):
            with suppress(ValueError):
                return json.loads(text)
    return text
