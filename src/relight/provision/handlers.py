"""What carries the kinds of stacks out, but for the knob (see `scaling`)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

from relight.errors import RelightError, Unreachable
from relight.estate import Pool, Rung
from relight.plan import Context, Done, Failed, Outcome, Progress, Retry, Working, concrete
from relight.provision.locks import is_alive
from relight.provision.port import Finder, Free, Lock, PendingCreate
from relight.provision.scaling import ScalePoolHandler, pool_of
from relight.provision.steps import (
    CapacityCheck,
    CapacityFacts,
    RungCapacity,
    StackDrift,
    StackUp,
    StackUpFacts,
)
from relight.provision.surroundings import (
    Provisioning,
    read_end,
    start_work,
    still_at_it,
    without_word,
)
from relight.provision.work import Call, End

__all__ = ["CapacityCheckHandler", "ScalePoolHandler", "StackDriftHandler", "StackUpHandler"]

A = TypeVar("A")

_NOW, _SOON = timedelta(seconds=0.2), timedelta(seconds=2)
_DEADLINE_SECONDS = 1.5  # for all questions of one attempt together


class StackUpHandler:
    """Runs the update as the step's process, and finishes what one before was cut off in."""

    def __init__(self, world: Provisioning) -> None:
        self._world = world

    def attempt(self, spec: StackUp, context: Context) -> Outcome:
        """See Handler.attempt."""
        process = context.find_process()
        if process is not None:
            if process.running:
                return still_at_it(process, f"the update of {spec.stack} runs")
            end = read_end(process)
            if end is not None and end.status == "done":
                return _done(end)
            if process.attempt >= context.attempt:
                return self._conclude(spec, end, context) if end else without_word(process)
        return self._start(spec, context)

    def _start(self, spec: StackUp, context: Context, adopt: Mapping[str, str] | None = None) -> Outcome:
        call = Call(
            task="up",
            root=str(self._world.project),
            stacks=(spec.stack,),
            targets=spec.targets,
            expect_digest=spec.expect_digest,
            expect_changes=spec.expect_changes,
            cancel_lock=None if spec.cancel_lock is None else concrete(spec.cancel_lock),
            settle=adopt is not None,
            adopt=dict(adopt or {}),
        )
        start_work(self._world, call, context)
        return Working(_NOW, Progress(note=f"the update of {spec.stack} was started"))

    def _conclude(self, spec: StackUp, end: End, context: Context) -> Outcome:
        match end.status:
            case "locked":
                return self._wait_for(spec, end, context)
            case "interrupted":
                return self._settle(spec, end.pending, context)
            case "unreachable" | "lost" | "stopped":
                return Retry(end.reason)
            case _:
                return Failed(end.reason, end.remedy)

    def _wait_for(self, spec: StackUp, end: End, context: Context) -> Outcome:
        """A living update is waited for; what a dead one left is for people."""
        lock = end.lock
        if lock is None:
            return Retry(end.reason)
        alive = is_alive(lock)
        if alive:
            return Working(_SOON, Progress(note=f"waits for the update that holds {lock}"))
        if end.was_held:
            return self._start(spec, context)  # it has ended since, well or not: look again
        approved = None if spec.cancel_lock is None else concrete(spec.cancel_lock)
        if alive is False and approved == lock.id:
            return self._start(spec, context)  # it has died since it was asked
        return Failed(f"the stack {spec.stack} is locked: {_whose(lock, alive)}", _how_to_free(lock))

    def _settle(self, spec: StackUp, pending: tuple[PendingCreate, ...], context: Context) -> Outcome:
        """Look in the cloud for what was cut off, before anything is made again."""
        found = find_all(self._world.finder(spec.stack), pending)
        lacking = [create for create in pending if create.urn not in found]
        last = max(create.begun_at for create in pending) + spec.settle
        if lacking and context.now() < last:
            names = ", ".join(create.name for create in lacking)
            note = f"an update was cut off while it made {names}: waits until {last:%H:%M:%S}Z for it to show"
            return Working(_SOON, Progress(note=note))
        return self._start(spec, context, found)


class StackDriftHandler:
    """Has the engine compare clouds and states."""

    def __init__(self, world: Provisioning) -> None:
        self._world = world

    def attempt(self, spec: StackDrift, context: Context) -> Outcome:
        """See Handler.attempt."""
        process = context.find_process()
        if process is not None and (process.running or process.attempt >= context.attempt):
            if process.running:
                return still_at_it(process, "the engine looks for drift")
            end = read_end(process)
            if end is None:
                return without_word(process)
            return Retry(end.reason) if end.drift is None else Done(end.drift)
        start_work(
            self._world, Call(task="drift", root=str(self._world.project), stacks=spec.stacks), context
        )
        return Working(_NOW, Progress(note="the engine looks for drift"))


