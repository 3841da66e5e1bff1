"""What a run teaches for the next time: rules over what happened, each with what to do about it.

A rule is pure: it reads the state that the events led to and says nothing where there is nothing to say. What
many steps have alike is said once. The one list of rules is at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from relight.control.critical_path import PeopleTimes, critical_path, people_times
from relight.control.report import CriticalStep, GateReport, Improvement, WorkloadReport
from relight.engine import (
    AttemptInterrupted,
    AttemptRetried,
    Event,
    LeaseTaken,
    RunPaused,
    RunState,
    RunStuck,
    Status,
    StepState,
)
from relight.markdown import named, rough
from relight.plan import estimate_of

_ZERO = timedelta(0)
_LONG_WAIT = timedelta(minutes=1)  # for people, from which it is worth a word
_SLACK = 1.1  # over its P90 before a step counts as slow, and never less than a second
_MOST_TOLD = 3  # steps of one sort that are told one by one
_COSTLIEST = 3  # parts of a critical path that are named


@dataclass(frozen=True)
class Evidence:
    """What the rules read. `anchor_trouble`: why the witness does not cover the end of the record."""

    state: RunState
    events: Sequence[Event]
    gates: tuple[GateReport, ...]
    workloads: tuple[WorkloadReport, ...]
    anchor_trouble: str = ""

    @cached_property
    def people(self) -> PeopleTimes:
        """When the run waited for people."""
        return people_times(self.state, self.events, self.gates)

    @cached_property
    def retried(self) -> Mapping[str, list[AttemptRetried]]:
        """The tries of each step that did not work."""
        found: dict[str, list[AttemptRetried]] = {}
        for event in self.events:
            if isinstance(event, AttemptRetried):
                found.setdefault(event.step, []).append(event)
        return found

    def worked(self, step: StepState) -> timedelta | None:
        """How long a step was at it, without waiting for people; None: it has not been tried and ended."""
        if step.started_at is None or step.ended_at is None:
            return None
        asked = self.people.asked(step.step.id, step.started_at, step.ended_at)
        return step.ended_at - step.started_at - asked


Rule = Callable[[Evidence], Iterator[Improvement]]


def improvements_of(evidence: Evidence) -> tuple[Improvement, ...]:
    """Everything that the rules have to say: missed objectives first, then what cost the most."""
    found = [improvement for rule in RULES for improvement in rule(evidence)]
    found.sort(key=lambda i: (not i.code.endswith("-missed"), -(i.cost or _ZERO)))
    return tuple(found)


def late_workloads(evidence: Evidence) -> Iterator[Improvement]:
    """A workload that was back later than its objective, or not at all."""
    for workload, promise in zip(evidence.workloads, evidence.state.plan.expectations, strict=True):
        if not workload.is_back:
            yield Improvement(
                code="rto-missed",
                subject=workload.workload,
                message=f"{workload.workload} is not back: {promise.back_at} was never done",
                remedy="what failed stands below, with what to do about it",
            )
        elif workload.rto is not None and not workload.rto_met:
            path = critical_path(evidence.state, evidence.people, promise.back_at)
            late = workload.rto - workload.rto_objective
            yield Improvement(
                code="rto-missed",
                subject=workload.workload,
                message=f"{workload.workload} was back {rough(late)} late: {rough(workload.rto)} after its "
                f"loss, and {rough(workload.rto_objective)} were allowed. The most on its way: "
                f"{_costliest(path) or 'what was before the run'}",
                remedy="shorten these, or declare an objective that can be kept",
                cost=late,
            )


def lost_work(evidence: Evidence) -> Iterator[Improvement]:
    """A point that was older than the objective allows."""
    for workload in evidence.workloads:
        if workload.rpo is not None and workload.rpo_met is False:
            more = workload.rpo - workload.rpo_objective
            yield Improvement(
                code="rpo-missed",
                subject=workload.workload,
                message=f"{workload.workload} lost {rough(more)} more than it may: "
                f"{rough(workload.rpo_objective)}",
                remedy="seal and copy points more often, or find out why the last ones did not arrive",
            )


def passed_over_points(evidence: Evidence) -> Iterator[Improvement]:
    """Points that were there and did not load."""
    for workload in evidence.workloads:
        if workload.passed_over:
            yield Improvement(
                code="points-passed-over",
                subject=workload.workload,
                message=f"points of {workload.workload} did not load: {named(workload.passed_over)}",
                remedy="check points when they are sealed and now and then after: a broken one must be known "
                "before it is needed",
            )


def slow_steps(evidence: Evidence) -> Iterator[Improvement]:
    """Steps that took longer than nine of ten were to take; many of one kind are said once."""
    slow: dict[str, list[tuple[StepState, timedelta, timedelta]]] = {}
    for step in evidence.state.steps.values():
        worked, p90 = evidence.worked(step), estimate_of(step.step).p90
        if step.status is Status.DONE and worked and worked > max(p90 * _SLACK, p90 + timedelta(seconds=1)):
            slow.setdefault(step.step.spec.kind, []).append((step, worked, worked - p90))
    for kind, group in slow.items():
        cost = max(over for _, _, over in group)
        remedy = "put the estimate right, or find out what kept it"
        if len(group) > _MOST_TOLD:
            names = named(step.step.id for step, _, _ in group)
            message = f"{len(group):,} steps of kind {kind} took longer than their P90: {names}"
            yield Improvement(code="slow-step", subject=kind, message=message, remedy=remedy, cost=cost)
            continue
        for step, worked, over in group:
            tries = f", with {step.attempt:,} tries" if step.attempt > 1 else ""
            message = (
                f"{step.step.id} took {rough(worked)}{tries}; nine of ten were to take at most "
                f"{rough(worked - over)}"
            )
            name = step.step.id
            yield Improvement(code="slow-step", subject=name, message=message, remedy=remedy, cost=over)


def waits_for_people(evidence: Evidence) -> Iterator[Improvement]:
    """Gates at which the run stood for a minute or more, and those that nobody answered."""
    for gate in evidence.gates:
        if gate.answer.startswith("expired"):
            yield Improvement(
                code="nobody-answered",
                subject=gate.gate,
                message=f"nobody answered {gate.gate} within {rough(gate.waited)}; it {gate.answer}",
                remedy="have it escalate to people who are awake, or plan without it",
                cost=gate.waited,
            )
        elif gate.waited is not None and gate.waited >= _LONG_WAIT:
            yield Improvement(
                code="waited-for-people",
                subject=gate.gate,
                message=f"the run waited {rough(gate.waited)} at {gate.gate} until it was {gate.answer} "
                f"by {named(gate.by)}",
                remedy=_sooner(evidence.state, gate),
                cost=gate.waited,
            )


def _sooner(state: RunState, gate: GateReport) -> str:
    if gate.gate.startswith("again:"):
        return "a step that may run twice, or that can look what it did, needs no answer: see if_interrupted"
    if gate.gate in state.overrides:
        return "decide beforehand who may sign this, and how they are called"
    if gate.escalated_at:
        return "it was escalated: do so sooner, or approve it as soon as the run has begun"
    return "approve it as soon as the run has begun, or have the gate escalate (escalate_after)"


def retries(evidence: Evidence) -> Iterator[Improvement]:
    """Steps that needed more than one try; many that met the same are said once."""
    alike: dict[str, list[str]] = {}
    for name, tries in evidence.retried.items():
        alike.setdefault(tries[-1].reason, []).append(name)
    for reason, names in alike.items():
        count = sum(len(evidence.retried[name]) for name in names)
        lost = [_lost(evidence.state.steps[name], evidence.retried[name]) for name in names]
        yield Improvement(
            code="retries",
            subject=names[0] if len(names) == 1 else f"{len(names):,} steps",
            message=f"{named(names)}: {count:,} {'try' if count == 1 else 'tries'} did not work: {reason}",
            remedy="find out whether it can be had at the first try",
            cost=max(lost),
        )


def _lost(step: StepState, tries: Sequence[AttemptRetried]) -> timedelta:
    """From the first try of a step to when the one after the last that did not work could begin."""
    return _ZERO if step.started_at is None else max(_ZERO, tries[-1].not_before - step.started_at)


def interruptions(evidence: Evidence) -> Iterator[Improvement]:
    """Controllers that were gone while there was something to do."""
    events = evidence.events
    pairs = [
        (events[n - 1], e) for n, e in enumerate(events) if isinstance(e, LeaseTaken) and e.term > 1 and n
    ]
    cut = [event for event in events if isinstance(event, AttemptInterrupted)]
    cut_at = {event.at for event in cut}
    gaps = [now.at - before.at for before, now in pairs if now.at in cut_at or not _waited(evidence, before)]
    if gaps:
        times = "once" if len(gaps) == 1 else f"{len(gaps):,} times"
        tries = f"; cut off: {named(dict.fromkeys(event.step for event in cut))}" if cut else ""
        gone = sum(gaps, _ZERO)
        yield Improvement(
            code="controller-gone",
            subject="controller",
            message=f"another controller had to take the run up {times}; nothing was recorded for "
            f"{rough(gone)}{tries}",
            remedy="drive runs from a machine that stands apart from the sites, with another one ready",
            cost=gone,
        )


def _waited(evidence: Evidence, last: Event) -> bool:
    """Whether the run waited for people after an event, so that a controller was free to leave it."""
    open_then = (
        gate.reached_at <= last.at and (gate.answered_at is None or gate.answered_at >= last.at)
        for gate in evidence.gates
    )
    return isinstance(last, (RunStuck, RunPaused)) or any(open_then)


def stuck(evidence: Evidence) -> Iterator[Improvement]:
    """Steps that failed for good, and those that people answered for."""
    for name, step in evidence.state.steps.items():
        if step.status is Status.FAILED:
            remedy = step.remedy or "mend it, and rehearse this step"
            message = f"{name} failed: {step.reason}"
            yield Improvement(code="failed-step", subject=name, message=message, remedy=remedy)
        elif step.status is Status.SKIPPED:
            yield Improvement(
                code="skipped-step",
                subject=name,
                message=f"{name} was {step.reason}",
                remedy="nothing has shown that it holds: look, and find out why the step could not",
            )


def let_go(evidence: Evidence) -> Iterator[Improvement]:
    """Stragglers that the run did not wait for."""
    names = [name for name, step in evidence.state.steps.items() if step.status is Status.LET_GO]
    if names and evidence.state.aborted is None:
        count = f"{len(names):,} step{'s' if len(names) > 1 else ''}"
        yield Improvement(
            code="stragglers",
            subject=count,
            message=f"{count} came too late to count: {named(names)}",
            remedy="what they were for is not there: look at each before it is relied on",
        )


def silent_machines(evidence: Evidence) -> Iterator[Improvement]:
    """Name servers and stores that did not answer, and still have the old side's word when they come back."""
    for name, step in evidence.state.steps.items():
        facts = step.facts or {}
        kind = step.step.spec.kind
        if kind == "traffic.swap-name" and facts.get("unreachable"):
            servers = named(str(server) for server in facts["unreachable"])
            yield Improvement(
                code="name-server-dead",
                subject=name,
                message=f"{servers} did not take the new address, and will give the old one when it is back",
                remedy="keep it off until its zone is right; have enough name servers outside of the site",
            )
        elif kind == "vault.fence-store" and facts.get("epoch") == 0:
            yield Improvement(
                code="store-not-fenced",
                subject=name,
                message=f"{name}: the store did not answer, and does not know of the new epoch",
                remedy="what is sealed there from now on is of no lineage: fence it as soon as it answers",
            )


