"""Kinds of step for tests of the engine: they leave a line per effect in a file, and do as they are told."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from relight.engine import Driver, Journal, Listener, RunStarted, Surroundings, ThreadExecutor
from relight.engine.fake import MemoryAnchors, MemoryClaims, NoProcesses
from relight.plan import (
    Catalogue,
    Context,
    Done,
    Facts,
    Failed,
    Handler,
    Input,
    Interruption,
    Outcome,
    Plan,
    Progress,
    Retry,
    Spec,
    Step,
    Working,
)


class Noted(Facts):
    value: int


class Note(Spec):
    """Append the step's token to `path` once: a probing kind, looked up before it is done."""

    kind: ClassVar[str] = "rig.note"
    summary: ClassVar[str] = "leave a line in a file"
    facts: ClassVar[type[Facts]] = Noted
    interrupted: ClassVar[Interruption] = "probe"

    path: str
    value: Input[int] = 0
    values: Input[tuple[int, ...]] = ()
    pause: float = 0.0  # seconds between looking and acting


class Behave(Spec):
    """Do as told: `script` says for each attempt "done", "retry", "fail", "hang" or "break"."""

    kind: ClassVar[str] = "rig.behave"
    summary: ClassVar[str] = "do as told"
    interrupted: ClassVar[Interruption] = "ask"

    script: tuple[str, ...] = ("done",)


class NoteHandler:
    def attempt(self, spec: Note, context: Context) -> Outcome:
        path = Path(spec.path)
        lines = path.read_text().splitlines() if path.exists() else []
        if context.token not in lines:
            time.sleep(spec.pause)
            context.check()
            with path.open("a") as file:
                file.write(context.token + "\n")
        values = spec.values if isinstance(spec.values, tuple) else ()
        return Done(Noted(value=int(str(spec.value)) + 1 + sum(values)))


class BehaveHandler:
    def attempt(self, spec: Behave, context: Context) -> Outcome:
        match spec.script[min(context.attempt, len(spec.script)) - 1]:
            case "done":
                return Done()
            case "retry":
                return Retry("told to", timedelta(milliseconds=1))
            case "fail":
                return Failed("told to fail", "tell it otherwise")
            case "work":
                return Working(timedelta(milliseconds=5), Progress(note="working"))
            case "hang":
                time.sleep(1.0)
                return Done()
            case other:
                raise RuntimeError(other)


CATALOGUE = Catalogue({"rig.note": "rig.kinds:Note", "rig.behave": "rig.kinds:Behave"})
HANDLERS: dict[str, Handler[Any]] = {"rig.note": NoteHandler(), "rig.behave": BehaveHandler()}


def plan_of(*steps: Step, **fields: Any) -> Plan:
    given: dict[str, Any] = {"when_stuck": "end"} | fields
    observed_at = datetime(2026, 1, 1, tzinfo=UTC)
    return Plan(runbook="rig", goal="test", estate="rig", steps=steps, observed_at=observed_at, **given)


def surroundings(**changes: Any) -> Surroundings:
    given: dict[str, Any] = {
        "catalogue": CATALOGUE,
        "processes": NoProcesses(),
        "claims": MemoryClaims(),
        "anchors": MemoryAnchors(),
        "redact": lambda text: text,
        "why_not": lambda _request, _state: "",
    } | changes
    if "executor" not in given:
        given["executor"] = ThreadExecutor(HANDLERS.__getitem__, given["processes"])
    return Surroundings(**given)


def submit(journal: Journal, plan: Plan, run: str = "r1") -> str:
    data = plan.model_dump(mode="json")
    journal.create(RunStarted(at=datetime.now(UTC), run=run, by="test", digest=plan.digest, plan=data))
    return run


def driver(
    path: Path, run: str = "r1", around: Surroundings | None = None, listener: Listener | None = None
) -> Driver:
    return Driver(run, Journal(path), around or surroundings(), listener)
