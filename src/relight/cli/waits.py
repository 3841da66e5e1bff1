"""What a run waits for people about, each with the commands of which any one moves it on.

Everything that shows a run shows these: the board, the lines, `show`, and the end of `run --no-wait`. What is
read here is read at once or copied first, for a thread that draws may ask while another drives the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal

from relight.canonical import Frozen
from relight.cli.gates import approve_command, limits_of, open_gates, people, refuse_command, signed_by
from relight.cli.wording import brief
from relight.engine import UNDO, GateState, RunState, Status, StepState
from relight.plan import Gather, Ref, Spec


class Wait(Frozen):
    """One thing that people decide; any one of `commands` decides it."""

    about: Literal["pause", "gate", "stuck"]
    what: str
    notes: tuple[str, ...] = ()
    commands: tuple[str, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """All of it, for people."""
        return (self.what, *(f"  {line}" for line in (*self.notes, *self.commands)))


def waits_of(state: RunState, now: datetime) -> tuple[Wait, ...]:
    """Everything that the run waits for people about."""
    if state.ended:
        return ()
    gates = (gate_wait(state, name, gate, now) for name, gate in open_gates(state).items())
    stuck = state.stuck
    return (*_pauses(state, now), *gates, *(stuck_waits(state, stuck.steps) if stuck else ()))


def gate_wait(state: RunState, name: str, gate: GateState, now: datetime) -> Wait:
    """That people are to answer a gate."""
    missing = gate.identities - len(gate.approvals)
    return Wait(
        about="gate",
        what=f"waits for {people(missing)} to sign {name}: {gate.question}",
        notes=(signed_by(gate), *limits_of(gate, now)),
        commands=(approve_command(state.run, name), refuse_command(state.run, name)),
    )


def stuck_waits(state: RunState, names: Iterable[str]) -> Iterator[Wait]:
    """That people are to say what becomes of failed steps; last, how to give up instead."""
    for name in names:
        yield _stuck_wait(state, state.steps[name])
    abort = f'relight abort {state.run} --reason "…"'
    if undoable(state):
        what = "or end the run; with --undo, what was done is taken back:"
        yield Wait(about="stuck", what=what, commands=(abort, f"{abort} --undo"))
    else:
        yield Wait(about="stuck", what="or end the run:", commands=(abort,))


def _stuck_wait(state: RunState, step: StepState) -> Wait:
    name, commands = step.step.id, []
    if step.status in (Status.FAILED, Status.RETRYING):
        commands.append(f"relight retry {state.run} {name}")
    facts = "".join(f"--fact {fact}=VALUE " for fact in wanted_facts(state, name))
    commands.append(f'relight skip {state.run} {name} {facts}--reason "…"')
    return Wait(
        about="stuck",
        what=f"stuck: {name} {step.status}: {step.reason or step.step.title}",
        notes=(f"what to do: {step.remedy}",) if step.remedy else (),
        commands=tuple(commands),
    )


def _pauses(state: RunState, now: datetime) -> Iterator[Wait]:
    if paused := state.paused:
        why = f": {paused.reason}" if paused.reason else ""
        yield Wait(
            about="pause",
            what=f"paused by {paused.identity}, {brief(now - paused.at)} ago{why}",
            notes=("nothing new starts; what is under way goes on",),
            commands=(f"relight resume {state.run}",),
        )


def undoable(state: RunState) -> tuple[str, ...]:
    """The steps that an abort with undo would take back."""
    return tuple(
        name
        for name, step in list(state.steps.items())
        if step.attempt and isinstance(step.step.undo, Spec) and not name.startswith(UNDO)
    )


def wanted_facts(state: RunState, name: str) -> tuple[str, ...]:
    """The facts that whoever skips a step must give, as later steps refer to some of them."""
    referred = {
        value.fact
        for other in list(state.steps.values())
        for field in type(other.step.spec).model_fields
        if _refers(value := getattr(other.step.spec, field), name)
    }
    fields = state.steps[name].step.spec.facts.model_fields
    return tuple(
        fact for fact, field in fields.items() if referred and (field.is_required() or fact in referred)
    )


def _refers(value: object, name: str) -> bool:
    return (isinstance(value, Ref) and value.ref == name) or (
        isinstance(value, Gather) and name in value.gather
    )
