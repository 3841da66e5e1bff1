"""From a runbook and a situation to a plan that says what it will come to."""

from __future__ import annotations

from collections.abc import Mapping

from relight.control.project import LoadedRunbook
from relight.estate import Estate
from relight.forecast import Forecast, forecast
from relight.plan import Catalogue, Finding, Plan, Strength
from relight.situation import Situation
from relight.units import format_duration

_RTO_MISSED = "rto-missed"
_GRAVITY: Mapping[Strength, int] = {"note": 0, "warning": 1, "override": 2, "block": 3}


def make_plan(
    loaded: LoadedRunbook,
    estate: Estate,
    situation: Situation,
    inputs: Mapping[str, str],
    catalogue: Catalogue,
) -> Plan:
    """Build, check and forecast a plan. Raise UsageError for inputs, InvalidFile for a faulty plan."""
    accepted = loaded.runbook.accepted(inputs, estate)
    plan = loaded.runbook.build(estate, situation, accepted)
    catalogue.require(plan, f"the plan of {loaded.runbook.name}")
    plan = plan.model_copy(update={"source": loaded.source})
    if plan.blocks:
        return plan  # what cannot run needs no forecast
    expected = forecast(plan)
    return plan.model_copy(
        update={
            "forecast": expected.total,
            "expectations": tuple(
                e if e.unknown else e.model_copy(update={"back": expected.back[e.workload]})
                for e in plan.expectations
            ),
            "findings": (*plan.findings, *forecast_findings(plan, expected, situation)),
        }
    )


def worse(old: Plan, new: Plan) -> tuple[str, ...]:
    """What a later plan of the same says that its people had not agreed to: another goal, graver findings.

    A missed RTO is left out: it grows by itself while people decide, and going on is the fastest way back.
    """
    told = [f"the goal is now: {new.goal}"] if new.goal != old.goal else []
    before = {(f.code, f.subject): _GRAVITY[f.strength] for f in old.findings}
    told += [
        f"{f.strength}: {f.message}"
        for f in new.findings
        if f.strength in ("override", "block")
        and f.code != _RTO_MISSED
        and _GRAVITY[f.strength] > before.get((f.code, f.subject), 0)
    ]
    return tuple(told)


def forecast_findings(plan: Plan, expected: Forecast, situation: Situation) -> list[Finding]:
    """An override for each workload that nine times of ten would be late; a warning where nobody knows.

    What has passed since the loss counts: an objective is missed by the clock on the wall, not by the plan.
    """
    findings = []
    for promise in plan.expectations:
        if promise.unknown:
            message = f"nobody knows when {promise.workload} is back: {promise.unknown}"
            findings.append(
                Finding(
                    strength="warning",
                    code="rto-unknown",
                    subject=promise.workload,
                    message=message,
                    remedy="only guaranteed capacity carries an RTO: a reservation, or metal of one's own",
                )
            )
            continue
        passed = situation.now - promise.began if promise.began else situation.now - situation.now
        back = expected.back[promise.workload]
        if passed + back.p90 > promise.rto:
            findings.append(
                Finding(
                    strength="override",
                    code=_RTO_MISSED,
                    subject=promise.workload,
                    message=f"{promise.workload} will be back {format_duration(passed + back.p50)} after its "
                    f"loss (P90 {format_duration(passed + back.p90)}); the objective is "
                    f"{format_duration(promise.rto)}",
                    remedy="going on is still the fastest way back; signing says that the miss is known",
                )
            )
    return findings
