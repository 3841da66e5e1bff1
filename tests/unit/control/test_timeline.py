"""The timeline: no kind of event is without a sentence, and people's waits are measured."""

from __future__ import annotations

import typing
from datetime import timedelta
from typing import Any

import pytest

from relight.control import GateReport
from relight.control.timeline import SAYINGS, gates_of, timeline_of
from relight.engine import (
    ApprovalGiven,
    AttemptFailed,
    AttemptProgressed,
    AttemptStarted,
    Event,
    GateEscalated,
    GateExpired,
    GateReached,
    GateRefused,
    LeaseTaken,
    RequestRefused,
    RetryAsked,
)
from relight.plan import Finding, Gate, Progress, Step
from rig.histories import BEGAN, History, second
from rig.kinds import Behave, plan_of

EVENTS = typing.get_args(Event)


def example(kind: type[Any]) -> Any:
    """An event of a type with something in every field."""
    values: dict[str, Any] = {"at": BEGAN}
    for name, field in kind.model_fields.items():
        if name in ("at", "type"):
            continue
        values[name] = _value(field.annotation, name)
    return kind.model_validate(values)


def _value(annotation: Any, name: str) -> Any:
    if annotation is Progress:
        return Progress(note="half way")
    if typing.get_origin(annotation) is typing.Literal:
        return typing.get_args(annotation)[0]
    by_type = {int: 2, bool: True, str: f"the-{name}"}
    if annotation in by_type:
        return by_type[annotation]
    if typing.get_origin(annotation) is tuple:
        return (f"some-{name}",)
    return {} if typing.get_origin(annotation) is dict else BEGAN


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_every_kind_of_event_has_a_sentence(kind: type[Any]) -> None:
    event = example(kind)
    saying = SAYINGS[event.type]
    told = saying.sentence(event)
    for field in ("step", "gate", "identity", "reason", "why", "group", "holder"):
        if hasattr(event, field):
            assert f"the-{field}" in told, f"{field} is not told"
    entries = timeline_of([event])
    assert [entry.text for entry in entries] == ([] if saying.about == "progress" else [told])


def test_no_sentence_is_for_an_event_that_there_is_not() -> None:
    assert set(SAYINGS) == {kind.model_fields["type"].default for kind in EVENTS}


def test_an_event_of_a_later_version_is_told_by_its_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(typing.cast("dict[str, Any]", SAYINGS), "lease-taken")
    (entry,) = timeline_of([LeaseTaken(at=BEGAN, term=2, holder="h")])
    assert entry.text == "lease taken: term 2, holder h"


def test_an_answer_says_how_long_its_gate_had_waited() -> None:
    history = gated().add(GateReached, 10, gate="a", question="go?", identities=2)
    history.approved("a", 70, "ann").approved("a", 100, "bob")
    waits = [entry.waited for entry in history.report.timeline if entry.type == "approval-given"]
    assert waits == [timedelta(seconds=60), timedelta(seconds=90)]


def test_progress_is_left_out() -> None:
    progress = AttemptProgressed(at=BEGAN, step="a", attempt=1, progress=Progress(note="x"))
    assert timeline_of([progress]) == ()


def test_what_people_did_bears_their_names() -> None:
    refused = RequestRefused(at=BEGAN, identity="mallory", request="approve a", why="nobody knows her")
    (entry,) = timeline_of([refused])
    assert (entry.who, entry.about) == ("mallory", "people")


# Gates


def gated(identities: int = 2) -> History:
    gate = Gate(question="go?", identities=identities)
    return History(plan_of(Step(id="a", title="a", spec=Behave(), gate=gate)))


def asked(history: History) -> tuple[GateReport, ...]:
    return gates_of(history.events)


def test_a_gate_is_answered_when_the_last_of_the_people_approved() -> None:
    history = gated().add(GateReached, 10, gate="a", question="go?", identities=2)
    history.approved("a", 20, "ann").approved("a", 25, "ann")
    (gate,) = asked(history)
    assert (gate.answer, gate.waited, gate.by) == ("open", None, ("ann",))
    (gate,) = asked(history.approved("a", 40, "bob"))
    assert (gate.answer, gate.waited, gate.by) == ("approved", timedelta(seconds=30), ("ann", "bob"))


def test_one_key_is_one_person() -> None:
    history = gated().add(GateReached, 0, gate="a", question="go?", identities=2)
    for who in ("ann", "bob"):
        history.add(
            ApprovalGiven, 5, gate="a", identity=who, reason="", digest=history.plan.digest, key="SHA256:k"
        )
    assert asked(history)[0].answer == "open"


def test_an_approval_of_another_plan_answers_nothing() -> None:
    history = gated(1).add(GateReached, 0, gate="a", question="go?", identities=1)
    history.add(ApprovalGiven, 5, gate="a", identity="ann", reason="", digest="sha256:0")
    assert asked(history)[0].answer == "open"


def test_approvals_from_before_a_gate_was_reached_count() -> None:
    history = gated().approved("a", 5, "ann").add(GateReached, 10, gate="a", question="go?", identities=2)
    (gate,) = asked(history.approved("a", 12, "bob"))
    assert (gate.answer, gate.waited) == ("approved", timedelta(seconds=2))


def test_a_gate_that_nobody_answers_expires_after_it_escalated() -> None:
    history = gated().add(GateReached, 0, gate="a", question="go?", identities=2)
    history.add(GateEscalated, 60, gate="a", to=("cto",)).add(GateExpired, 120, gate="a", fallback="approve")
    (gate,) = asked(history)
    assert (gate.answer, gate.escalated_at, gate.by) == ("expired, so approved", second(60), ())


def test_what_was_refused_and_is_asked_again_is_a_new_question() -> None:
    history = gated(1).add(GateReached, 0, gate="a", question="go?", identities=1)
    history.add(GateRefused, 10, gate="a", identity="ann", reason="no", digest=history.plan.digest)
    history.add(RetryAsked, 50, step="a", identity="bob", reason="look again").approved("a", 55, "ann")
    assert [(g.answer, g.waited) for g in asked(history)] == [
        ("refused", timedelta(seconds=10)),
        ("approved", timedelta(seconds=5)),
    ]


def test_a_question_that_comes_twice_is_told_twice() -> None:
    history = gated(1)
    for at in (10, 100):
        history.events.append(GateReached(at=second(at), gate="again:a", question="again?", identities=1))
        history.approved("again:a", at + 7, "ann")
    assert [gate.waited for gate in asked(history)] == [timedelta(seconds=7)] * 2


def test_an_override_is_a_gate_too() -> None:
    finding = Finding(strength="override", code="x", subject="s", message="sure?")
    history = History(plan_of(Step(id="a", title="a", spec=Behave()), findings=(finding,)))
    history.add(GateReached, 0, gate=finding.gate, question="sure?", identities=1)
    history.approved(finding.gate, 90, "ann").add(AttemptStarted, 91, step="a", attempt=1)
    history.add(AttemptFailed, 92, step="a", attempt=1, reason="no")
    assert history.report.gates[0].waited == timedelta(seconds=90)