class CapacityCheckHandler:
    """Asks every rung at once; what nobody can know is said to be unknown."""

    def __init__(self, world: Provisioning) -> None:
        self._world = world

    def attempt(self, spec: CapacityCheck, context: Context) -> Outcome:  # noqa: ARG002 (it changes nothing)
        """See Handler.attempt; Done whatever the rungs have: judging it is the plan's."""
        pool = pool_of(self._world.estate, spec.site, spec.pool)
        seen = self._ask(spec, pool)
        rungs = tuple(_rung(rung, seen.get(rung.key)) for rung in pool.rungs)
        sure = sum(rung.free or 0 for rung in rungs if rung.promise == "guaranteed")
        return Done(CapacityFacts(rungs=rungs, guaranteed=sure))

    def _ask(self, spec: CapacityCheck, pool: Pool) -> dict[str, Free]:
        answered: SimpleQueue[tuple[str, Free]] = SimpleQueue()
        capacity = self._world.capacity(spec.site)

        def ask(rung: str) -> None:
            try:
                answered.put((rung, capacity.free(spec.pool, rung)))
            except RelightError as error:
                answered.put((rung, Free(nodes=None, reason=error.what)))

        for rung in pool.rungs:
            Thread(target=ask, args=(rung.key,), name=f"ask-{rung.key}", daemon=True).start()
        return dict(_collect(answered, len(pool.rungs)))


def find_all(finder: Finder, pending: tuple[PendingCreate, ...]) -> dict[str, str]:
    """What of it is there, URN to id, all asked at once. Raise Unreachable if an answer is missing."""
    answered: SimpleQueue[tuple[str, str | RelightError | None]] = SimpleQueue()

    def ask(create: PendingCreate) -> None:
        try:
            answered.put((create.urn, finder.find(create)))
        except RelightError as error:
            answered.put((create.urn, error))

    for create in pending:
        Thread(target=ask, args=(create,), name=f"find-{create.name}", daemon=True).start()
    answers = dict(_collect(answered, len(pending)))
    for answer in answers.values():
        if isinstance(answer, RelightError):
            raise answer
    if len(answers) < len(pending):
        raise Unreachable("the cloud did not say in time what of a cut-off update is there")
    known = {create.urn: create.known for create in pending}
    return {
        urn: answer for urn, answer in answers.items() if isinstance(answer, str) and answer not in known[urn]
    }


def _collect(answered: SimpleQueue[tuple[str, A]], expected: int) -> list[tuple[str, A]]:
    until = time.monotonic() + _DEADLINE_SECONDS
    answers: list[tuple[str, A]] = []
    while len(answers) < expected:
        try:
            answers.append(answered.get(timeout=max(0.0, until - time.monotonic())))
        except Empty:
            break
    return answers


def _done(end: End) -> Outcome:
    if end.update is None:
        return Failed("the update's process ended without saying what it did", "retry the step")
    return Done(StackUpFacts(counts=end.update.counts, adopted=end.adopted, seconds=end.update.seconds))


def _whose(lock: Lock, alive: bool | None) -> str:
    if alive is None:
        return f"{lock}, of another machine: nobody can tell here whether that update lives"
    return f"{lock}, whose update is dead"


def _how_to_free(lock: Lock) -> str:
    return (
        f"make sure that no update runs on {lock.host}, then approve taking this very lock away: "
        f"cancel_lock {lock.id}"
    )


def _rung(rung: Rung, seen: Free | None) -> RungCapacity:
    seen = seen or Free(nodes=None, reason="no answer in time")
    notes = [seen.reason] if seen.reason else []
    match rung.capacity:
        case "guaranteed":
            if rung.kind == "reservation":
                notes.append("an idle reservation costs its full price")
        case "booked":
            notes.append(f"booked from {rung.starts:%Y-%m-%d %H:%M}Z to {rung.ends:%Y-%m-%d %H:%M}Z")
        case "best-effort":
            notes.append("a dry-run launch tests permission, not capacity: it gives no RTO")
    free = None if rung.capacity == "best-effort" else seen.nodes
    return RungCapacity(
        rung=rung.key,
        kind=rung.kind,
        promise=rung.capacity,
        nodes=rung.nodes,
        free=free,
        note="; ".join(notes),
    )
