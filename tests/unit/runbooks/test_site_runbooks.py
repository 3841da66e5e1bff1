"""The shipped runbooks: what they plan in which situation. Pure: no network, no clock."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from relight.app import CATALOGUE
from relight.control import Project, make_plan
from relight.errors import UsageError
from relight.estate import Estate
from relight.fence import ConfirmVerdict
from relight.plan import Plan
from relight.situation import Known, SiteSituation, Situation, Unknown, WorkloadSituation
from relight.vault import Rehydrate
from rig.estates import NOW, a_point, a_situation, an_estate, opinions

REPOSITORY = Path(__file__).parents[3]


def planned(runbook: str, estate: Estate, situation: Situation, **inputs: str) -> Plan:
    loaded = Project(REPOSITORY).runbook(runbook)
    return make_plan(loaded, estate, situation, inputs or {"site": "north"}, CATALOGUE)


def codes(plan: Plan, strength: str) -> list[str]:
    return sorted(f.code for f in plan.findings if f.strength == strength)


def come_before(plan: Plan, step: str) -> set[str]:
    """Every ancestor of a step."""
    found: set[str] = set()
    waiting = [step]
    while waiting:
        for before in plan.by_id[waiting.pop()].after:
            if before not in found:
                found.add(before)
                waiting.append(before)
    return found


def test_a_lost_site_is_failed_over_in_an_order_that_cannot_split_the_brain() -> None:
    estate = an_estate()
    plan = planned("site-failover", estate, a_situation(estate))
    assert codes(plan, "override") == []
    assert codes(plan, "block") == []
    assert {
        "confirm-verdict",
        "fence-digits",
        "fence-digits-in-south",
        "fence-digits-in-north",
    } <= come_before(plan, "rehydrate-digits")
    assert {"rehydrate-digits", "make-room"} <= come_before(plan, "start-digits")
    assert {"start-app", "fence-digits", "rehydrate-digits"} <= come_before(plan, "swap-app")
    assert "verify-digits" not in come_before(plan, "swap-app")  # serving does not wait for training's proof
    assert {"site:north", "site:south", "workload:digits", "workload:app", "dns:app.rig.test."} == set(
        plan.claims
    )
    assert {e.workload: e.back_at for e in plan.expectations} == {"digits": "verify-digits", "app": "ask-app"}
    assert plan.forecast
    assert timedelta(0) < plan.forecast.p50 <= plan.forecast.p90


def test_the_floor_is_the_oldest_point_that_meets_the_objective() -> None:
    estate = an_estate()
    plan = planned("site-failover", estate, a_situation(estate))
    spec = plan.by_id["rehydrate-digits"].spec
    assert isinstance(spec, Rehydrate)
    assert (spec.floor, spec.max_epoch, spec.store) == (a_point(60).id, 1, "south")


def with_points(*points: Any) -> dict[str, Any]:
    base = a_situation(an_estate()).workloads["digits"]
    seen = (
        Known(value=points) if not points or points[0] is not None else Unknown(reason="no answer within 5s")
    )
    return {"workloads": {"digits": base.model_copy(update={"points": {"south": seen}})}}


@pytest.mark.parametrize(
    ("changes", "strength", "code"),
    [
        (with_points(a_point(60, age=100)), "override", "rpo-missed"),
        (with_points(), "block", "no-point"),
        (with_points(None), "block", "points-unknown"),
        ({"workloads": {"digits": WorkloadSituation()}}, "block", "authority-unknown"),
        ({"now": NOW + timedelta(minutes=20)}, "override", "rto-missed"),
    ],
)
def test_what_stands_in_the_way_is_a_finding_of_the_right_strength(
    changes: dict[str, Any], strength: str, code: str
) -> None:
    estate = an_estate()
    plan = planned("site-failover", estate, a_situation(estate, **changes))
    assert code in codes(plan, strength)


@pytest.mark.parametrize(
    ("ups", "verdict"), [((True, True, True), "healthy"), ((True, False, False), "suspect")]
)
def test_a_site_that_somebody_still_sees_needs_two_people_and_the_plan_says_why(
    ups: tuple[bool, ...], verdict: str
) -> None:
    estate = an_estate()
    situation = a_situation(estate)
    north = SiteSituation(opinions=opinions("north", ups))
    situation = situation.model_copy(update={"sites": {**situation.sites, "north": north}})
    plan = planned("site-failover", estate, situation)
    (finding,) = [f for f in plan.overrides if f.code == f"site-{verdict}"]
    assert finding.identities == 2
    assert f"north is {verdict}" in finding.message
    assert "east sees it up" in finding.message
    spec = plan.by_id["confirm-verdict"].spec
    assert isinstance(spec, ConfirmVerdict)
    assert spec.accept == ("lost", verdict)


def test_no_room_at_the_standby_blocks_and_room_that_must_be_made_warns() -> None:
    estate = an_estate()
    situation = a_situation(estate)

    def with_free(gpus: int) -> Situation:
        south = situation.sites["south"].model_copy(update={"free_gpus": Known(value=gpus)})
        return situation.model_copy(update={"sites": {**situation.sites, "south": south}})

    assert "stops-work" in codes(planned("site-failover", estate, with_free(8)), "warning")
    assert "stops-work" not in codes(planned("site-failover", estate, with_free(20)), "warning")
    small = an_estate(workloads={k: w for k, w in estate.workloads.items() if k != "notebooks"})
    blocked = planned("site-failover", small, with_free(8).model_copy(update={"estate_digest": small.digest}))
    assert "no-room" in codes(blocked, "block")


def test_the_same_situation_gives_the_same_plan_byte_for_byte_and_a_later_one_the_same_digest() -> None:
    estate = an_estate()
    first, second = (planned("site-failover", estate, a_situation(estate)) for _ in range(2))
    assert CATALOGUE.encode(first) == CATALOGUE.encode(second)
    later = planned("site-failover", estate, a_situation(estate, now=NOW + timedelta(seconds=5)))
    assert later.digest == first.digest
    worse = planned("site-failover", estate, a_situation(estate, **with_points(a_point(60, age=100))))
    assert worse.digest != first.digest


def away() -> tuple[Estate, Situation]:
    """Digits and app run at south; north is well again."""
    estate = an_estate()
    situation = a_situation(estate)
    seen = situation.workloads["digits"].authority
    assert isinstance(seen, Known)
    moved = seen.value.model_copy(update={"epoch": 2, "active": "south"})
    digits = situation.workloads["digits"].model_copy(update={"authority": Known(value=moved)})
    north = SiteSituation(
        opinions=opinions("north", (True, True, True)), free_gpus=Known(value=32), running=Known(value=())
    )
    south = situation.sites["south"].model_copy(update={"running": Known(value=("digits", "app"))})
    return estate, situation.model_copy(
        update={"sites": {"north": north, "south": south}, "workloads": {"digits": digits}}
    )


def test_going_home_loses_nothing_because_the_last_point_is_home_before_the_right_to_write_is() -> None:
    estate, situation = away()
    plan = planned("site-failback", estate, situation)
    assert codes(plan, "block") == codes(plan, "override") == []
    assert {"drain-digits", "copy-digits"} <= come_before(plan, "fence-digits")
    assert {"fence-digits", "drain-digits"} <= come_before(plan, "rehydrate-digits")
    assert "ask-app" in come_before(plan, "stop-app-at-south")
    assert {"stop-app-at-south", "drain-digits"} <= come_before(plan, "restart-notebooks")
    rehydrate = plan.by_id["rehydrate-digits"].spec
    assert isinstance(rehydrate, Rehydrate)
    assert rehydrate.store == "north"


def test_nobody_goes_home_to_a_site_that_is_not_well() -> None:
    estate, situation = away()
    sick = SiteSituation(opinions=opinions("north", (True, False, False)))
    plan = planned(
        "site-failback", estate, situation.model_copy(update={"sites": {**situation.sites, "north": sick}})
    )
    assert "home-not-healthy" in codes(plan, "block")


def test_a_plan_survives_its_own_encoding() -> None:
    for plan in (
        planned("site-failover", an_estate(), a_situation(an_estate())),
        planned("site-failback", *away()),
    ):
        decoded = CATALOGUE.decode(CATALOGUE.encode(plan))
        assert decoded == plan
        assert decoded.digest == plan.digest


def test_inputs_that_do_not_fit_are_all_told_at_once() -> None:
    estate = an_estate()
    with pytest.raises(UsageError) as caught:
        planned("site-failover", estate, a_situation(estate), site="nroth", colour="red")
    assert len(caught.value.reasons) == 2


def test_only_a_writer_that_the_witness_does_not_know_is_declared() -> None:
    estate = an_estate()
    loaded = Project(REPOSITORY).runbook("declare-writers")
    known = make_plan(loaded, estate, a_situation(estate), {}, CATALOGUE)
    assert codes(known, "block") == ["nothing-to-move"]
    unknown = a_situation(estate, workloads={"digits": WorkloadSituation()})
    plan = make_plan(loaded, estate, unknown, {}, CATALOGUE)
    assert [step.id for step in plan.steps] == ["declare-digits"]
    assert plan.claims == ("workload:digits",)
