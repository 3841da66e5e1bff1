"""What a run teaches: a rule for each thing that should go another way, and silence where all was well."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from relight.control import Improvement, Report, report_of
from relight.control.improvements import RULES
from relight.engine import (
    AttemptDone,
    AttemptFailed,
    AttemptInterrupted,
    AttemptRetried,
    AttemptStarted,
    GateEscalated,
    GateExpired,
    GateReached,
    LeaseTaken,
    RequestRefused,
    RunEnded,
    StepLetGo,
    StepSkipped,
)
from relight.plan import Estimate, Expectation, Finding, Gate, Plan, Spec, Step
from relight.traffic import SwapName
from relight.vault import FenceStore, Rehydrate
from rig.histories import BEGAN, History, second
from rig.kinds import Behave, plan_of

FAST = Estimate(p50=timedelta(seconds=5), p90=timedelta(seconds=10))


class _Rehydrate(Rehydrate):
    kind: ClassVar[str] = "rig.rehydrate"


def step(name: str, *after: str, spec: Spec | None = None, **fields: Any) -> Step:
    return Step(id=name, title=name, spec=spec or Behave(), after=after, **({"estimate": FAST} | fields))


def two(**fields: Any) -> Plan:
    return plan_of(step("a"), step("b", "a"), **fields)


def found(report: Report, code: str) -> Improvement:
    (improvement,) = [i for i in report.improve if i.code == code]
    assert improvement.remedy
    return improvement


def promise(**changes: Any) -> Expectation:
    given: dict[str, Any] = {
        "workload": "digits",
        "rpo": timedelta(seconds=60),
        "rto": timedelta(seconds=100),
        "began": second(-20),
        "back_at": "b",
    }
    return Expectation(**(given | changes))


def test_a_run_without_trouble_teaches_nothing() -> None:
    history = History(two(expectations=(promise(),))).add(LeaseTaken, 0, term=1, holder="h")
    report = history.did("a", 0, 6).did("b", 6, 12).add(RunEnded, 12, result="done").report
    assert report.improve == ()


def test_a_missed_objective_says_by_how_much_and_what_cost_the_most() -> None:
    gate = Gate(question="go?")
    plan = plan_of(step("a"), step("b", "a", gate=gate), expectations=(promise(),))
    history = History(plan).did("a", 0, 30).add(GateReached, 30, gate="b", question="go?", identities=1)
    missed = found(history.approved("b", 90, "ann").did("b", 90, 100).report, "rto-missed")
    assert missed.cost == timedelta(seconds=20)
    assert "20s late: 2m after its loss, and 1m40s were allowed" in missed.message
    assert "people at b 1m, a 30s, b 10s" in missed.message


def test_the_missed_objective_stands_first_however_little_it_was() -> None:
    plan = two(expectations=(promise(rto=timedelta(seconds=119)),))
    codes = [i.code for i in History(plan).did("a", 0, 90).did("b", 90, 100).report.improve]
    assert codes == ["rto-missed", "slow-step"]


def test_what_never_came_back_is_said() -> None:
    history = History(two(expectations=(promise(),))).add(AttemptStarted, 0, step="a", attempt=1)
    history.add(AttemptFailed, 5, step="a", attempt=1, reason="no disk", remedy="add one")
    report = history.report
    assert "digits is not back: b was never done" in found(report, "rto-missed").message
    assert found(report, "failed-step").message == "a failed: no disk"
    assert found(report, "failed-step").remedy == "add one"


def test_a_point_that_was_too_old_and_those_passed_over_are_said() -> None:
    spec = _Rehydrate(workload="digits", store="s", folder="/d", floor="f", max_epoch=1)
    plan = plan_of(step("a", spec=spec), step("b", "a"), expectations=(promise(point_from="a"),))
    facts = {"id": "p1", "step": 1, "sealed_at": second(-200).isoformat(), "passed_over": ["p2: torn"]}
    report = History(plan).did("a", 0, 5, **facts).did("b", 5, 10).report
    assert "lost 2m more than it may: 1m" in found(report, "rpo-missed").message
    assert "p2: torn" in found(report, "points-passed-over").message


def test_a_step_that_was_slower_than_nine_of_ten_is_said() -> None:
    slow = found(History(two()).did("a", 0, 40).did("b", 40, 45).report, "slow-step")
    assert (slow.subject, slow.cost) == ("a", timedelta(seconds=30))
    assert "a took 40s; nine of ten were to take at most 10s" in slow.message


def test_a_step_that_was_hardly_slower_is_not_said() -> None:
    assert History(two()).did("a", 0, 10.9).did("b", 11, 12).report.improve == ()


def test_many_slow_steps_of_one_kind_are_said_once() -> None:
    history = History(plan_of(*(step(f"n{n}") for n in range(1000))))
    for n in range(1000):
        history.did(f"n{n}", 0, 60)
    slow = found(history.report, "slow-step")
    assert slow.message.startswith("1,000 steps of kind rig.behave took longer")
    assert len(slow.message) < 200


@pytest.mark.parametrize(("seconds", "says"), [(59, 0), (61, 1)])
def test_a_wait_for_people_is_said_from_a_minute_on(seconds: int, says: int) -> None:
    plan = plan_of(step("a", gate=Gate(question="go?")))
    history = History(plan).add(GateReached, 0, gate="a", question="go?", identities=1)
    report = history.approved("a", seconds, "ann").did("a", seconds, seconds + 5).report
    assert len(report.improve) == says
    if says:
        waited = found(report, "waited-for-people")
        assert waited.message == "the run waited 1m1s at a until it was approved by ann"
        assert "escalate" in waited.remedy


def test_a_finding_that_took_long_to_sign_has_another_remedy() -> None:
    finding = Finding(strength="override", code="x", subject="s", message="sure?")
    history = History(plan_of(step("a"), findings=(finding,)))
    history.add(GateReached, 0, gate=finding.gate, question="sure?", identities=1)
    report = history.approved(finding.gate, 300, "ann").did("a", 300, 301).report
    assert "beforehand" in found(report, "waited-for-people").remedy


def test_a_gate_that_nobody_answered_is_said() -> None:
    history = History(plan_of(step("a", gate=Gate(question="go?"))))
    history.add(GateReached, 0, gate="a", question="go?", identities=1)
    history.add(GateEscalated, 30, gate="a", to=("cto",)).add(GateExpired, 90, gate="a", fallback="approve")
    nobody = found(history.did("a", 90, 91).report, "nobody-answered")
    assert "nobody answered a within 1m30s" in nobody.message


def test_retries_are_said_with_their_reason_and_those_alike_once() -> None:
    history = History(plan_of(*(step(f"n{n}") for n in range(5))))
    for n in range(5):
        history.add(AttemptStarted, 0, step=f"n{n}", attempt=1)
        history.add(AttemptRetried, 2, step=f"n{n}", attempt=1, reason="refused", not_before=second(4))
        history.add(AttemptStarted, 4, step=f"n{n}", attempt=2)
        history.add(AttemptDone, 5, step=f"n{n}", attempt=2, facts={})
    retried = found(history.report, "retries")
    assert retried.message == "n0, n1, n2, n3, n4: 5 tries did not work: refused"
    assert retried.cost == timedelta(seconds=4)


def test_a_controller_that_was_gone_is_said_and_one_that_left_while_people_thought_is_not() -> None:
    history = History(plan_of(step("a"))).add(LeaseTaken, 0, term=1, holder="h")
    history.add(AttemptStarted, 1, step="a", attempt=1).add(LeaseTaken, 31, term=2, holder="g")
    history.add(AttemptInterrupted, 31, step="a", attempt=1, meaning="probe")
    gone = found(history.report, "controller-gone")
    assert gone.cost == timedelta(seconds=30)
    assert "cut off: a" in gone.message

    waited = History(plan_of(step("a", gate=Gate(question="go?")))).add(LeaseTaken, 0, term=1, holder="h")
    waited.add(GateReached, 1, gate="a", question="go?", identities=1).add(LeaseTaken, 31, term=2, holder="g")
    assert [i.code for i in waited.approved("a", 32, "ann").report.improve] == []


def test_a_name_server_and_a_store_that_did_not_answer_are_said() -> None:
    swap = SwapName(name="a.", zone="a.", ttl_seconds=5, servers=("ns1", "ns2"), old="1", new="2")
    fence = FenceStore(store="north", workload="digits", epoch=2, if_reachable=True)
    history = History(plan_of(step("swap", spec=swap), step("fence", spec=fence)))
    history.did("swap", 0, 1, updated=["ns1"], unreachable=["ns2"]).did("fence", 0, 1, epoch=0)
    assert found(history.report, "name-server-dead").message.startswith("ns2 did not take the new address")
    assert found(history.report, "store-not-fenced").subject == "fence"


def test_stragglers_skips_and_refusals_are_said() -> None:
    plan = plan_of(step("a"), step("b"), step("c"), step("d", "a", "b", "c", at_least=1))
    history = History(plan).did("a", 0, 1)
    history.add(StepSkipped, 2, step="b", identity="ann", reason="by hand", facts={})
    history.add(StepLetGo, 3, step="c", reason="was running")
    history.add(RequestRefused, 4, identity="eve", request="approve a", why="eve may not")
    report = history.report
    assert found(report, "skipped-step").message == "b was skipped by ann: by hand"
    assert found(report, "stragglers").message == "1 step came too late to count: c"
    assert found(report, "refused-request").message == "eve asked in vain: eve may not"


def test_a_record_that_the_witness_does_not_cover_is_said() -> None:
    history = History(plan_of(step("a"))).did("a", 0, 1)
    report = report_of(history.state, history.events, "no answer")
    assert "the witness: no answer" in found(report, "anchor-missing").message


def test_every_rule_is_in_the_list() -> None:
    assert len(set(RULES)) == len(RULES)
    assert all(re.search(r"\w", rule.__doc__ or "") for rule in RULES)
    assert second(0) == BEGAN
