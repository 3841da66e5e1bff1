"""`relight show`: where a run stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from relight.app import CATALOGUE
from relight.cli.answers import AbortShown, GateShown, PauseShown, ShowAnswer, StepShown
from relight.cli.drivers import driver_of
from relight.cli.gates import open_gates
from relight.cli.journal_lines import STYLES, state_of
from relight.cli.live import shown_progress
from relight.cli.output import Screen, table, write_json
from relight.cli.session import JsonOption, ProjectOption, RunArgument, command, find_project, read_journal
from relight.cli.waits import waits_of
from relight.cli.windows import window_line, windows_of
from relight.cli.wording import brief, expected, instant
from relight.control import find_run
from relight.engine import Request, RunRow, RunState, StepState, fold
from relight.plan import estimate_of

_STEP_STYLES = {"done": "green", "failed": "red", "blocked": "red", "running": "cyan"} | dict.fromkeys(
    ("retrying", "gated", "asking", "skipped"), "yellow"
)

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
        state=state_of(row, state),
        reason=ended.reason if ended else "",
        started_at=state.started_at,
        ended_at=ended.at if ended else None,
        term=row.term,
        holder=row.holder,
        lease_until=row.lease_until,
        claims=state.plan.claims,
        gates=tuple(_gate(state, name) for name in state.gates),
        open_requests=tuple(_request(request) for request in requests),
        refused_requests=tuple(f"{r.identity}: {r.request}: {r.why}" for r in state.refusals),
        steps=tuple(_step(step) for step in state.steps.values()),
        paused=_pause(state),
        aborted=_abort(state),
        stuck=state.stuck.steps if state.stuck else (),
        windows=windows_of(state),
        waits=waits_of(state, datetime.now(UTC)),
    )


def _pause(state: RunState) -> PauseShown | None:
    paused = state.paused
    return PauseShown(by=paused.identity, at=paused.at, reason=paused.reason) if paused else None


def _abort(state: RunState) -> AbortShown | None:
    asked = state.aborted
    return AbortShown(by=asked.identity, at=asked.at, reason=asked.reason, undo=asked.undo) if asked else None


def _request(request: Request) -> str:
    about = request.body.get("gate") or request.body.get("step") or ""
    return f"{request.identity}: {request.kind} {about}".rstrip()


def _gate(state: RunState, name: str) -> GateShown:
    gate = state.gates[name]
    limits, reached = gate.gate, gate.reached_at
    return GateShown(
        gate=name,
        question=gate.question,
        identities=gate.identities,
        approved_by=tuple(gate.approvals),
        reached_at=gate.reached_at,
        is_open=gate.is_open,
        is_asked=name in open_gates(state),
        refused_by=gate.refused_by,
        escalates_to=limits.escalate_to,
        escalates_at=reached + limits.escalate_after if reached and limits.escalate_after else None,
        escalated_at=gate.escalated_at,
        expires_at=reached + limits.expire_after if reached and limits.expire_after else None,
        fallback=limits.fallback if limits.expire_after else None,
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
        window=step.step.window,
        group=step.step.group,
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
    if answer.aborted:
        undo = "; what was done is taken back" if answer.aborted.undo else ""
        told = f"{answer.aborted.by}, {instant(answer.aborted.at)}: {answer.aborted.reason}{undo}"
        parts.append(Text(f"aborted by {told}", "red"))
    parts += [Text(f"window  {window_line(window)}") for window in answer.windows]
    parts += [_gate_line(gate) for gate in answer.gates if not gate.is_asked]
    for wait in answer.waits:
        first, *rest = wait.lines
        parts.append(Text(first, "bold yellow"))
        parts += [Text(line) for line in rest]
    parts += [Text(f"asked   {told} (not judged yet)", "yellow") for told in answer.open_requests]
    parts += [Text(f"refused {told}", "yellow") for told in answer.refused_requests]
    return Group(*parts, Text(""), _steps(answer, every=every), Text(""), _counts(answer))


def _gate_line(gate: GateShown) -> Text:
    style = "green" if gate.is_open else "red" if gate.refused_by else "dim"
    names = f" ({', '.join(gate.approved_by)})" if gate.approved_by else ""
    answer = f"{len(gate.approved_by)} of {gate.identities} signed{names}"
    if gate.refused_by:
        answer = f"{gate.refused_by} said no"
    elif gate.is_open and len(gate.approved_by) < gate.identities:
        answer += ", and open as nobody answered in time"
    return Text(f"gate    {gate.gate}: {answer}\n        {gate.question}", style)


def _driver(answer: ShowAnswer) -> str:
    if answer.ended_at is not None:
        return f"ended   {instant(answer.ended_at)}"
    who = driver_of(answer.holder, answer.term)
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
