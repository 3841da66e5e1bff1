"""Which plans a project declares, what each needs, and which could not be built. Pure: nothing is asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from relight.app import CATALOGUE
from relight.cli.preflight import needs
from relight.control import LoadedRunbook, Project
from relight.control.declared import DeclaredPlan, declared_plans, site_of
from relight.estate import Estate
from relight.generic import Manual
from relight.plan import Finding, Gate, Plan, Runbook, RunbookInput, Step
from relight.situation import Situation
from rig.estates import NOW, an_estate

SHIPPED = Project(Path(__file__).parents[3])


def declared(estate: Estate, runbooks: Mapping[str, LoadedRunbook] | None = None) -> dict[str, DeclaredPlan]:
    found = declared_plans(runbooks or SHIPPED.runbooks(), estate, CATALOGUE, needs, NOW)
    return {plan.name: plan for plan in found}


def of(build: Any, **inputs: RunbookInput) -> dict[str, LoadedRunbook]:
    return {"mine": LoadedRunbook(Runbook("mine", "", build, inputs), Path("mine.py"), "sha256:0")}


def a_plan(*findings: Finding, gate: Gate | None = None) -> Plan:
    step = Step(id="do", title="", spec=Manual(instructions="x"), gate=gate)
    return Plan(runbook="mine", goal="", estate="rig", steps=(step,), observed_at=NOW, findings=findings)


def test_every_runbook_is_planned_for_every_site_in_the_situation_that_it_is_for() -> None:
    plans = declared(an_estate())
    assert {name: plan.state for name, plan in plans.items()} == {
        "declare-writers()": "idle",
        "pool-scale(pool=…)": "untried",
        "stack-up(stack=…)": "untried",
        "site-failback(site=north)": "built",
        "site-failback(site=south)": "idle",
        "site-failover(site=north)": "built",
        "site-failover(site=south)": "built",
    }
    assert plans["site-failover(site=north)"].reason.startswith("if north is lost")


def test_a_failover_needs_everything_at_the_other_site_and_nothing_that_dies() -> None:
    estate = an_estate()
    plans = declared(estate)
    there = {
        "run",
        "witness",
        "authority:digits",
        *(f"observer:{name}" for name in estate.observers),
        "store:south",
        "points:digits@south",
        "folder:/data/south/digits",
        "scheduler:south",
        "room:south",
        "server:south",
    }
    assert plans["site-failover(site=north)"].needs == there
    back = plans["site-failback(site=north)"].needs
    assert {"store:north", "store:south", "scheduler:north", "scheduler:south", "server:north"} <= back
    assert "points:digits@north" not in back  # it copies the point that it needs


def test_what_dies_with_a_site_is_known() -> None:
    estate = an_estate(observers={"east": {"url": "http://127.0.0.1:1", "site": "north"}})
    north = [
        "store:north",
        "points:digits@north",
        "server:north",
        "scheduler:north",
        "room:north",
        "ssh:north",
    ]
    north += ["folder:/data/north/digits", "observer:east"]
    assert {site_of(thing, estate) for thing in north} == {"north"}
    apart = [
        "witness",
        "store:witness",
        "run",
        "secret:env:TSIG",
        "store:gone",
        "server:gone",
        "observer:gone",
    ]
    assert {site_of(thing, estate) for thing in apart} == {None}


def test_a_failover_whose_points_all_die_with_the_site_is_blocked() -> None:
    estate = an_estate().model_dump(mode="json", by_alias=True)
    estate["stores"]["south"]["site"] = "north"
    plans = declared(Estate.model_validate(estate))
    lost = plans["site-failover(site=north)"]
    assert lost.state == "blocked"
    assert "points in store south cannot be seen" in lost.reason
    assert lost.remedy


def test_a_site_that_could_never_hold_the_work_blocks_the_plan() -> None:
    estate = an_estate().model_dump(mode="json", by_alias=True)
    estate["workloads"]["digits"]["gpus"] = 64
    plans = declared(Estate.model_validate(estate))
    assert plans["site-failover(site=north)"].state == "blocked"
    assert (
        "64" in plans["site-failover(site=north)"].reason or "68" in plans["site-failover(site=north)"].reason
    )


def test_a_runbook_that_breaks_is_a_reason_and_no_traceback() -> None:
    def build(*_: object) -> Plan:
        raise KeyError("north")

    plan = declared(an_estate(), of(build))["mine()"]
    assert (plan.state, plan.reason) == ("blocked", "the runbook breaks: KeyError: 'north'")


def test_inputs_that_are_no_sites_take_their_default_and_one_without_is_not_tried() -> None:
    def build(_estate: Estate, _situation: Situation, inputs: Mapping[str, str]) -> Plan:
        assert inputs == {"mode": "slow", "how": "fast"}
        return a_plan()

    choices = RunbookInput("", choices=lambda _: ("fast", "slow"))
    found = declared(an_estate(), of(build, mode=RunbookInput("", default="slow"), how=choices))
    assert {name: plan.state for name, plan in found.items()} == {"mine(mode=slow, how=fast)": "built"}
    (plan,) = declared(an_estate(), of(build, ticket=RunbookInput(""))).values()
    assert plan.state == "untried"
    assert "ticket" in plan.reason


@pytest.mark.parametrize("gate", [None, Gate(question="go?")])
def test_a_plan_in_which_people_are_asked_needs_approvals(gate: Gate | None) -> None:
    plan = declared(an_estate(), of(lambda *_: a_plan(gate=gate)))["mine()"]
    assert ("approvals" in plan.needs) == (gate is not None)
    assert "run" in plan.needs


def test_a_runbook_is_for_the_situation_in_which_the_fewest_must_sign() -> None:
    def build(_estate: Estate, situation: Situation, _inputs: Mapping[str, str]) -> Plan:
        if situation.sites["south"].verdict() == "lost":
            return a_plan()
        strength: Any = "block" if situation.sites["north"].verdict() == "healthy" else "override"
        return a_plan(Finding(strength=strength, code="x", subject="y", message="not now"))

    plan = declared(an_estate(), of(build))["mine()"]
    assert plan.state == "built"
    assert plan.reason == "if south is lost, and everything else is well"
