"""Handlers of workloads, against the fake scheduler."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.errors import LeaseLost, Unreachable
from relight.plan import Done, Failed, Handler, Outcome, Working
from relight.workload import (
    Drain,
    Drained,
    MadeRoom,
    MakeRoom,
    Running,
    Scheduler,
    Start,
    Started,
    Stop,
    TrainingResumed,
    VerifyTraining,
)
from relight.workload.fake import FakeScheduler
from relight.workload.handlers import (
    DrainHandler,
    MakeRoomHandler,
    StartHandler,
    StopHandler,
    VerifyTrainingHandler,
)
from rig.context import FakeContext


class World:
    def __init__(self) -> None:
        self.fake = FakeScheduler(gpus=32)

    def scheduler(self, site: str) -> Scheduler:
        assert site == "south"
        return self.fake


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def context() -> FakeContext:
    return FakeContext()


def run_on(world: World, name: str, gpus: int, **more: Any) -> None:
    world.fake.put(Running(workload=name, token=f"t-{name}", state="running", gpus=gpus, **more))


def finish(handler: Handler[Any], spec: Any, context: FakeContext, calls: int = 20) -> Outcome:
    for _ in range(calls):
        outcome = handler.attempt(spec, context)
        if not isinstance(outcome, Working):
            return outcome
    raise AssertionError(f"still {outcome}")


def is_running(world: World, name: str) -> bool:
    return any(w.workload == name and w.state == "running" for w in world.fake.running())


# Making room


def room(gpus: int, *may_stop: str) -> MakeRoom:
    return MakeRoom(site="south", gpus=gpus, may_stop=may_stop)


def test_where_there_is_room_nothing_is_stopped(world: World, context: FakeContext) -> None:
    run_on(world, "a", 8)
    outcome = MakeRoomHandler(world).attempt(room(24, "a"), context)
    assert outcome == Done(MadeRoom(stopped=(), free_gpus=24))
    assert not context.checks


@given(
    sizes=st.lists(st.integers(0, 16), max_size=5),
    wanted=st.integers(0, 40),
    slow=st.integers(0, 2),
    cut_after=st.integers(0, 3),
)
def test_room_is_made_in_the_order_given_with_no_stop_too_many_even_when_cut_off(
    sizes: list[int], wanted: int, slow: int, cut_after: int
) -> None:
    world = World()
    names = [f"w{number}" for number in range(len(sizes))]
    world.fake.gpus = sum(sizes) + 4
    world.fake.slow_stop = slow
    for name, gpus in zip(names, sizes, strict=True):
        run_on(world, name, gpus)
    expected, free = [], 4
    for name, gpus in zip(names, sizes, strict=True):
        if free < wanted and gpus:
            expected.append(name)
            free += gpus
    outcome: Outcome | None = None
    for attempt in range(1, 50):
        # Each attempt is cut off after some checks, that is, at any effect.
        context = CutOff(attempt=attempt, left=cut_after if attempt < 3 else 99)
        try:
            outcome = MakeRoomHandler(world).attempt(room(wanted, *names), context)
        except LeaseLost:
            continue
        if not isinstance(outcome, Working):
            break
    stopped = [name for name in names if not is_running(world, name)]
    if free < wanted:
        assert isinstance(outcome, Failed)
        assert stopped == []
    else:
        assert outcome == Done(MadeRoom(stopped=tuple(expected), free_gpus=free))
        assert stopped == expected


class CutOff(FakeContext):
    def __init__(self, attempt: int, left: int) -> None:
        super().__init__(attempt=attempt)
        self.left = left

    def check(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise LeaseLost("cut off")


def test_what_had_ended_by_itself_was_not_stopped_by_this_step(world: World, context: FakeContext) -> None:
    run_on(world, "done-long-ago", 8)
    run_on(world, "a", 16)
    run_on(world, "b", 16)
    world.fake.end("done-long-ago", 0, "finished")
    outcome = finish(MakeRoomHandler(world), room(16, "done-long-ago", "a", "b"), context)
    assert outcome == Done(MadeRoom(stopped=("a",), free_gpus=16))
    assert is_running(world, "b")


# Starting


START = Start(site="south", workload="digits", gpus=16, epoch=2, point="digits-e0001-s00000120", folder="/p")


def test_a_start_is_done_once_it_runs_and_starts_once(world: World, context: FakeContext) -> None:
    world.fake.slow_start = 2
    assert finish(StartHandler(world), START, context) == Done(Started(token=context.token))
    (running,) = world.fake.running()
    assert (running.epoch, running.gpus, running.resumed_from) == (2, 16, 120)
    assert context.checks == 1


def test_a_cut_off_start_is_found_again_by_a_later_attempt(world: World) -> None:
    StartHandler(world).attempt(START, FakeContext(attempt=1))
    later = FakeContext(attempt=2)
    assert finish(StartHandler(world), START, later) == Done(Started(token=later.token))
    assert not later.checks


def test_a_workload_that_ends_at_once_fails_with_its_own_reason(world: World, context: FakeContext) -> None:
    StartHandler(world).attempt(START, context)
    world.fake.end("digits", 1, "the optimizer does not fit")
    outcome = StartHandler(world).attempt(START, context)
    assert isinstance(outcome, Failed)
    assert "the optimizer does not fit" in outcome.reason


def test_a_later_attempt_starts_what_ended_again_and_only_once(world: World, context: FakeContext) -> None:
    StartHandler(world).attempt(START, context)
    world.fake.end("digits", 1, "out of memory")
    retried = FakeContext(attempt=3)
    outcome = finish(StartHandler(world), START, retried)
    assert outcome == Done(Started(token=f"{context.token}~3"))
    world.fake.end("digits", 1, "out of memory")
    assert isinstance(StartHandler(world).attempt(START, retried), Failed)


def test_what_somebody_else_runs_is_left_alone(world: World, context: FakeContext) -> None:
    run_on(world, "digits", 16)
    assert isinstance(StartHandler(world).attempt(START, context), Failed)
    assert is_running(world, "digits")
    assert not context.checks


def test_what_ended_under_another_token_is_started(world: World, context: FakeContext) -> None:
    run_on(world, "digits", 16)
    world.fake.end("digits", 0, "drained")
    assert finish(StartHandler(world), START, context) == Done(Started(token=context.token))


def test_without_the_lease_nothing_is_started_drained_or_stopped(world: World) -> None:
    lost = FakeContext(may_act=False)
    with pytest.raises(LeaseLost):
        StartHandler(world).attempt(START, lost)
    assert world.fake.running() == ()
    run_on(world, "digits", 32)
    for handler, spec in (
        (DrainHandler(world), Drain(site="south", workload="digits")),
        (StopHandler(world), Stop(site="south", workload="digits", if_reachable=True)),
        (MakeRoomHandler(world), room(8, "digits")),
    ):
        with pytest.raises(LeaseLost):
            handler.attempt(spec, lost)  # type: ignore[arg-type]
    assert is_running(world, "digits")


# Draining and stopping

DRAIN = Drain(site="south", workload="digits")


def test_a_drain_ends_with_the_last_point(world: World, context: FakeContext) -> None:
    world.fake.slow_drain = 2
    run_on(world, "digits", 16, epoch=2, step=130)
    outcome = finish(DrainHandler(world), DRAIN, context)
    assert outcome == Done(Drained(point="digits-e0002-s00000130", step=130))
    assert context.checks == 1


@pytest.mark.parametrize(
    "end",
    [
        {},
        {"sealed": "digits-e0002-s00000120", "sealed_step": 120},
    ],
)
def test_an_end_without_the_last_point_is_no_drain(
    world: World, context: FakeContext, end: dict[str, Any]
) -> None:
    run_on(world, "digits", 16, epoch=2, step=130, **end)
    world.fake.end("digits", -9, "out of memory")
    outcome = DrainHandler(world).attempt(DRAIN, context)
    assert isinstance(outcome, Failed)
    assert "out of memory" in outcome.reason


def test_what_was_never_started_cannot_be_drained(world: World, context: FakeContext) -> None:
    assert isinstance(DrainHandler(world).attempt(DRAIN, context), Failed)


def test_a_stop_is_done_when_it_has_ended(world: World, context: FakeContext) -> None:
    run_on(world, "digits", 16)
    world.fake.slow_stop = 3
    spec = Stop(site="south", workload="digits")
    assert finish(StopHandler(world), spec, context) == Done()
    assert not is_running(world, "digits")
    assert StopHandler(world).attempt(Stop(site="south", workload="unknown"), context) == Done()


def test_a_site_that_is_silent_counts_as_stopped_only_where_the_step_says_so(
    world: World, context: FakeContext
) -> None:
    world.fake.reachable = False
    assert StopHandler(world).attempt(Stop(site="south", workload="a", if_reachable=True), context) == Done()
    with pytest.raises(Unreachable):
        StopHandler(world).attempt(Stop(site="south", workload="a"), context)


# Verifying


def verify(**more: Any) -> VerifyTraining:
    given: dict[str, Any] = {"point_step": 120, "next_loss": 0.5, "highest_loss": 0.8, "steps": 3, **more}
    return VerifyTraining(site="south", workload="digits", started="t-digits", **given)


def trained(world: World, *losses: float, first: int = 121, **more: Any) -> None:
    numbered = tuple((first + number, loss) for number, loss in enumerate(losses))
    step = numbered[-1][0] if numbered else None
    run_on(world, "digits", 16, **{"losses": numbered, "step": step, "resumed_from": 120, **more})


def test_training_that_goes_on_as_it_should_is_done_after_the_steps(
    world: World, context: FakeContext
) -> None:
    trained(world)
    assert isinstance(VerifyTrainingHandler(world).attempt(verify(), context), Working)
    trained(world, 0.5, 0.6)
    assert isinstance(VerifyTrainingHandler(world).attempt(verify(), context), Working)
    trained(world, 0.50001, 0.6, 0.4)
    assert VerifyTrainingHandler(world).attempt(verify(), context) == Done(
        TrainingResumed(first_step=121, first_loss=0.50001, expected_loss=0.5, step=123)
    )


def test_more_steps_than_losses_are_kept_can_be_asked_for(world: World, context: FakeContext) -> None:
    trained(world, *[0.5] * 50, step=185)
    assert isinstance(VerifyTrainingHandler(world).attempt(verify(steps=60), context), Done)
    assert isinstance(VerifyTrainingHandler(world).attempt(verify(steps=70), context), Working)


@pytest.mark.parametrize(
    ("losses", "more", "spec", "said"),
    [
        ((0.5,), {"first": 122}, {}, "the first step"),
        ((0.5,), {"first": 1, "resumed_from": 0}, {}, "resumed from step 0"),
        ((0.501,), {}, {}, "the loss 0.501, not 0.5"),
        ((math.nan,), {}, {}, "the loss nan"),
        ((math.nan,), {}, {"next_loss": None}, "must stay below 1.2"),
        ((0.5, 1.21), {}, {}, "must stay below 1.2"),
        ((0.5, math.inf), {}, {}, "the loss inf"),
        ((0.5,), {"state": "ended", "reason": "out of memory"}, {}, "out of memory"),
        ((0.5,), {"token": "another"}, {}, "not what this run started"),
    ],
)
def test_training_that_does_not_go_on_as_it_should_fails(
    world: World,
    context: FakeContext,
    losses: tuple[float, ...],
    more: dict[str, Any],
    spec: dict[str, Any],
    said: str,
) -> None:
    more = dict(more)
    state, token = more.pop("state", "running"), more.pop("token", "t-digits")
    trained(world, *losses, **more)
    (running,) = world.fake.running()
    world.fake.put(running.model_copy(update={"state": state, "token": token}))
    outcome = VerifyTrainingHandler(world).attempt(verify(**spec), context)
    assert isinstance(outcome, Failed)
    assert said in outcome.reason


def test_a_workload_that_is_gone_fails(world: World, context: FakeContext) -> None:
    assert isinstance(VerifyTrainingHandler(world).attempt(verify(), context), Failed)
