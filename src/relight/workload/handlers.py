"""Carries out the kinds of step of this room."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Protocol

from relight.errors import Unreachable
from relight.plan import Context, Done, Failed, Outcome, Progress, Working, concrete
from relight.workload.port import Running, Scheduler
from relight.workload.steps import (
    Drain,
    Drained,
    MadeRoom,
    MakeRoom,
    Start,
    Started,
    Stop,
    TrainingResumed,
    VerifyTraining,
)

_SOON = timedelta(seconds=0.2)
_LOSSES_KEPT = 50  # as Running promises
_RISE_ALLOWED = 1.5  # times the highest loss in the manifest, as VerifyTraining promises


class Schedulers(Protocol):
    """The schedulers of the estate's sites."""

    def scheduler(self, site: str) -> Scheduler:
        """The scheduler of a site, by the site's name."""


class MakeRoomHandler:
    """Stops one workload after the other until there is room, and never one more.

    What an earlier call or attempt stopped is known by the `by` of the stop, which is the step's token.
    """

    def __init__(self, world: Schedulers) -> None:
        self._world = world

    def attempt(self, spec: MakeRoom, context: Context) -> Outcome:
        """See Handler.attempt."""
        scheduler = self._world.scheduler(spec.site)
        for _ in range(len(spec.may_stop) + 1):
            known = _by_name(scheduler)
            free = scheduler.free_gpus()
            there = [known[name] for name in spec.may_stop if name in known]
            ours = tuple(w for w in there if w.ended_by == context.token)
            if free >= spec.gpus:
                return Done(MadeRoom(stopped=tuple(w.workload for w in ours), free_gpus=free))
            ending = [w for w in ours if w.state != "ended"]
            if ending:
                names = ", ".join(w.workload for w in ending)
                return Working(
                    _SOON, Progress(note=f"{names} is ending, {free} of {spec.gpus} GPUs are free")
                )
            left = [w for w in there if w.state != "ended" and w.gpus]
            possible = free + sum(w.gpus for w in left)
            if possible < spec.gpus:
                return Failed(
                    f"{spec.site} can have {possible} GPUs free, {spec.gpus} are needed",
                    "allow more workloads to be stopped (may_be_stopped), or add GPUs",
                )
            context.check()
            scheduler.stop(left[0].workload, by=context.token)
        return Working(_SOON, Progress(note=f"what was stopped at {spec.site} is ending"))


class StartHandler:
    """Starts a workload under the step's token, and waits until it runs.

    A workload that ended after an earlier attempt had started it is started again, under the token with the
    attempt behind it, so that each attempt starts it at most once more.
    """

    def __init__(self, world: Schedulers) -> None:
        self._world = world

    def attempt(self, spec: Start, context: Context) -> Outcome:
        """See Handler.attempt."""
        scheduler = self._world.scheduler(spec.site)
        there = _by_name(scheduler).get(spec.workload)
        if there is None or (there.state == "ended" and not _is_ours(there, context)):
            return self._start(spec, context, scheduler, context.token)
        if not _is_ours(there, context):
            return Failed(
                f"{spec.workload} already runs at {spec.site}, and this step did not start it",
                "stop it there if it may be stopped, then retry the step",
            )
        if there.state == "ended":
            if _started_in(there, context) >= context.attempt:
                return Failed(f"{spec.workload} ended at {spec.site}: {_why(there)}", "look into its log")
            return self._start(spec, context, scheduler, f"{context.token}~{context.attempt}")
        if there.state == "running":
            return Done(Started(token=there.token))
        return Working(_SOON, Progress(note=f"{spec.workload} is {there.state}"))

    def _start(self, spec: Start, context: Context, scheduler: Scheduler, token: str) -> Outcome:
        context.check()
        scheduler.start(
            spec.workload,
            token=token,
            epoch=concrete(spec.epoch),
            gpus=spec.gpus,
            point=concrete(spec.point),
            folder=concrete(spec.folder),
        )
        return Working(_SOON, Progress(note=f"{spec.workload} was started"))


