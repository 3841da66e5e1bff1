"""Plans for tests of what is read, checked and shown of them: every form that a step can take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from relight.fence import RaiseEpoch
from relight.generic import Http, Manual, Shell, Wait
from relight.plan import (
    Catalogue,
    Estimate,
    Expectation,
    Finding,
    Gate,
    Irreversible,
    Plan,
    Ref,
    RetryPolicy,
    Spec,
    Step,
)
from relight.vault import Rehydrate
from relight.workload import Start

CATALOGUE = Catalogue(
    {
        "shell": "relight.generic:Shell",
        "http": "relight.generic:Http",
        "manual": "relight.generic:Manual",
        "wait": "relight.generic:Wait",
        "fence.raise-epoch": "relight.fence:RaiseEpoch",
        "vault.rehydrate": "relight.vault:Rehydrate",
        "workload.start": "relight.workload:Start",
    }
)
NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


def seconds(p50: float, p90: float) -> Estimate:
    return Estimate(p50=timedelta(seconds=p50), p90=timedelta(seconds=p90))


def a_step(name: str, spec: Spec, *after: str, **fields: Any) -> Step:
    return Step(id=name, title=f"do {name}", spec=spec, after=after, **fields)


def a_wait(name: str, *after: str, **fields: Any) -> Step:
    return a_step(name, Wait(duration=timedelta(seconds=1)), *after, **fields)


def steps() -> tuple[Step, ...]:
    restore = Rehydrate(workload="digits", store="south", folder="/data", floor="digits-1", max_epoch=1)
    start = Start(
        site="south",
        workload="digits",
        gpus=16,
        epoch=Ref("fence", "epoch"),
        point=Ref("restore", "id"),
        folder=Ref("restore", "folder"),
    )
    page = Http(method="POST", url="http://127.0.0.1/page")
    note = Shell(command=("sh", "-c", "echo dark >> log"))
    return (
        a_step("call", Manual(instructions="ring them"), gate=Gate(question="Is it dark?")),
        a_step("fence", RaiseEpoch(workload="digits", above=1, active="south"), "call"),
        a_step("restore", restore, "fence", lane="wan", timeout=timedelta(hours=4), estimate=seconds(60, 90)),
        a_step("start", start, "fence", "restore", retry=RetryPolicy(attempts=1)),
        a_step("page", page, "fence", undo=Irreversible("it is said")),
        a_step("note", note, "fence", undo=Manual(instructions="strike it out")),
        a_wait("settle", "page", "note", "start", at_least=2),
    )


def a_plan(**changes: Any) -> Plan:
    fields: dict[str, Any] = {
        "runbook": "site-failover",
        "goal": "the work of north goes on at south",
        "estate": "rig",
        "inputs": {"site": "north"},
        "steps": steps(),
        "claims": ("site:north", "workload:digits"),
        "lanes": {"wan": 1},
        "findings": (
            Finding(strength="note", code="point", subject="digits", message="goes on from step 120"),
            Finding(
                strength="override",
                code="not-lost",
                subject="north",
                message="east still sees north up",
                remedy="wait, or sign",
                identities=2,
            ),
        ),
        "expectations": (
            Expectation(
                workload="digits",
                rpo=timedelta(minutes=30),
                rto=timedelta(hours=4),
                began=NOW,
                back_at="start",
                point_from="restore",
                last_step=1300,
                gpus=16,
            ),
        ),
        "observed_at": NOW,
        "forecast": seconds(100, 200),
    }
    return Plan(**(fields | changes))
