"""Random plans, random outcomes, kills and requests in any order: no state on the way is unsafe.

The machine keeps the events, as a journal would, and a model that knows only what the rules say. Whatever it
does, the fold of the events must agree with the state that grew with them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from relight.engine import (
    SETTLED,
    SUCCEEDED,
    AttemptInterrupted,
    AttemptStarted,
    Event,
    Request,
    RunStarted,
    RunState,
    Status,
    begin,
    decide,
    fold,
    recorded,
)
from relight.engine.requests import answer
from relight.plan import (
    Done,
    Failed,
    Finding,
    Gate,
    Irreversible,
    Outcome,
    Plan,
    Retry,
    RetryPolicy,
    Step,
    Window,
)
from rig.kinds import CATALOGUE, Behave, Note, plan_of

START = datetime(2026, 1, 1, tzinfo=UTC)
PEOPLE = ("ann", "bob", "cem")
OUTCOMES: list[Outcome] = [Done(), Done(), Done(), Retry("again"), Failed("no")]
NOTE = Note(path="/nowhere")


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    steps = []
    for i in range(draw(st.integers(1, 9))):
        after = sorted(draw(st.sets(st.integers(0, i - 1), max_size=3))) if i else []
        windowed = draw(st.booleans())
        steps.append(
            Step(
                id=f"s{i}",
                title="",
                spec=Behave() if draw(st.booleans()) else NOTE,
                after=tuple(f"s{n}" for n in after),
                at_least=draw(st.none() | st.integers(1, len(after))) if after else None,
                lane=draw(st.sampled_from([None, "l"])),
                window="w" if windowed else None,
                group=draw(st.sampled_from(["a", "b", "c"])) if windowed else None,
                undo=draw(st.sampled_from([None, NOTE, Irreversible("it is gone")])),
                gate=draw(
                    st.sampled_from(
                        [
                            None,
                            None,
                            Gate(question="?"),
                            Gate(question="?", identities=2, expire_after=timedelta(minutes=5)),
                            Gate(
                                question="?",
                                escalate_after=timedelta(minutes=1),
                                escalate_to=("cem",),
                                expire_after=timedelta(minutes=5),
                                fallback="approve",
                            ),
                        ]
                    )
                ),
                timeout=timedelta(minutes=10),
                retry=RetryPolicy(attempts=2, first=timedelta(seconds=5)),
            )
        )
    findings = draw(
        st.sampled_from(
            [(), (Finding(strength="override", code="odd", subject="x", message="?", identities=2),)]
        )
    )
    return plan_of(
        *steps,
        lanes={"l": draw(st.integers(1, 2))},
        windows={"w": Window(size=2, canaries=draw(st.integers(0, 1)), budget=draw(st.integers(0, 1)))},
        findings=findings,
        when_stuck=draw(st.sampled_from(["ask", "end"])),
    )


class Runs(RuleBasedStateMachine):
    state: RunState
    events: list[Event]

    @initialize(plan=plans())
    def submit(self, plan: Plan) -> None:
        assume(not list(CATALOGUE.faults(plan)))
        data = plan.model_dump(mode="json")
        started = RunStarted(at=START, run="r1", by="t", digest=plan.digest, plan=data)
        self.now = START
        self.events = [started]
        self.state = begin(started, CATALOGUE)
        self.settle()

    # What the driver does

    def take(self, event: Event) -> None:
        if isinstance(event, AttemptStarted):
            self.check_start(event.step)
        self.events.append(event)
        self.state.apply(event)

    def settle(self) -> None:
        for _ in range(500):
            self.state.pass_time(self.now)
            events = decide(self.state, self.now, 4 - len(self.state.running))
            if not events:
                return
            for event in events:
                self.take(event)
        raise AssertionError("decide never comes to rest")

    def check_start(self, name: str) -> None:
        state = self.state
        step = state.steps[name]
        done = [b for b in step.step.after if state.steps[b].status in SUCCEEDED]
        assert len(done) >= step.step.needed, "a step started before its join was met"
        assert name not in state.running, "two live attempts"
        assert not state.paused, "something started while the run was paused"
        assert not state.unmet_overrides or state.aborted, "something started before people had signed"
        gate = state.gates.get(name)
        assert gate is None or gate.is_open, "a step started behind a closed gate"
        if state.aborted:
            assert name.startswith("undo."), "something new started after an abort"

    # What happens

    @rule(data=st.data())
    @precondition(lambda self: self.state.running)
    def outcome(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(list(self.state.running)))
        outcome = data.draw(st.sampled_from(OUTCOMES))
        if isinstance(outcome, Done) and self.state.steps[name].step.spec.kind == "rig.note":
            facts = self.state.steps[name].step.spec.facts(value=1)  # type: ignore[call-arg]
            outcome = Done(facts)
        self.take(recorded(outcome, self.state.steps[name], "r1", self.now))
        self.settle()

    @rule(seconds=st.sampled_from([1, 20, 90, 400]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.settle()

    @rule()
    def the_controller_is_killed(self) -> None:
        self.state = fold(self.events, CATALOGUE)
        for name in list(self.state.running):
            step = self.state.steps[name]
            meaning = step.step.spec.interruption
            self.take(AttemptInterrupted(at=self.now, step=name, attempt=step.attempt, meaning=meaning))
        self.settle()

    @rule(
        kind=st.sampled_from(["pause", "continue", "retry", "skip"]),
        who=st.sampled_from(PEOPLE),
        data=st.data(),
    )
    def people_ask(self, kind: str, who: str, data: st.DataObject) -> None:
        step = data.draw(st.sampled_from(list(self.state.steps)))
        self.ask(kind, who, {"step": step, "reason": "because", "facts": json.dumps({"value": 1})})

    @rule(kind=st.sampled_from(["approve", "approve", "refuse"]), who=st.sampled_from(PEOPLE), data=st.data())
    @precondition(lambda self: self.state.gates)
    def people_answer(self, kind: str, who: str, data: st.DataObject) -> None:
        gate = data.draw(st.sampled_from(list(self.state.gates)))
        digest = data.draw(st.sampled_from([self.state.plan.digest] * 4 + ["sha256:other"]))
        self.ask(kind, who, {"gate": gate, "reason": "because", "digest": digest})

    @rule(undo=st.booleans(), sure=st.integers(0, 9))
    def people_abort(self, undo: bool, sure: int) -> None:
        if sure == 0:
            self.ask("abort", "ann", {"reason": "because", "undo": "yes" if undo else "no"})

    def ask(self, kind: str, who: str, body: dict[str, str]) -> None:
        if self.state.ended:
            return
        request = Request(1, "r1", kind, who, body)
        self.take(answer(request, self.state, self.now, CATALOGUE, lambda _r, _s: ""))
        self.settle()

    # What must always hold

    @invariant()
    def lanes_and_windows_are_respected(self) -> None:
        state = self.state
        in_lane = sum(state.steps[name].step.lane == "l" for name in state.running)
        assert in_lane == state.lanes_used["l"] <= state.plan.lanes["l"]
        assert len(state.windows["w"].under_way) <= state.windows["w"].window.size

    @invariant()
    def the_indexes_say_what_the_steps_say(self) -> None:
        assert indexes(self.state) == indexes(fold_with_time(self.events, self.now))
        grown = indexes(self.state)
        self.state._reindex()
        assert indexes(self.state) | {"stuck": grown["stuck"]} == grown
        self.state.stuck = grown["stuck"]

    @invariant()
    def it_has_ended_or_waits_for_a_named_reason(self) -> None:
        state = self.state
        if state.ended:
            assert all(step.status in SETTLED for step in state.steps.values())
            return
        reasons = (state.running, state.wake_at(), state.waiting_gates, state.paused, state.stuck)
        assert any(reasons), "it neither ends nor waits for anything"

    def teardown(self) -> None:
        """Whatever came before, people and luck bring every run to an end."""
        if not hasattr(self, "state"):
            return
        for _ in range(400):
            if self.state.ended:
                return
            self.help()
        raise AssertionError("the run cannot be brought to an end")

    def help(self) -> None:
        state = self.state
        if state.paused:
            self.ask("continue", "ann", {})
        for name, gate in list(state.waiting_gates.items()):
            for who in PEOPLE[: gate.identities]:
                self.ask("approve", who, {"gate": name, "reason": "ok", "digest": state.plan.digest})
        for name in list(state.running):
            if name in state.running:
                facts = state.steps[name].step.spec.facts
                done = Done(facts(value=1)) if "value" in facts.model_fields else Done()  # type: ignore[call-arg]
                self.take(recorded(done, state.steps[name], "r1", self.now))
                self.settle()
        if state.stuck and not state.ended:
            self.ask("abort", "ann", {"reason": "enough"})
        self.now += timedelta(minutes=1)
        self.settle()


def fold_with_time(events: list[Event], now: datetime) -> RunState:
    state = fold(iter(events), CATALOGUE)
    state.pass_time(now)
    return state


def indexes(state: RunState) -> dict[str, Any]:
    def counts() -> Iterator[Any]:
        for name, step in state.steps.items():
            settled = step.status in SETTLED
            waits = step.status is Status.WAITING
            yield name, step.status, step.attempt, step.failures, step.facts
            yield (step.succeeded_before, step.dead_before) if waits else None
            yield None if settled else state.is_needed(name)

    return {
        "steps": list(counts()),
        "needed_open": state.needed_open,
        "ready": {lane: sorted(names) for lane, names in state.ready.items()},
        "running": sorted(state.running),
        "impossible": sorted(state.impossible),
        "failed": sorted(state.failed),
        "stuck": state.stuck,
        "windows": {
            name: (sorted(w.under_way), sorted(w.failed), w.succeeded, sorted(w.waiting), w.allowed_failures)
            for name, w in state.windows.items()
        },
        "gates": {name: (g.is_open, g.refused_by, sorted(g.approvals)) for name, g in state.gates.items()},
    }


Runs.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestRuns = Runs.TestCase
