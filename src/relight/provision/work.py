"""Carries an update out: the process of the kinds that need the engine.

Run as `python -P -m relight.provision.work CALL`, CALL being a `Call` as JSON, which holds no secret: those
are in the environment. It tells progress on its output, and leaves `result.json`, an `End`, in the folder
RELIGHT_ARTIFACTS. SIGTERM reaches the engine, too: that finishes what is in flight, gives the lock back and
leaves nothing pending, so this process waits for it, however long that takes.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Timer
from typing import Any, Literal

from relight.canonical import Frozen
from relight.errors import Conflict, RelightError, Unreachable
from relight.plan import ARTIFACTS, REDACT
from relight.provision.drift import drift_of
from relight.provision.locks import is_alive
from relight.provision.port import (
    Deviates,
    Interrupted,
    Lock,
    Locked,
    OnProgress,
    PendingCreate,
    Stacks,
    Update,
)
from relight.provision.sizes import what_else
from relight.provision.steps import StackDriftFacts
from relight.provision.wording import describe

Status = Literal[
    "done", "locked", "interrupted", "unreachable", "lost", "deviates", "failed", "stopped", "missing"
]
RESULT = "result.json"
_SHORTEST_REDACTED = 4  # as relight.estate's secrets
STOPPED = 143  # as shells say of SIGTERM
_STATE_SECONDS = 20.0  # for the first look at the state, where another way is open


class Call(Frozen):
    """What to do: an update of one stack, of one pool's sizes, or a look for drift."""

    task: Literal["up", "scale", "drift"]
    root: str  # of the project
    stacks: tuple[str, ...]  # one, but for drift
    secrets_provider: str | None = None
    targets: tuple[str, ...] = ()
    expect_digest: str | None = None
    cancel_lock: str | None = None
    settle: bool = False  # pending creates: adopt those of `adopt`, forget the rest
    adopt: dict[str, str] = {}
    pool: str = ""
    sizes: dict[str, int] = {}


class End(Frozen):
    """What came of it."""

    status: Status
    reason: str = ""
    remedy: str = ""
    update: Update | None = None
    lock: Lock | None = None
    pending: tuple[PendingCreate, ...] = ()
    adopted: tuple[str, ...] = ()
    sizes: dict[str, int] = {}  # that the pool was, or was to be, given
    drift: StackDriftFacts | None = None


_STATUSES: tuple[tuple[type[RelightError], Status], ...] = (
    (Locked, "locked"),
    (Interrupted, "interrupted"),
    (Unreachable, "unreachable"),
    (Conflict, "lost"),
    (Deviates, "deviates"),
)


def carry_out(
    call: Call, stacks: Stacks, tell: OnProgress, reached: Callable[[], None] = lambda: None
) -> End:
    """Do it, and say what came of it; errors of ours are ends as well.

    `reached` is called once the state has answered.
    """
    return _attempt(call, stacks, tell, reached).model_copy(update={"sizes": call.sizes})


def _attempt(call: Call, stacks: Stacks, tell: OnProgress, reached: Callable[[], None]) -> End:
    try:
        match call.task:
            case "up":
                return _update(call, stacks, tell)
            case "scale":
                return _scale(call, stacks, tell, reached)
            case "drift":
                return End(status="done", drift=drift_of(stacks, call.stacks))
    except RelightError as error:
        return End(
            status=next((status for kind, status in _STATUSES if isinstance(error, kind)), "failed"),
            reason=error.what,
            remedy=error.remedy,
            lock=error.lock if isinstance(error, Locked) else None,
            pending=error.pending if isinstance(error, Interrupted) else (),
        )


def _update(call: Call, stacks: Stacks, tell: OnProgress) -> End:
    (stack,) = call.stacks
    if call.cancel_lock:
        tell(0, None, "taking a dead lock away")
        there = stacks.lock(stack)
        if there and is_alive(there):
            return End(status="locked", reason=f"{there} is of an update that runs", lock=there)
        stacks.cancel(stack, call.cancel_lock)
    if call.settle:
        tell(0, None, "settling what an update before had begun")
        stacks.refresh(stack, call.adopt, tell)
    update = stacks.up(stack, call.targets, call.expect_digest, tell)
    adopted = tuple(sorted(urn.rpartition("::")[2] for urn in call.adopt))
    return End(status="done", update=update, adopted=adopted)


