"""Calling the command in tests, and a runbook that needs no site."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

RUNBOOK = '''
"""Lets time pass, and asks people if told to."""

from datetime import timedelta

from relight.generic import Manual, Wait
from relight.plan import Expectation, Finding, Gate, Plan, Runbook, RunbookInput, Step


def build(estate, situation, inputs):
    way = inputs["way"]
    wait = Wait(duration=timedelta(seconds=float(inputs["seconds"])))
    steps = [Step(id="first", title="let time pass", spec=wait)]
    if way == "people":
        gate = Gate(question="was the key turned?", identities=2)
        spec = Manual(instructions="turn the key")
        steps.append(Step(id="key", title="turn the key", spec=spec, after=("first",), gate=gate))
    findings = {
        "blocked": (
            Finding(strength="block", code="no-way", subject="x", message="it cannot be", remedy="wait"),
        ),
        "doubtful": (
            Finding(strength="override", code="odd", subject="x", message="it is odd", identities=2),
        ),
    }
    promise = Expectation(
        workload="pretrain",
        rpo=timedelta(hours=1),
        rto=timedelta(0) if way == "missed" else timedelta(hours=1),
        back_at="first",
    )
    return Plan(
        runbook="pass-time",
        goal="some time has passed",
        estate=estate.name,
        inputs=dict(inputs),
        steps=tuple(steps),
        claims=("site:north",),
        findings=findings.get(way, ()),
        expectations=(promise,) if way != "doubtful" else (),
        observed_at=situation.now,
    )


RUNBOOK = Runbook(
    name="pass-time",
    summary="let time pass",
    build=build,
    inputs={"seconds": RunbookInput("how long", default="0"), "way": RunbookInput("how", default="plain")},
)
'''


@dataclass(frozen=True)
class Said:
    """What a command said, and ended with."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Call = Callable[..., Said]