class DrainHandler:
    """Has a workload seal a last point, and waits until it ended."""

    def __init__(self, world: Schedulers) -> None:
        self._world = world

    def attempt(self, spec: Drain, context: Context) -> Outcome:
        """See Handler.attempt."""
        scheduler = self._world.scheduler(spec.site)
        there = _by_name(scheduler).get(spec.workload)
        if there is None:
            return Failed(f"{spec.workload} was never started at {spec.site}", "where does it run?")
        if there.state == "ended":
            return self._conclude(there)
        if there.state != "draining":
            context.check()
            scheduler.drain(spec.workload)
        return Working(_SOON, Progress(note=f"{spec.workload} seals its last point"))

    def _conclude(self, there: Running) -> Outcome:
        remedy = "start it again and drain it, or fail over from the last point that is sealed"
        if there.sealed is None or there.sealed_step is None:
            return Failed(f"{there.workload} ended without a point: {_why(there)}", remedy)
        if there.step is not None and there.sealed_step < there.step:
            return Failed(
                f"{there.workload} ended at step {there.step} and its last point is of step "
                f"{there.sealed_step}: {_why(there)}",
                remedy,
            )
        return Done(Drained(point=there.sealed, step=there.sealed_step))


class StopHandler:
    """Ends a workload, and looks that it has ended."""

    def __init__(self, world: Schedulers) -> None:
        self._world = world

    def attempt(self, spec: Stop, context: Context) -> Outcome:
        """See Handler.attempt."""
        scheduler = self._world.scheduler(spec.site)
        try:
            if self._has_ended(scheduler, spec.workload):
                return Done()
            context.check()
            scheduler.stop(spec.workload, by=context.token)
            if self._has_ended(scheduler, spec.workload):
                return Done()
        except Unreachable:
            if spec.if_reachable:
                return Done()
            raise
        return Working(_SOON, Progress(note=f"{spec.workload} is ending"))

    def _has_ended(self, scheduler: Scheduler, workload: str) -> bool:
        there = _by_name(scheduler).get(workload)
        return there is None or there.state == "ended"


class VerifyTrainingHandler:
    """Compares what training says of its first steps with what the point's manifest promises."""

    def __init__(self, world: Schedulers) -> None:
        self._world = world

    def attempt(self, spec: VerifyTraining, context: Context) -> Outcome:
        """See Handler.attempt; this kind only looks."""
        del context
        there = _by_name(self._world.scheduler(spec.site)).get(spec.workload)
        if there is None or there.token != concrete(spec.started):
            return Failed(
                f"what runs as {spec.workload} at {spec.site} is not what this run started",
                "somebody started it anew: find out who, and verify that one",
            )
        wrong = training_fault(spec, there)
        if wrong:
            return Failed(wrong, "go back to the point before: this one does not train as it should")
        last = there.losses[-1][0] if there.losses else concrete(spec.point_step)
        step = last if there.step is None else there.step
        done = step - concrete(spec.point_step)
        if done >= spec.steps and len(there.losses) >= min(spec.steps, _LOSSES_KEPT):
            first_step, first_loss = there.losses[0]
            return Done(
                TrainingResumed(
                    first_step=first_step,
                    first_loss=first_loss,
                    expected_loss=concrete(spec.next_loss),
                    step=step,
                )
            )
        if there.state == "ended":
            return Failed(f"{spec.workload} ended after {done} steps: {_why(there)}", "look into its log")
        fraction = min(1.0, max(0, done) / spec.steps)
        return Working(
            _SOON, Progress(note=f"{done} of {spec.steps} steps are as they should", fraction=fraction)
        )


def training_fault(spec: VerifyTraining, there: Running) -> str | None:
    """What is wrong with the steps done so far; None: nothing is."""
    point_step, expected = concrete(spec.point_step), concrete(spec.next_loss)
    if there.resumed_from is not None and there.resumed_from != point_step:
        return f"{spec.workload} resumed from step {there.resumed_from}, not from {point_step}"
    if not there.losses:
        return None
    first_step, first_loss = there.losses[0]
    if first_step != point_step + 1:
        return f"the first step of {spec.workload} was {first_step}, not {point_step + 1}"
    # Written so that a loss that is not a number is never near.
    if expected is not None and not abs(first_loss - expected) <= spec.tolerance * abs(expected):
        return f"step {first_step} of {spec.workload} had the loss {first_loss:.6g}, not {expected:.6g}"
    bound = _RISE_ALLOWED * concrete(spec.highest_loss)
    for step, loss in there.losses:
        if not (math.isfinite(loss) and loss < bound):
            return f"step {step} of {spec.workload} had the loss {loss:.6g}; it must stay below {bound:.6g}"
    return None


def _by_name(scheduler: Scheduler) -> dict[str, Running]:
    return {running.workload: running for running in scheduler.running()}


def _is_ours(there: Running, context: Context) -> bool:
    return there.token.partition("~")[0] == context.token


def _started_in(there: Running, context: Context) -> int:
    """The attempt of this step that started it, or 1 where the token does not say."""
    return int(there.token.removeprefix(f"{context.token}~")) if there.token != context.token else 1


def _why(there: Running) -> str:
    return there.reason or f"exit status {there.exit_status}"
