"""Carries an update out: the process of the kinds that need the engine.

Run as `python -P -m relight.provision.work CALL`, CALL being a `Call` as JSON, which holds no secret: those
are in the environment. It tells progress on its output, and leaves `result.json`, an `End`, in the folder
RELIGHT_ARTIFACTS. SIGTERM reaches the engine, too: that finishes what is in flight, gives the lock back and
leaves nothing pending, so this process waits for it, however long that takes.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from relight.canonical import Frozen
from relight.errors import Conflict, RelightError, Unreachable
from relight.estate import parts_of, redact
from relight.plan import ARTIFACTS, REDACT
from relight.provision.drift import drift_of
from relight.provision.locks import is_alive
from relight.provision.orphans import MARK, at_work, mark_of
from relight.provision.port import (
    Approved,
    Deviates,
    Interrupted,
    Lock,
    Locked,
    LockUnknown,
    OnProgress,
    PendingCreate,
    Preview,
    Stacks,
    Update,
)
from relight.provision.sizes import other_sizes, what_else
from relight.provision.steps import StackDriftFacts
from relight.provision.watchdog import Watchdog
from relight.provision.wording import describe

Status = Literal[
    "done", "locked", "interrupted", "unreachable", "lost", "deviates", "failed", "stopped", "missing"
]
RESULT = "result.json"
STOPPED = 143  # as shells say of SIGTERM
LOCK_SECONDS: Mapping[bool | None, float] = {True: 120.0, None: 60.0, False: 0.0}
"""How long the knob waits for a lock whose update lives here (True), may live, or is dead (False)."""

_LOOK_SECONDS = 2.0  # between two looks at a lock


class Call(Frozen):
    """What to do: an update of one stack, of one pool's sizes, or a look for drift."""

    task: Literal["up", "scale", "drift"]
    root: str  # of the project
    stacks: tuple[str, ...]  # one, but for drift
    secrets_provider: str | None = None
    targets: tuple[str, ...] = ()
    expect_digest: str | None = None
    expect_changes: tuple[Approved, ...] = ()
    cancel_lock: str | None = None
    settle: bool = False  # pending creates: adopt those of `adopt`, forget the rest
    adopt: dict[str, str] = {}
    pool: str = ""
    sizes: dict[str, int] = {}
    answer_seconds: float = 20.0  # that the state has to answer, where there is another way


class End(Frozen):
    """What came of it."""

    status: Status
    reason: str = ""
    remedy: str = ""
    update: Update | None = None
    lock: Lock | None = None
    was_held: bool = False  # by an update that lived when it was looked at, or had just let go
    pending: tuple[PendingCreate, ...] = ()
    adopted: tuple[str, ...] = ()
    sizes: dict[str, int] = {}  # that the pool was, or was to be, given
    drift: StackDriftFacts | None = None
    ended_at: datetime | None = None


_STATUSES: tuple[tuple[type[RelightError], Status], ...] = (
    (Locked, "locked"),
    (Interrupted, "interrupted"),
    (Unreachable, "unreachable"),
    (Conflict, "lost"),
    (Deviates, "deviates"),
)


def carry_out(
    call: Call,
    stacks: Stacks,
    tell: OnProgress,
    reached: Callable[[], None] = lambda: None,
    patience: Mapping[bool | None, float] = LOCK_SECONDS,
) -> End:
    """Do it, and say what came of it; errors of ours are ends as well.

    `reached` is called once the state has answered; `patience` is how many seconds the knob waits for a lock.
    """
    try:
        match call.task:
            case "up":
                end = _update(call, stacks, tell)
            case "scale":
                end = _scale(call, stacks, tell, reached, patience)
            case "drift":
                end = End(status="done", drift=drift_of(stacks, call.stacks))
    except RelightError as error:
        end = End(
            status=next((status for kind, status in _STATUSES if isinstance(error, kind)), "failed"),
            reason=error.what,
            remedy=error.remedy,
            lock=error.lock if isinstance(error, Locked) else None,
            was_held=isinstance(error, Locked) and _was_held(error, stacks, call.stacks[0]),
            pending=error.pending if isinstance(error, Interrupted) else (),
        )
    return end.model_copy(update={"sizes": call.sizes})


def _was_held(error: Locked, stacks: Stacks, stack: str) -> bool:
    """Whether what held the stack lives on this machine, or has let go of it since."""
    if error.lock is None:
        return False
    if is_alive(error.lock):
        return True
    try:
        there = stacks.lock(stack)
    except RelightError:
        return False
    return there is None or there.id != error.lock.id


def _update(call: Call, stacks: Stacks, tell: OnProgress) -> End:
    (stack,) = call.stacks
    if call.cancel_lock:
        tell(0, None, "taking a dead lock away")
        stacks.cancel(stack, call.cancel_lock)
    if call.settle:
        tell(0, None, "settling what an update before had begun")
        stacks.refresh(stack, call.adopt, tell)
    update = _bring_up(call, stacks, tell)
    adopted = tuple(sorted(urn.rpartition("::")[2] for urn in call.adopt))
    return End(status="done", update=update, adopted=adopted)


