"""`relight show`: where a run stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from relight.app import CATALOGUE
from relight.cli.answers import GateShown, ShowAnswer, StepShown
from relight.cli.gates import approve_command
from relight.cli.journal_lines import STYLES, state_of
from relight.cli.live import shown_progress
from relight.cli.output import Screen, table, write_json
from relight.cli.session import JsonOption, ProjectOption, RunArgument, command, find_project, read_journal
from relight.cli.wording import brief, expected, instant
from relight.control import find_run
from relight.engine import Request, RunRow, RunState, StepState, fold
from relight.forecast import estimate_of

_STEP_STYLES = {"done": "green", "failed": "red", "blocked": "red", "running": "cyan", "retrying": "yellow"}

_MANY_STEPS = 200

app = command()


@app.command()
def show(
    context: typer.Context,
    *,
    run: RunArgument = "last",
    project: ProjectOption = None,
    every: Annotated[bool, typer.Option("--all", help="Every step of a large plan too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show where a run stands: who drives it, what it waits for, and its steps.

    Of a plan of more than 200 steps those are shown that are neither done nor waiting for others.
    """
    journal = read_journal(find_project(context, project))
    name = find_run(journal, run)
    state = fold(journal.events(name), CATALOGUE)
    answer = show_of(state, journal.row(name), journal.requests(name))
    if as_json:
        write_json(answer)
    else:
        Screen().print(_view(answer, every=every))


def show_of(state: RunState, row: RunRow, requests: Sequence[Request]) -> ShowAnswer:
    """A run as it stands."""
    ended = state.ended
    return ShowAnswer(
        run=state.run,
        runbook=state.plan.runbook,
        goal=state.plan.goal,
        inputs=state.plan.inputs,
        by=state.by,
        digest=state.plan.digest,
        state=ended.result if ended else state_of(row, waits=bool(state.waiting_gates)),
        reason=ended.reason if ended else "",
        started_at=state.started_at,
        ended_at=ended.at if ended else None,
        term=row.term,
        holder=row.holder,
        lease_until=row.lease_until,
        claims=state.plan.claims,
        gates=tuple(_gate(state, name) for name in state.gates),
        open_requests=tuple(f"{r.identity}: {r.kind} {r.body.get('gate', '')}" for r in requests),
        refused_requests=tuple(f"{r.identity}: {r.request}: {r.why}" for r in state.refusals),
        steps=tuple(_step(step) for step in state.steps.values()),
    )


def _gate(state: RunState, name: str) -> GateShown:
    gate = state.gates[name]
    return GateShown(
        gate=name,
        question=gate.question,
        identities=gate.identities,
        approved_by=tuple(gate.approvals),
        reached_at=gate.reached_at,
        is_open=gate.is_open,
    )


def _step(step: StepState) -> StepShown:
    took = step.ended_at - step.started_at if step.started_at and step.ended_at else None
    return StepShown(
        step=step.step.id,
        title=step.step.title,
        kind=step.step.spec.kind,
        status=step.status.value,
        attempt=step.attempt,
        started_at=step.started_at,
        ended_at=step.ended_at,
        forecast=estimate_of(step.step),
        took=took,
        progress=step.progress,
        reason=step.reason,
        remedy=step.remedy,
    )


def _view(answer: ShowAnswer, *, every: bool) -> RenderableType:
    headline = (
        Text().append(f"{answer.run}: {answer.goal}: ", "bold").append(answer.state, STYLES[answer.state])
    )
    headline.append(f", {answer.reason}" if answer.reason else "")
    parts: list[RenderableType] = [
        headline,
        Text(f"submitted by {answer.by}, {instant(answer.started_at)}"),
        Text(f"plan    {answer.digest}"),
        Text(f"claims  {', '.join(answer.claims) or 'nothing'}"),
        Text(_driver(answer)),
    ]
    for gate in answer.gates:
        style = "green" if gate.is_open else "yellow" if gate.reached_at else "dim"
        signed = f"{len(gate.approved_by)} of {gate.identities} signed"
        names = f" ({', '.join(gate.approved_by)})" if gate.approved_by else ""
        parts.append(Text(f"gate    {gate.gate}: {signed}{names}\n        {gate.question}", style))
        if gate.reached_at and not gate.is_open:
            parts.append(Text(f"        {approve_command(answer.run, gate.gate)}", "bold"))
    parts += [Text(f"asked   {told} (not judged yet)", "yellow") for told in answer.open_requests]
    parts += [Text(f"refused {told}", "yellow") for told in answer.refused_requests]
    return Group(*parts, Text(""), _steps(answer, every=every), Text(""), _counts(answer))


def _driver(answer: ShowAnswer) -> str:
    if answer.ended_at is not None:
        return f"ended   {instant(answer.ended_at)}"
    host, _, rest = answer.holder.partition("/")
    who = f"process {rest.partition('/')[0]} on {host}, term {answer.term}" if answer.holder else "nobody yet"
    if answer.lease_until is None:
        return f"driver  nobody now (last: {who}): relight resume {answer.run}"
    gone = f"; it is gone: relight resume {answer.run}" if answer.state == "left" else ""
    return f"driver  {who}, lease until {instant(answer.lease_until)}{gone}"


def _steps(answer: ShowAnswer, *, every: bool) -> RenderableType:
    steps = answer.steps
    if len(steps) > _MANY_STEPS and not every:
        steps = tuple(step for step in steps if step.status not in ("done", "waiting"))[:_MANY_STEPS]
    shown = table("step", "", "tries", "took", "forecast", "")
    for step in steps:
        note = step.reason + (f" ({step.remedy})" if step.remedy else "")
        if step.status == "running" and step.progress:
            note = shown_progress(step.progress)
        status = Text(step.status, _STEP_STYLES.get(step.status, ""))
        took, forecast = brief(step.took), expected(step.forecast)
        shown.add_row(
            step.step, status, str(step.attempt or "-"), took, forecast, note or Text(step.title, "dim")
        )
    return shown


def _counts(answer: ShowAnswer) -> Text:
    counts = Counter(step.status for step in answer.steps)
    return Text(", ".join(f"{number:,} {status}" for status, number in counts.most_common()), "dim")
