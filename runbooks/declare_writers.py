"""declare-writers: say for the first time which site may write for each workload.

Run it once for a new estate, and again for a new workload: until the witness knows who may write, nothing
can be fenced and so nothing failed over. What is declared already stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from relight.estate import Estate
from relight.fence import DeclareAuthority
from relight.plan import Finding, Plan, Runbook, Step
from relight.situation import Known, Situation


def build(estate: Estate, situation: Situation, inputs: Mapping[str, str]) -> Plan:
    """The plan that declares every writer of which the witness knows nothing."""
    new = [
        name
        for name, workload in estate.workloads.items()
        if workload.writes and not isinstance(situation.workloads[name].authority, Known)
    ]
    findings: tuple[Finding, ...] = ()
    if not new:
        message = "every workload that writes has been declared"
        findings = (Finding(strength="block", code="nothing-to-move", subject=estate.name, message=message),)
    steps = tuple(
        Step(
            id=f"declare-{name}",
            title=f"{estate.workloads[name].runs_on} may write for {name}, in epoch 1",
            spec=DeclareAuthority(workload=name, active=estate.workloads[name].runs_on),
        )
        for name in new
    )
    return Plan(
        runbook=RUNBOOK.name,
        goal="the witness knows who may write",
        estate=estate.name,
        inputs=dict(inputs),
        steps=steps,
        claims=tuple(f"workload:{name}" for name in new),
        findings=findings,
        observed_at=situation.now,
    )


RUNBOOK = Runbook(
    name="declare-writers",
    summary="say for the first time which site may write for each workload",
    build=build,
)
