"""The knob in runbooks: a standby grows before it takes the work over, and shrinks once it is relieved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from relight.app import CATALOGUE
from relight.control import Project, make_plan
from relight.control.supposing import suppose
from relight.errors import UsageError
from relight.estate import AwsSite, Estate, Rung, load_estate
from relight.plan import Plan
from relight.plan.sections import takes
from relight.provision import Change, Preview, ScalePool, StackUp
from relight.situation import Intent, Known, Situation, Unknown
from rig.files import EXAMPLES

REPOSITORY = Path(__file__).parents[3]
NOW = datetime(2026, 12, 1, tzinfo=UTC)
ESTATES = {path.stem: load_estate(path) for path in EXAMPLES}


def planned(estate: Estate, situation: Situation, runbook: str, **inputs: str) -> Plan:
    return make_plan(Project(REPOSITORY).runbook(runbook), estate, situation, inputs, CATALOGUE)


def lost(estate: Estate, site: str) -> Situation:
    situation = suppose(estate, NOW, site)
    sites = {
        name: seen.model_copy(update={"intent": Known(value=None), "free_gpus": Known(value=20)})
        if name != site
        else seen
        for name, seen in situation.sites.items()
    }
    return situation.model_copy(update={"sites": sites})


def with_intent(situation: Situation, site: str, pools: dict[str, dict[str, int]], epoch: int) -> Situation:
    intent = Intent(site=site, epoch=epoch, active=True, pools=pools, changed_by="run-1", changed_at=NOW)
    seen = situation.sites[site].model_copy(update={"intent": Known(value=intent)})
    return situation.model_copy(update={"sites": {**situation.sites, site: seen}})


def knobs(plan: Plan) -> dict[str, ScalePool]:
    return {step.id: step.spec for step in plan.steps if isinstance(step.spec, ScalePool)}


def codes(plan: Plan) -> set[str]:
    return {finding.code for finding in plan.findings}


def test_a_standby_grows_to_full_size_before_anything_starts_there() -> None:
    estate = ESTATES["active-passive"]
    plan = planned(estate, lost(estate, "ohio"), "site-failover", site="ohio")
    assert plan.blocks == ()
    assert {name: (spec.site, spec.nodes, spec.active) for name, spec in knobs(plan).items()} == {
        "grow-train": ("oregon", 10, True),
        "grow-serve": ("oregon", 4, True),
    }
    assert {"grow-train", "grow-serve"} <= set(plan.by_id["make-room"].after)
    assert plan.by_id["grow-train"].after == ("confirm-verdict",)  # not behind the fence: it takes longest


def test_the_size_is_decided_in_an_epoch_above_every_one_that_was_seen() -> None:
    estate = ESTATES["active-passive"]
    situation = lost(estate, "ohio")
    plan = planned(estate, situation, "site-failover", site="ohio")
    seen = situation.workloads["pretrain"].authority
    assert isinstance(seen, Known)
    assert {spec.epoch for spec in knobs(plan).values()} == {seen.value.epoch + 1}


def test_guaranteed_capacity_gives_a_forecast_and_what_it_promises_is_in_it() -> None:
    estate = ESTATES["active-passive"]
    plan = planned(estate, lost(estate, "ohio"), "site-failover", site="ohio")
    back = {promise.workload: promise.back for promise in plan.expectations}
    assert all(estimate is not None for estimate in back.values())
    estimate = plan.by_id["grow-train"].estimate
    assert estimate is not None
    assert estimate.p90 == timedelta(minutes=15)  # ready_in of the reservation


def test_best_effort_capacity_gives_no_rto_and_the_plan_says_so() -> None:
    estate = ESTATES["cloud-burst"]
    plan = planned(estate, lost(estate, "hall"), "site-failover", site="hall")
    assert all(promise.back is None for promise in plan.expectations)
    assert all("nodes of train at ohio" in (promise.unknown or "") for promise in plan.expectations)
    assert "rto-unknown" in codes(plan)
    assert "rto-missed" not in codes(plan)


def test_a_pool_whose_block_has_ended_says_that_it_is_too_small() -> None:
    estate = ESTATES["active-passive"]
    site = estate.sites["oregon"]
    assert isinstance(site, AwsSite)
    rung = site.pools["train"].rungs[0].model_copy(
        update={
            "kind": "capacity-block",
            "ready_in": None,
            "starts": NOW - timedelta(days=9),
            "ends": NOW - timedelta(days=2),
        }
    )  # fmt: skip
    pool = site.pools["train"].model_copy(update={"rungs": (rung,)})
    site = site.model_copy(update={"pools": {**site.pools, "train": pool}})
    estate = estate.model_copy(update={"sites": {**estate.sites, "oregon": site}})
    plan = planned(estate, lost(estate, "ohio"), "site-failover", site="ohio")
    assert "pool-too-small" in codes(plan)


def test_growth_counts_as_room() -> None:
    estate = ESTATES["active-passive"]
    assert "no-room" not in codes(planned(estate, lost(estate, "ohio"), "site-failover", site="ohio"))
    grown = with_intent(
        lost(estate, "ohio"), "oregon", {"train": {"reservation": 10}, "serve": {"reservation": 4}}, 2
    )
    assert "no-room" in codes(planned(estate, grown, "site-failover", site="ohio"))  # no more to come


def test_an_intent_that_cannot_be_seen_is_a_warning() -> None:
    estate = ESTATES["active-passive"]
    situation = lost(estate, "ohio")
    seen = situation.sites["oregon"].model_copy(update={"intent": Unknown(reason="no answer")})
    situation = situation.model_copy(update={"sites": {**situation.sites, "oregon": seen}})
    assert "intent-unknown" in codes(planned(estate, situation, "site-failover", site="ohio"))


def test_going_home_the_standby_shrinks_after_all_else() -> None:
    estate = ESTATES["active-passive"]
    situation = suppose(estate, NOW, away="ohio")
    plan = planned(estate, situation, "site-failback", site="ohio")
    specs = knobs(plan)
    assert {"shrink-train", "shrink-serve"} <= set(specs)
    assert (specs["shrink-train"].nodes, specs["shrink-train"].active) == (2, False)
    assert specs["shrink-train"].quiet  # from then on as the estate has it, whatever that becomes
    assert {"drain-pretrain", "stop-chat-at-oregon"} <= set(plan.by_id["shrink-train"].after)


def test_one_pool_can_be_scaled_by_itself() -> None:
    estate = ESTATES["active-passive"]
    plan = planned(estate, suppose(estate, NOW), "pool-scale", site="oregon", pool="train", nodes="6")
    assert [step.id for step in plan.steps] == ["capacity", "scale-train"]
    assert knobs(plan)["scale-train"].active is True  # above its quiet size it is meant to carry work
    quiet = planned(estate, suppose(estate, NOW), "pool-scale", site="oregon", pool="train", nodes="2")
    assert (knobs(quiet)["scale-train"].active, knobs(quiet)["scale-train"].quiet) == (False, True)
    assert plan.claims == ("site:oregon",)


def test_a_standby_made_larger_by_hand_sleeps_again_once_it_is_set_back_and_nothing_runs_there() -> None:
    estate = ESTATES["active-passive"]
    larger = with_intent(suppose(estate, NOW), "oregon", {"train": {"reservation": 6}}, 1)

    def back(running: Known[tuple[str, ...]] | Unknown) -> ScalePool:
        seen = larger.sites["oregon"].model_copy(update={"running": running})
        situation = larger.model_copy(update={"sites": {**larger.sites, "oregon": seen}})
        plan = planned(estate, situation, "pool-scale", site="oregon", pool="train", nodes="2")
        return knobs(plan)["scale-train"]

    idle = back(Known(value=()))
    assert (idle.active, idle.quiet) == (False, True)
    for busy in (back(Known(value=("chat",))), back(Unknown(reason="no answer"))):
        assert (busy.active, busy.quiet) == (True, False)
    larger = with_intent(larger, "oregon", {"train": {"reservation": 6}, "serve": {"reservation": 4}}, 1)
    assert back(Known(value=())).active is True  # the other pool is still meant to carry work


def test_a_pool_that_shrinks_or_cannot_grow_asks_people_or_is_blocked() -> None:
    estate = ESTATES["active-passive"]
    decided = with_intent(suppose(estate, NOW), "oregon", {"train": {"reservation": 10}}, 4)
    smaller = planned(estate, decided, "pool-scale", site="oregon", pool="train", nodes="3")
    assert "shrinks" in codes(smaller)
    assert knobs(smaller)["scale-train"].epoch == 4
    assert knobs(smaller)["scale-train"].active is True
    larger = planned(estate, decided, "pool-scale", site="oregon", pool="train", nodes="11")
    assert [finding.code for finding in larger.blocks] == ["pool-too-small"]


def test_a_site_that_works_shrinks_only_by_signature_also_where_nothing_was_decided() -> None:
    estate = ESTATES["active-passive"]
    quiet = suppose(estate, NOW)
    plan = planned(estate, quiet, "pool-scale", site="ohio", pool="train", nodes="0")
    assert [finding.code for finding in plan.overrides] == ["shrinks"]
    assert "10 nodes now, and gets 0" in plan.overrides[0].message
    same = planned(estate, quiet, "pool-scale", site="ohio", pool="train", nodes="10")
    assert not same.overrides


def test_what_the_witness_cannot_tell_is_not_scaled() -> None:
    estate = ESTATES["active-passive"]
    situation = suppose(estate, NOW)
    unseen = situation.sites["oregon"].model_copy(update={"intent": Unknown(reason="no answer")})
    situation = situation.model_copy(update={"sites": {**situation.sites, "oregon": unseen}})
    plan = planned(estate, situation, "pool-scale", site="oregon", pool="train", nodes="6")
    assert [finding.code for finding in plan.blocks] == ["intent-unknown"]
    assert "no answer" in plan.blocks[0].message


def only_spot(estate: Estate, name: str) -> Estate:
    site = estate.sites[name]
    assert isinstance(site, AwsSite)
    pools = {
        key: pool.model_copy(update={"rungs": (Rung(kind="spot", nodes=pool.nodes),)})
        for key, pool in site.pools.items()
    }
    return estate.model_copy(
        update={"sites": {**estate.sites, name: site.model_copy(update={"pools": pools})}}
    )


@pytest.mark.parametrize(
    ("runbook", "inputs"),
    [
        ("site-failover", {"site": "ohio"}),
        ("pool-scale", {"site": "oregon", "pool": "train", "nodes": "10"}),
    ],
)
def test_the_time_of_a_plan_that_rests_on_best_effort_capacity_is_no_promise(
    runbook: str, inputs: dict[str, str]
) -> None:
    sure = ESTATES["active-passive"]
    unsure = only_spot(sure, "oregon")
    for estate, at_least in ((sure, False), (unsure, True)):
        situation = lost(estate, "ohio") if runbook == "site-failover" else suppose(estate, NOW)
        plan = planned(estate, situation, runbook, **inputs)
        assert plan.forecast is not None
        assert plan.forecast.at_least is at_least
        assert ("P90" in takes(plan.forecast)) is not at_least
        assert ("at_least" in plan.model_dump_json()) is at_least
        again = CATALOGUE.decode(plan.model_dump_json().encode())
        assert (again.digest, again.forecast) == (plan.digest, plan.forecast)


def test_without_the_engine_here_the_knob_goes_around_it_and_no_stack_comes_up() -> None:
    estate = ESTATES["active-passive"]
    without = suppose(estate, NOW).model_copy(update={"engine": Known(value=False)})
    knob = planned(estate, without, "pool-scale", site="oregon", pool="train", nodes="6")
    assert [(f.strength, f.subject) for f in knob.findings if f.code == "no-engine"] == [
        ("warning", "oregon")
    ]
    up = planned(estate, without, "stack-up", stack="oregon")
    assert [finding.code for finding in up.blocks] == ["no-engine"]
    failover = lost(estate, "ohio").model_copy(update={"engine": Known(value=False)})
    assert "no-engine" in codes(planned(estate, failover, "site-failover", site="ohio"))


def test_an_update_has_the_time_that_a_cluster_takes_and_every_turn_of_the_knob_that_nodes_take() -> None:
    estate = ESTATES["active-passive"]
    (step,) = planned(estate, suppose(estate, NOW), "stack-up", stack="oregon").steps
    assert step.timeout >= timedelta(hours=2)
    home = planned(estate, suppose(estate, NOW, away="ohio"), "site-failback", site="ohio")
    assert all(home.by_id[name].timeout >= timedelta(hours=2) for name in knobs(home))


def test_a_stack_that_the_estate_does_not_have_is_refused_and_those_it_has_are_named() -> None:
    estate = ESTATES["active-passive"]
    with pytest.raises(UsageError) as refused:
        planned(estate, suppose(estate, NOW), "stack-up", stack="oregn")
    assert "oregon" in str(refused.value)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [({"pool": "tran", "nodes": "1"}, "no pool"), ({"pool": "train", "nodes": "x"}, "number")],
)
def test_what_no_pool_can_be_is_refused(inputs: dict[str, str], said: str) -> None:
    estate = ESTATES["active-passive"]
    with pytest.raises(UsageError, match=said):
        planned(estate, suppose(estate, NOW), "pool-scale", site="oregon", **inputs)


def test_a_stack_comes_up_as_it_was_previewed_and_asks_where_something_goes_away() -> None:
    estate = ESTATES["active-passive"]
    gone = Change(urn="urn:x", name="cache", type="aws:fsx/lustreFileSystem:LustreFileSystem", op="delete")
    preview = Preview(stack="oregon", changes=(gone,), same=3, digest="sha256:1")
    plan = planned(
        estate, suppose(estate, NOW), "stack-up", stack="oregon", preview=preview.model_dump_json()
    )
    spec = plan.steps[0].spec
    assert isinstance(spec, StackUp)
    assert spec.expect_digest == "sha256:1"
    assert spec.expect_changes == (gone.approved,)
    assert "deletes" in codes(plan)
    assert any("delete aws:fsx" in finding.message for finding in plan.findings)


def test_a_stack_that_nobody_previewed_and_a_lock_that_is_taken_ask_people() -> None:
    estate = ESTATES["active-passive"]
    plan = planned(estate, suppose(estate, NOW), "stack-up", stack="oregon", cancel_lock="lock-1")
    assert {"unseen", "takes-lock"} <= codes(plan)
    spec = plan.steps[0].spec
    assert isinstance(spec, StackUp)
    assert spec.cancel_lock == "lock-1"
