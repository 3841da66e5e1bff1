"""Where the time went: the parts of a critical path are the whole of the time, whatever happened."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from relight.control import CriticalStep
from relight.engine import (
    AttemptDone,
    AttemptFailed,
    AttemptInterrupted,
    AttemptStarted,
    GateReached,
    RetryAsked,
    RunContinued,
    RunPaused,
    StepSkipped,
)
from relight.plan import Finding, Gate, Step
from rig.histories import BEGAN, History, simulated
from rig.kinds import Behave, plan_of


def step(name: str, *after: str, **fields: Any) -> Step:
    return Step(id=name, title=name, spec=Behave(), after=after, **fields)


def told(path: tuple[CriticalStep, ...]) -> list[tuple[str, float, float, float]]:
    return [
        (
            s.step,
            s.worked.total_seconds(),
            s.waited_for_people.total_seconds(),
            s.waited_for_room.total_seconds(),
        )
        for s in path
    ]


def test_of_two_ways_the_longer_one_is_told() -> None:
    history = History(plan_of(step("a"), step("b"), step("c", "a", "b")))
    history.did("a", 0, 10).did("b", 0, 30).did("c", 30, 35)
    assert told(history.report.critical_path) == [("b", 30, 0, 0), ("c", 5, 0, 0)]


def test_of_a_join_that_needs_two_of_three_the_second_to_come_counts() -> None:
    history = History(plan_of(step("a"), step("b"), step("c"), step("d", "a", "b", "c", at_least=2)))
    history.did("c", 0, 3).did("a", 0, 10).did("d", 10, 12).did("b", 0, 60)
    assert [s.step for s in history.report.critical_path] == ["a", "d"], "b is a straggler"
    shorter = History(history.plan)
    shorter.did("c", 0, 3).did("a", 0, 10).did("b", 0, 11).did("d", 10, 12)
    assert [s.step for s in shorter.report.critical_path] == ["a", "d"]


def test_where_the_end_was_not_reached_the_last_that_was_tried_is_told() -> None:
    history = History(plan_of(step("a"), step("b", "a"), step("c", "b"))).did("a", 0, 10)
    history.add(AttemptStarted, 10, step="b", attempt=1)
    history.add(AttemptFailed, 15, step="b", attempt=1, reason="no")
    assert told(history.report.critical_path) == [("a", 10, 0, 0), ("b", 5, 0, 0)]


def test_waiting_for_a_gate_and_for_a_lane_are_told_apart() -> None:
    gate = Gate(question="go?")
    history = History(plan_of(step("a"), step("b", "a", gate=gate, lane="wan"), lanes={"wan": 1}))
    history.did("a", 0, 10).add(GateReached, 10, gate="b", question="go?", identities=1)
    history.approved("b", 70, "ann").did("b", 75, 80)
    assert told(history.report.critical_path) == [("a", 10, 0, 0), ("b", 5, 60, 5)]


def test_signing_a_finding_and_a_pause_count_as_waiting_for_people() -> None:
    finding = Finding(strength="override", code="x", subject="s", message="sure?")
    history = History(plan_of(step("a"), step("b", "a"), findings=(finding,)))
    history.add(GateReached, 0, gate=finding.gate, question="sure?", identities=1)
    history.approved(finding.gate, 40, "ann").did("a", 40, 50)
    history.add(RunPaused, 50, identity="ann", reason="").add(RunContinued, 80, identity="ann", reason="")
    history.did("b", 81, 90)
    assert told(history.report.critical_path) == [("a", 10, 40, 0), ("b", 9, 30, 1)]


def test_a_pause_does_not_stop_what_is_under_way() -> None:
    history = History(plan_of(step("a"))).add(AttemptStarted, 0, step="a", attempt=1)
    history.add(RunPaused, 5, identity="ann", reason="").add(RunContinued, 20, identity="ann", reason="")
    history.add(AttemptDone, 30, step="a", attempt=1, facts={})
    assert told(history.report.critical_path) == [("a", 30, 0, 0)]


def test_deciding_after_a_cut_off_and_after_a_failure_is_not_work() -> None:
    history = History(plan_of(step("a"), when_stuck="ask")).add(AttemptStarted, 0, step="a", attempt=1)
    history.add(AttemptInterrupted, 10, step="a", attempt=1, meaning="ask")
    history.add(GateReached, 10, gate="again:a", question="?", identities=1).approved("again:a", 30, "ann")
    history.add(AttemptStarted, 30, step="a", attempt=2)
    history.add(AttemptFailed, 35, step="a", attempt=2, reason="no")
    history.add(RetryAsked, 95, step="a", identity="ann", reason="")
    history.did("a", 95, 100)
    assert told(history.report.critical_path) == [("a", 20, 80, 0)]


def test_a_step_that_a_person_answered_for_waited_for_that_person() -> None:
    history = History(plan_of(step("a"), step("b", "a"), when_stuck="ask")).did("a", 0, 10)
    history.add(StepSkipped, 25, step="b", identity="ann", reason="done by hand", facts={})
    assert told(history.report.critical_path) == [("a", 10, 0, 0), ("b", 0, 15, 0)]


def test_a_run_in_which_nothing_was_tried_has_no_path() -> None:
    assert History(plan_of(step("a"))).report.critical_path == ()


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 12), st.integers(1, 4))
def test_the_parts_of_the_path_are_the_time_that_the_run_took(seed: int, size: int, room: int) -> None:
    draw = random.Random(seed)
    steps = []
    for number in range(size):
        before = tuple(f"s{n}" for n in range(number) if draw.random() < 0.4)
        steps.append(
            step(
                f"s{number}",
                *before,
                at_least=draw.randint(1, len(before)) if before and draw.random() < 0.3 else None,
                lane="wan" if draw.random() < 0.3 else None,
                gate=Gate(question="?", identities=draw.randint(1, 2)) if draw.random() < 0.3 else None,
            )
        )
    finding = Finding(strength="override", code="x", subject="s", message="?")
    findings = (finding,) if draw.random() < 0.3 else ()
    report = simulated(plan_of(*steps, lanes={"wan": 1}, findings=findings), draw, room).report
    path = report.critical_path
    assert path
    assert sum((s.took for s in path), timedelta(0)) == path[-1].ended_at - BEGAN
    for part in path:
        assert min(part.worked, part.waited_for_people, part.waited_for_room) >= timedelta(0)
    done = {s.step: s.ended_at for s in report.steps if s.status == "done"}
    ends = done.keys() - {before for s in steps for before in s.after}
    assert path[-1].ended_at == max(at for name, at in done.items() if name in ends and at)
