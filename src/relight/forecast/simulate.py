"""Monte Carlo over the engine's own `decide`: lanes, joins and gates count because they are the real ones.

Each step's duration is drawn from the lognormal distribution that has the step's P50 and P90 (recovery times
are skewed to the right; a normal distribution would go below zero). People are taken to answer at once: a
forecast of the work, not of the wait for signatures, and every rendering says so.
"""

from __future__ import annotations

import heapq
import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from relight.engine import (
    ApprovalGiven,
    AttemptDone,
    AttemptStarted,
    RunEnded,
    RunStarted,
    RunState,
    decide,
)
from relight.plan import Estimate, Plan, estimate_of

_Z90 = 1.2815515655446004  # standard normal quantile of 0.9
_DRAWS = 40_000  # step durations in all: what a plan costs to forecast stays about the same
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Forecast:
    """From the start of the run: to its end, and until each workload is back.

    The end is `at_least` so late where a step waits for capacity that is no promise.
    """

    total: Estimate
    back: dict[str, Estimate]
    samples: int


def forecast(plan: Plan) -> Forecast:
    """P50 and P90 of a plan. The same plan gives the same forecast: the draws are seeded by its digest."""
    samples = max(5, min(200, _DRAWS // max(1, len(plan.steps))))
    draw = random.Random(plan.digest)  # noqa: S311 (a simulation, no secret)
    runs = [_simulate(plan, draw) for _ in range(samples)]
    totals = [max(ends.values(), default=0.0) for ends in runs]
    at_least = any(estimate_of(step).at_least for step in plan.steps)
    back = {
        expected.workload: _estimate([ends[expected.back_at] for ends in runs if expected.back_at in ends])
        for expected in plan.expectations
    }
    return Forecast(_estimate(totals).model_copy(update={"at_least": at_least}), back, samples)


def _simulate(plan: Plan, draw: random.Random) -> dict[str, float]:
    """Seconds from the start at which each step ends, in one draw."""
    state = RunState("forecast", plan, RunStarted(at=_EPOCH, run="forecast", by="", digest="", plan={}))
    for name, gate in list(state.gates.items()):
        for person in range(gate.identities):
            state.apply(
                ApprovalGiven(at=_EPOCH, gate=name, identity=str(person), reason="", digest=plan.digest)
            )
    clock, ends = 0.0, dict[str, float]()
    under_way: list[tuple[float, str]] = []
    while True:
        now = _EPOCH + timedelta(seconds=clock)
        while events := decide(state, now, len(plan.steps)):
            for event in events:
                state.apply(event)
                if isinstance(event, AttemptStarted):
                    seconds = _duration(estimate_of(plan.by_id[event.step]), draw)
                    heapq.heappush(under_way, (clock + seconds, event.step))
                elif isinstance(event, RunEnded):
                    return ends
        if not under_way:
            return ends  # a plan that cannot go on: its joins can never be met
        clock, name = heapq.heappop(under_way)
        ends[name] = clock
        done_at = _EPOCH + timedelta(seconds=clock)
        state.apply(AttemptDone(at=done_at, step=name, attempt=1, facts={}))


def _duration(estimate: Estimate, draw: random.Random) -> float:
    p50, p90 = estimate.p50.total_seconds(), estimate.p90.total_seconds()
    if p50 <= 0 or p90 <= p50:
        return max(p50, p90, 0.0)
    return draw.lognormvariate(math.log(p50), math.log(p90 / p50) / _Z90)


def _estimate(seconds: list[float]) -> Estimate:
    ordered = sorted(seconds) or [0.0]
    return Estimate(p50=_quantile(ordered, 0.5), p90=_quantile(ordered, 0.9))


def _quantile(ordered: list[float], q: float) -> timedelta:
    position = min(len(ordered) - 1, max(0, math.ceil(q * len(ordered)) - 1))
    return timedelta(milliseconds=round(ordered[position] * 1000))