def refused(evidence: Evidence) -> Iterator[Improvement]:
    """People who were told no, in the middle of it."""
    whys: dict[str, list[str]] = {}
    for refusal in evidence.state.refusals:
        whys.setdefault(refusal.why, []).append(refusal.identity)
    for why, who in whys.items():
        yield Improvement(
            code="refused-request",
            subject=who[0],
            message=f"{named(dict.fromkeys(who))} asked in vain: {why}",
            remedy="put right who may do what, and how it is done, before the next time",
        )


def uncovered_record(evidence: Evidence) -> Iterator[Improvement]:
    """A record whose end the witness cannot vouch for."""
    if evidence.anchor_trouble:
        yield Improvement(
            code="anchor-missing",
            subject=evidence.state.run,
            message=f"the end of this record is not proven by the witness: {evidence.anchor_trouble}",
            remedy="keep a copy of the journal now; relight audit verify says what is covered",
        )


RULES: tuple[Rule, ...] = (
    late_workloads,
    lost_work,
    passed_over_points,
    slow_steps,
    waits_for_people,
    retries,
    interruptions,
    stuck,
    let_go,
    silent_machines,
    refused,
    uncovered_record,
)
"""Every rule."""


def _costliest(path: Sequence[CriticalStep]) -> str:
    """What took the most on a way: work, people and room apart."""
    parts = [
        (cost, told.format(step=step.step))
        for step in path
        for cost, told in (
            (step.worked, "{step}"),
            (step.waited_for_people, "people at {step}"),
            (step.waited_for_room, "no room for {step}"),
        )
        if cost > _ZERO
    ]
    parts.sort(key=lambda part: -part[0])
    return ", ".join(f"{told} {rough(cost)}" for cost, told in parts[:_COSTLIEST])