def _bring_up(call: Call, stacks: Stacks, tell: OnProgress) -> Update:
    """Update the stack. Raise Interrupted only once nothing on this machine works at what is pending.

    From then on it counts how long that takes to show in the cloud: a provider without its engine goes on
    with its creates, and what it has not asked for yet nobody can find.
    """
    (stack,) = call.stacks
    while True:
        try:
            return stacks.up(stack, call.targets, call.expect_digest, tell, call.expect_changes)
        except Interrupted as error:
            left = at_work(mark_of(stack, os.environ))
            if not left:
                now = datetime.now(UTC)
                pending = (create.model_copy(update={"begun_at": now}) for create in error.pending)
                raise Interrupted(stack, tuple(pending)) from None
        names = ", ".join(f"{name} (pid {pid})" for pid, name in sorted(left.items()))
        tell(0, None, f"waits for what is still at work of an update that was cut off: {names}")
        time.sleep(_LOOK_SECONDS)


def _scale(
    call: Call,
    stacks: Stacks,
    tell: OnProgress,
    reached: Callable[[], None],
    patience: Mapping[bool | None, float],
) -> End:
    """Turn the knob, once an update that holds the stack has ended: other pools of the site share it."""
    began = time.monotonic()
    while True:
        try:
            return _turn(call, stacks, tell, reached)
        except (Locked, Interrupted) as error:
            held, alive = _holder(error, stacks, call.stacks[0])
            if time.monotonic() - began >= patience[alive]:
                raise
            tell(0, None, f"waits for the update that holds {held}")
            time.sleep(_LOOK_SECONDS)


def _holder(error: Locked | Interrupted, stacks: Stacks, stack: str) -> tuple[str, bool | None]:
    """What holds the stack, and whether it lives; None: nobody can tell.

    What a living update is making now looks in the state as if one had been cut off.
    """
    try:
        lock = error.lock if isinstance(error, Locked) else stacks.lock(stack)
    except LockUnknown:
        return "the stack, if one does", None
    if lock is None:
        return "the stack", None if isinstance(error, Locked) else False
    return str(lock), is_alive(lock)


def _turn(call: Call, stacks: Stacks, tell: OnProgress, reached: Callable[[], None]) -> End:
    """Change the sizes of the pool's resources and nothing else, to what is asked and no other.

    A preview shows both before anything is done: the program has the sizes from the witness by itself, and
    config or an old checkout may have it declare others.
    """
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
    deviation = _judge(preview, targets, call)
    if deviation or not preview.changes:
        return deviation or End(status="done")
    tell(0, len(preview.changes), describe(preview.changes[0]))
    update = stacks.up(stack, targets, None, tell)
    return End(status="done", update=update)


def _judge(preview: Preview, targets: tuple[str, ...], call: Call) -> End | None:
    """Why the update must not be done; None: it may."""
    wrong = other_sizes(preview.sizes.get(call.pool, {}), call.sizes)
    if wrong:
        reason = f"the program would give {call.pool} other sizes than were decided: {wrong}"
        remedy = "see the stack's config, and update your checkout"
        return End(status="deviates", reason=reason, remedy=remedy)
    others = what_else(preview.changes, targets)
    if others:
        reason = f"more than the size of {call.pool} would change: {'; '.join(others)}"
        return End(status="deviates", reason=reason, remedy="bring the stack up in quiet times, or amend")
    return None


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
    parts = parts_of(environment.get(name, "") for name in names)

    def blank(text: str) -> str:
        return redact(text, parts)

    return blank


def main(argument: str) -> int:
    """Carry one call out."""
    from relight.provision.adapters.automation import AutomationStacks  # noqa: PLC0415 (handlers import us)

    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    call = Call.model_validate_json(argument)
    if call.task != "drift":
        os.environ[MARK] = mark_of(call.stacks[0], os.environ)
    blank = blanker(os.environ)
    stacks = AutomationStacks(Path(call.root), {}, blank, call.secrets_provider, lambda: bool(stopped))
    beside = AutomationStacks(Path(call.root), {}, blank, call.secrets_provider)
    watchdog = Watchdog(
        lambda: beside.outputs(call.stacks[0]),
        lambda why: _give_up(call, why, blank, is_stopped=bool(stopped)),
        answer=call.answer_seconds,
    )

    def tell(done: int, total: int | None, doing: str) -> None:
        watchdog.hear()
        tell_progress(done, total, doing)

    if call.task == "scale":  # it has another way; an update has none, and waits
        watchdog.start()
    end = carry_out(call, stacks, tell, watchdog.reach)
    watchdog.stop()
    if stopped and end.status != "done":
        end = End(status="stopped", reason=end.reason or "it was stopped", sizes=call.sizes)
    _write(end.model_copy(update={"ended_at": datetime.now(UTC)}), blank)
    return STOPPED if end.status == "stopped" else 0 if end.status == "done" else 1


def _give_up(call: Call, why: str, blank: Callable[[str], str], *, is_stopped: bool) -> None:
    """End with the state out of reach. The engine gets TERM: it saves its state and unlocks it if it can."""
    status: Status = "stopped" if is_stopped else "unreachable"
    _write(End(status=status, reason=why, sizes=call.sizes, ended_at=datetime.now(UTC)), blank)
    os.killpg(0, signal.SIGTERM)
    os._exit(1)


def _write(end: End, blank: Callable[[str], str]) -> None:
    folder = Path(os.environ[ARTIFACTS])
    draft = folder / f".{RESULT}"
    draft.write_text(json.dumps(_blanked(end.model_dump(mode="json"), blank)), encoding="utf-8")
    draft.rename(folder / RESULT)


def _blanked(content: Any, blank: Callable[[str], str]) -> Any:
    """Every text of a JSON value without secrets: in JSON as a whole, escaped, they might not be seen."""
    if isinstance(content, str):
        return blank(content)
    if isinstance(content, dict):
        return {key: _blanked(value, blank) for key, value in content.items()}
    if isinstance(content, list):
        return [_blanked(value, blank) for value in content]
    return content


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