def _scale(call: Call, stacks: Stacks, tell: OnProgress, reached: Callable[[], None]) -> End:
    """Change the sizes of the pool's resources and nothing else, which a preview shows before."""
    (stack,) = call.stacks
    rungs = _rungs(stacks.outputs(stack), call.pool)
    reached()
    missing = sorted(rung for rung, nodes in call.sizes.items() if nodes and rung not in rungs)
    if missing:
        reason = f"the stack {stack} has no resource for {', '.join(missing)} of the pool {call.pool}"
        return End(status="missing", reason=reason, remedy="bring the stack up first")
    if any(rung.get("adopted") for rung in rungs.values()):
        reason = f"the groups of {call.pool} are adopted: their owner keeps them, and no stack sizes them"
        return End(status="lost", reason=reason, remedy="let the step ask the cloud itself (allow_direct)")
    targets = _targets(rungs)
    if not targets:  # nothing runs in the pool; and without targets the engine would bring all of it up
        return End(status="done")
    preview = stacks.preview(stack, targets)
    others = what_else(preview.changes, targets)
    if others:
        reason = f"more than the size of {call.pool} would change: {'; '.join(others)}"
        return End(status="deviates", reason=reason, remedy="bring the stack up in quiet times, or amend")
    if not preview.changes:
        return End(status="done")
    tell(0, len(preview.changes), describe(preview.changes[0]))
    update = stacks.up(stack, targets, None, tell)
    return End(status="done", update=update)


def _targets(rungs: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """URNs that the knob turns: `urns` where a rung has several, which rungs of a pool may share."""
    urns = {str(urn) for rung in rungs.values() for urn in rung.get("urns") or (rung.get("urn", ""),)}
    return tuple(sorted(urn for urn in urns if urn))


def _rungs(outputs: Mapping[str, object], pool: str) -> dict[str, Mapping[str, Any]]:
    pools = outputs.get("pools")
    rungs = pools.get(pool) if isinstance(pools, Mapping) else None
    return dict(rungs) if isinstance(rungs, Mapping) else {}


def tell_progress(done: int, total: int | None, doing: str) -> None:
    """One line of progress, as the supervisor reads it."""
    counted = f"{done / total:.2f} {done} of {total}: " if total else (f"{done} done: " if done else "")
    print(f"::progress {counted}{doing}", flush=True)  # noqa: T201


def blanker(environment: Mapping[str, str]) -> Callable[[str], str]:
    """What takes the values of the names in RELIGHT_REDACT out of a text."""
    names = environment.get(REDACT, "").split(",")
    values = {environment.get(name, "") for name in names}
    secrets = sorted((v for v in values if len(v) >= _SHORTEST_REDACTED), key=len, reverse=True)

    def blank(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, "[redacted]")
        return text

    return blank


def main(argument: str) -> int:
    """Carry one call out."""
    from relight.provision.adapters.automation import AutomationStacks  # noqa: PLC0415 (handlers import us)

    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    call = Call.model_validate_json(argument)
    blank = blanker(os.environ)
    stacks = AutomationStacks(Path(call.root), {}, blank, call.secrets_provider, lambda: bool(stopped))
    watch = Timer(_STATE_SECONDS, _give_up, (call, blank))
    watch.daemon = True
    if call.task == "scale":  # it has another way; an update has none, and waits
        watch.start()
    end = carry_out(call, stacks, tell_progress, watch.cancel)
    watch.cancel()
    if stopped and end.status != "done":
        end = End(status="stopped", reason=end.reason or "it was stopped", sizes=call.sizes)
    _write(end, blank)
    return STOPPED if end.status == "stopped" else 0 if end.status == "done" else 1


def _give_up(call: Call, blank: Callable[[str], str]) -> None:
    """End with the state out of reach: only reading it has begun, so nothing is cut off."""
    reason = f"the state of {', '.join(call.stacks)} did not answer within {_STATE_SECONDS:g} s"
    _write(End(status="unreachable", reason=reason, sizes=call.sizes), blank)
    os.killpg(0, signal.SIGTERM)
    os._exit(1)


def _write(end: End, blank: Callable[[str], str]) -> None:
    folder = Path(os.environ[ARTIFACTS])
    draft = folder / f".{RESULT}"
    draft.write_text(blank(end.model_dump_json()), encoding="utf-8")
    draft.rename(folder / RESULT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
