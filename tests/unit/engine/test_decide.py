"""Decisions: given a state, what happens next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relight.engine import (
    SETTLED,
    ApprovalGiven,
    AttemptStarted,
    Event,
    GateReached,
    RunEnded,
    RunStarted,
    RunState,
    Status,
    decide,
    recorded,
)
from relight.engine.decide import backoff
from relight.plan import Done, Failed, Finding, Gate, Outcome, Plan, Retry, RetryPolicy, Step
from rig.kinds import Behave, plan_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def a_step(name: str, *after: str, **fields: object) -> Step:
    return Step(id=name, title=name, spec=Behave(), after=after, **fields)  # type: ignore[arg-type]


def a_state(*steps: Step, **fields: object) -> RunState:
    plan = plan_of(*steps, **fields)
    return RunState("r1", plan, RunStarted(at=NOW, run="r1", by="t", digest=plan.digest, plan={}))


def advance(state: RunState, now: datetime = NOW, room: int = 100) -> list[Event]:
    """Decide until nothing follows."""
    seen: list[Event] = []
    state.pass_time(now)
    while events := decide(state, now, room):
        for event in events:
            state.apply(event)
        seen += events
    return seen


def finish(state: RunState, name: str, outcome: Outcome, now: datetime = NOW) -> list[Event]:
    state.apply(recorded(outcome, state.steps[name], state.run, now))
    return advance(state, now)


def started(events: list[Event]) -> list[str]:
    return [event.step for event in events if isinstance(event, AttemptStarted)]


def test_a_step_starts_only_when_all_before_it_succeeded() -> None:
    state = a_state(a_step("a"), a_step("b"), a_step("c", "a", "b"))
    assert started(advance(state)) == ["a", "b"]
    assert started(finish(state, "a", Done())) == []
    assert started(finish(state, "b", Done())) == ["c"]
    events = finish(state, "c", Done())
    assert isinstance(events[-1], RunEnded)
    assert events[-1].result == "done"


def test_a_join_starts_when_enough_succeeded_and_stragglers_are_let_go_in_the_end() -> None:
    state = a_state(a_step("a"), a_step("b"), a_step("c"), a_step("join", "a", "b", "c", at_least=2))
    advance(state)
    finish(state, "a", Done())
    assert started(finish(state, "b", Failed("broken"))) == []
    assert started(finish(state, "c", Done())) == ["join"]
    events = finish(state, "join", Done())
    assert events[-1].type == "run-ended"
    assert state.ended
    assert state.ended.result == "done"
    slow = a_state(a_step("a"), a_step("slow"), a_step("join", "a", "slow", at_least=1))
    advance(slow)
    finish(slow, "a", Done())
    finish(slow, "join", Done())
    assert slow.steps["slow"].status is Status.LET_GO
    assert slow.ended
    assert slow.ended.result == "done"


def test_a_join_that_can_never_be_met_blocks_all_behind_it_and_the_run_fails() -> None:
    state = a_state(
        a_step("a"),
        a_step("b"),
        a_step("join", "a", "b", at_least=2),
        a_step("after", "join"),
        a_step("free"),
    )
    advance(state)
    finish(state, "a", Failed("burnt"))
    assert state.steps["join"].status is Status.BLOCKED
    assert state.steps["after"].status is Status.BLOCKED
    assert not state.ended  # what does not hang on it goes on
    finish(state, "b", Done())
    finish(state, "free", Done())
    assert state.ended
    assert state.ended.result == "failed"
    assert "burnt" in state.ended.reason


def test_what_only_a_straggler_waits_for_is_a_straggler_too() -> None:
    state = a_state(a_step("x"), a_step("y", "x"), a_step("a"), a_step("join", "a", "y", at_least=1))
    advance(state)
    finish(state, "a", Done())
    finish(state, "join", Done())
    assert state.ended
    assert {state.steps["x"].status, state.steps["y"].status} == {Status.LET_GO}


def test_a_retry_waits_for_its_time_and_the_last_try_fails_the_step() -> None:
    policy = RetryPolicy(attempts=2, first=timedelta(seconds=10))
    state = a_state(a_step("a", retry=policy))
    advance(state)
    assert started(finish(state, "a", Retry("not yet"))) == []
    assert started(advance(state, NOW + timedelta(seconds=4))) == []
    assert started(advance(state, NOW + timedelta(seconds=10))) == ["a"]
    finish(state, "a", Retry("not yet"), NOW + timedelta(seconds=10))
    assert state.steps["a"].status is Status.FAILED
    assert "try 2 of 2" in state.steps["a"].reason


@given(st.integers(0, 40), st.floats(1, 10), st.integers(1, 600), st.integers(1, 600))
def test_a_backoff_never_exceeds_its_longest_nor_half_of_what_it_has_grown_to(
    failures: int, factor: float, first: int, longest: int
) -> None:
    policy = RetryPolicy(
        attempts=1000,
        first=timedelta(seconds=first),
        factor=factor,
        longest=timedelta(seconds=max(first, longest)),
    )
    state = a_state(a_step("a", retry=policy))
    state.steps["a"].failures = failures
    wait = backoff(state.steps["a"], "r1")
    assert timedelta(seconds=first) / 2 <= wait <= timedelta(seconds=max(first, longest))
    assert wait == backoff(state.steps["a"], "r1")


def test_a_try_past_its_timeout_is_retried_and_its_late_outcome_does_not_count() -> None:
    state = a_state(a_step("a", timeout=timedelta(seconds=5), retry=RetryPolicy(first=timedelta(0))))
    advance(state)
    late = NOW + timedelta(seconds=6)
    events = advance(state, late)
    assert [e.type for e in events] == ["attempt-retried"]
    assert "timed out after 5s" in state.steps["a"].reason
    assert started(advance(state, late + timedelta(seconds=1))) == ["a"]
    assert state.steps["a"].attempt == 2


def test_a_step_whose_last_call_has_not_returned_is_not_started_again() -> None:
    state = a_state(a_step("a", timeout=timedelta(seconds=5), retry=RetryPolicy(first=timedelta(0))))
    advance(state)
    later = NOW + timedelta(seconds=20)
    advance(state, later)
    state.pass_time(later + timedelta(seconds=1))
    assert decide(state, later, 100, busy={"a"}) == []
    assert started(decide(state, later, 100)) == ["a"]


def test_a_lane_never_holds_more_than_it_has_room_for() -> None:
    steps = [a_step(f"s{i}", lane="wan") for i in range(5)]
    state = a_state(*steps, lanes={"wan": 2})
    assert len(started(advance(state))) == 2
    assert len(started(finish(state, "s0", Done()))) == 1


def test_a_gated_step_starts_when_enough_different_people_approved_this_very_plan() -> None:
    state = a_state(a_step("a", gate=Gate(question="sure?", identities=2)))
    events = advance(state)
    assert [type(e) for e in events] == [GateReached]

    def approve(who: str, digest: str) -> list[Event]:
        state.apply(ApprovalGiven(at=NOW, gate="a", identity=who, reason="x", digest=digest))
        return advance(state)

    assert started(approve("ann", state.plan.digest)) == []
    assert started(approve("ann", state.plan.digest)) == []
    assert started(approve("bob", "sha256:another plan")) == []
    assert started(approve("bob", state.plan.digest)) == ["a"]


def test_nothing_starts_before_every_override_is_signed() -> None:
    finding = Finding(strength="override", code="odd", subject="x", message="is it?", identities=1)
    state = a_state(a_step("a"), findings=(finding,))
    assert [e.type for e in advance(state)] == ["gate-reached"]
    state.apply(
        ApprovalGiven(at=NOW, gate=finding.gate, identity="ann", reason="x", digest=state.plan.digest)
    )
    assert started(advance(state)) == ["a"]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    count = draw(st.integers(1, 12))
    steps = []
    for i in range(count):
        after = sorted(draw(st.sets(st.integers(0, i - 1), max_size=4))) if i else []
        at_least = draw(st.none() | st.integers(1, len(after))) if after else None
        steps.append(
            a_step(
                f"s{i}",
                *(f"s{n}" for n in after),
                at_least=at_least,
                lane=draw(st.sampled_from([None, "l"])),
                retry=RetryPolicy(attempts=2, first=timedelta(seconds=1)),
            )
        )
    return plan_of(*steps, lanes={"l": draw(st.integers(1, 3))})


@settings(max_examples=300, deadline=None)
@given(plans(), st.data())
def test_every_run_ends_and_no_state_on_the_way_is_unsafe(plan: Plan, data: st.DataObject) -> None:
    state = RunState("r1", plan, RunStarted(at=NOW, run="r1", by="t", digest=plan.digest, plan={}))
    now = NOW
    for _ in range(1000):
        now += timedelta(seconds=2)
        for name in started(advance(state, now)):
            step = state.steps[name].step
            succeeded = [b for b in step.after if state.steps[b].status is Status.DONE]
            assert len(succeeded) >= step.needed, "a step started before its join was met"
        assert sum(state.steps[n].step.lane == "l" for n in state.running) <= plan.lanes["l"]
        assert state.needed_open == sum(
            step.status not in SETTLED and state.is_needed(name) for name, step in state.steps.items()
        )
        if state.ended:
            break
        if state.running:
            name = data.draw(st.sampled_from(list(state.running)))
            outcomes: list[Outcome] = [Done(), Done(), Retry("again"), Failed("no")]
            outcome = data.draw(st.sampled_from(outcomes))
            state.apply(recorded(outcome, state.steps[name], "r1", now))
    assert state.ended, "the run hangs"
    sinks = [name for name, after in state.after.items() if not after]
    all_done = all(state.steps[name].status is Status.DONE for name in sinks)
    assert state.ended.result == ("done" if all_done else "failed")


@pytest.mark.parametrize("room", [1, 3])
def test_no_more_starts_than_there_is_room(room: int) -> None:
    state = a_state(*(a_step(f"s{i}") for i in range(10)))
    state.pass_time(NOW)
    assert len(started(decide(state, NOW, room))) == room
