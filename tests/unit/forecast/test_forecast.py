"""Forecasts: the engine's own decisions on a virtual clock."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from relight.cli.wording import expected
from relight.forecast import forecast
from relight.plan import Estimate, Expectation, Gate, Step
from relight.plan.wording import span
from rig.kinds import Behave, plan_of


def exactly(seconds: float) -> Estimate:
    return Estimate(p50=timedelta(seconds=seconds), p90=timedelta(seconds=seconds))


def a_step(name: str, seconds: float, *after: str, lane: str | None = None, gate: Gate | None = None) -> Step:
    return Step(
        id=name, title=name, spec=Behave(), after=after, lane=lane, gate=gate, estimate=exactly(seconds)
    )


def test_steps_in_a_row_add_up_and_steps_side_by_side_do_not() -> None:
    plan = plan_of(a_step("a", 10), a_step("b", 20), a_step("c", 5, "a", "b"))
    assert forecast(plan).total == exactly(25)


def test_a_lane_makes_its_steps_wait_for_each_other() -> None:
    plan = plan_of(*(a_step(f"s{i}", 10, lane="wan") for i in range(4)), lanes={"wan": 2})
    assert forecast(plan).total == exactly(20)


def test_a_join_waits_for_as_many_as_it_needs() -> None:
    steps = [a_step(f"s{i}", 10 * (i + 1)) for i in range(3)]
    join = a_step("join", 1, "s0", "s1", "s2").model_copy(update={"at_least": 2})
    assert forecast(plan_of(*steps, join)).back == {}
    expectation = Expectation(workload="w", rpo=timedelta(0), rto=timedelta(0), back_at="join")
    assert forecast(plan_of(*steps, join, expectations=(expectation,))).back["w"] == exactly(21)


def test_people_are_taken_to_answer_at_once() -> None:
    assert forecast(plan_of(a_step("a", 10, gate=Gate(question="?", identities=2)))).total == exactly(10)


def test_one_step_alone_has_the_p50_and_p90_that_it_was_given() -> None:
    estimate = Estimate(p50=timedelta(seconds=100), p90=timedelta(seconds=200))
    step = a_step("a", 1).model_copy(update={"estimate": estimate})
    total = forecast(plan_of(step)).total
    assert abs(total.p50 / estimate.p50 - 1) < 0.25
    assert abs(total.p90 / estimate.p90 - 1) < 0.25


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0.1, 100), st.floats(1, 5)), min_size=1, max_size=8))
def test_the_same_plan_has_the_same_forecast_and_p50_is_never_above_p90(
    steps: list[tuple[float, float]],
) -> None:
    made = []
    for i, (p50, factor) in enumerate(steps):
        estimate = Estimate(p50=timedelta(seconds=p50), p90=timedelta(seconds=p50 * factor))
        after = (f"s{i - 1}",) if i % 2 else ()
        made.append(Step(id=f"s{i}", title="", spec=Behave(), after=after, estimate=estimate))
    first, second = forecast(plan_of(*made)), forecast(plan_of(*made))
    assert first == second
    assert first.total.p50 <= first.total.p90


def test_a_step_that_waits_for_capacity_that_is_no_promise_makes_the_whole_a_least() -> None:
    sure, unsure = a_step("a", 10), a_step("b", 20, "a")
    assert unsure.estimate
    unsure = unsure.model_copy(update={"estimate": unsure.estimate.model_copy(update={"at_least": True})})
    total = forecast(plan_of(sure, unsure)).total
    assert (total.at_least, total.p50) == (True, timedelta(seconds=30))
    assert span(total) == "at least 30s, and nobody knows how long"
    assert expected(total) == "at least 30s"
    assert not forecast(plan_of(sure)).total.at_least
