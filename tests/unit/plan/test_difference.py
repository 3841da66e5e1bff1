"""What is different between two plans: everything that is, the same from either side, and readable."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relight.generic import Http, Shell, Wait
from relight.plan import (
    FieldChange,
    Finding,
    Gate,
    Irreversible,
    Plan,
    PlanDifference,
    RetryPolicy,
    Step,
    Window,
    compare,
    difference_markdown,
    difference_text,
)
from rig.plans import NOW, a_plan, a_step, a_wait, seconds, steps


def mirrored(d: PlanDifference) -> PlanDifference:
    """The same difference, told from the other side; what is listed by plan order is sorted."""
    back = {"added": "removed", "removed": "added", "changed": "changed"}

    def turn(changes: tuple[FieldChange, ...]) -> tuple[FieldChange, ...]:
        return tuple(
            c.model_copy(update={"change": back[c.change], "old": c.new, "new": c.old}) for c in changes
        )

    return PlanDifference(
        old_digest=d.new_digest,
        new_digest=d.old_digest,
        heading=turn(d.heading),
        findings=tuple(f.model_copy(update={"old": f.new, "new": f.old}) for f in d.findings),
        steps_added=d.steps_removed,
        steps_removed=d.steps_added,
        steps_changed=tuple(s.model_copy(update={"fields": turn(s.fields)}) for s in d.steps_changed),
        steps_moved=tuple(m.model_copy(update={"old": m.new, "new": m.old}) for m in d.steps_moved),
        claims_added=d.claims_removed,
        claims_removed=d.claims_added,
        lanes=turn(d.lanes),
        windows=turn(d.windows),
        expectations=turn(d.expectations),
        forecast=turn(d.forecast),
    )


def unordered(d: PlanDifference) -> dict[str, Any]:
    dumped = d.model_dump(mode="json")
    for change in dumped["steps_changed"]:
        change.pop("title")  # it is the newer one's
    return {k: sorted(map(repr, v)) if isinstance(v, list) else v for k, v in dumped.items()}


# Plans that differ in anything

names = st.sampled_from(["a", "b", "c", "d", "e", "f"])
specs = st.one_of(
    st.builds(Wait, duration=st.sampled_from([timedelta(seconds=1), timedelta(seconds=2)])),
    st.builds(
        Shell, command=st.tuples(st.sampled_from(["x", "y"])), environment=st.sampled_from([{}, {"A": "1"}])
    ),
    st.builds(Http, method=st.just("GET"), url=st.sampled_from(["http://127.0.0.1/a", "http://127.0.0.1/b"])),
)
gates = st.none() | st.builds(
    Gate, question=st.sampled_from(["?", "??"]), expire_after=st.none() | st.just(timedelta(hours=1))
)
some_steps = st.builds(
    Step,
    id=names,
    title=st.sampled_from(["one", "two"]),
    spec=specs,
    after=st.lists(names, unique=True, max_size=2).map(tuple),
    undo=st.none() | specs | st.just(Irreversible("gone")),
    lane=st.none() | st.just("wan"),
    timeout=st.sampled_from([timedelta(minutes=10), timedelta(minutes=1)]),
    retry=st.sampled_from([RetryPolicy(), RetryPolicy(attempts=1)]),
    gate=gates,
    estimate=st.none() | st.just(seconds(1, 2)),
)
some_findings = st.builds(
    Finding,
    strength=st.sampled_from(["note", "warning", "override", "block"]),
    code=st.sampled_from(["x", "y"]),
    subject=st.sampled_from(["s", "t"]),
    message=st.sampled_from(["m", "n"]),
)
plans = st.builds(
    a_plan,
    goal=st.sampled_from(["here", "there"]),
    inputs=st.sampled_from([{}, {"site": "north"}, {"site": "south", "x": "1"}]),
    steps=st.lists(some_steps, unique_by=lambda step: step.id, max_size=5).map(tuple),
    claims=st.lists(st.sampled_from(["site:a", "site:b"]), max_size=3).map(tuple),
    lanes=st.sampled_from([{}, {"wan": 1}, {"wan": 2, "x": 1}]),
    windows=st.sampled_from([{}, {"hall": Window(size=4)}, {"hall": Window(size=4, canaries=1)}]),
    when_stuck=st.sampled_from(["ask", "end"]),
    findings=st.lists(some_findings, max_size=4).map(tuple),
    expectations=st.sampled_from([(), a_plan().expectations]),
    forecast=st.none() | st.just(seconds(1, 2)),
    observed_at=st.sampled_from([NOW, NOW + timedelta(seconds=1)]),
)


def whole(plan: Plan) -> dict[str, Any]:
    """All that a plan says, without the orders that mean nothing."""
    dumped = plan.model_dump(mode="json")
    for field in ("claims", "findings", "expectations"):
        dumped[field] = sorted(map(repr, dumped[field]))
    return dumped


@settings(max_examples=200, deadline=None)
@given(plans)
def test_a_plan_does_not_differ_from_itself(plan: Plan) -> None:
    difference = compare(plan, plan)
    assert difference.is_empty
    assert difference.approvals_hold
    assert "say the same" in difference_text(difference)


@settings(max_examples=400, deadline=None)
@given(plans, plans)
def test_nothing_that_changed_is_missing_and_swapping_turns_it_round(old: Plan, new: Plan) -> None:
    difference = compare(old, new)
    assert difference.is_empty == (whole(old) == whole(new))
    assert difference.approvals_hold == (old.digest == new.digest)
    assert unordered(mirrored(difference)) == unordered(compare(new, old))
    assert difference_text(difference)
    assert difference_markdown(difference)


@settings(max_examples=100, deadline=None)
@given(st.permutations(list(range(9))))
def test_as_few_steps_as_possible_have_moved(order: list[int]) -> None:
    old = a_plan(steps=tuple(a_wait(f"s{n}") for n in range(9)), expectations=())
    new = a_plan(steps=tuple(a_wait(f"s{n}") for n in order), expectations=())
    moved = {move.step for move in compare(old, new).steps_moved}
    stay = [n for n in order if f"s{n}" not in moved]
    assert stay == sorted(stay)
    longest = max(
        len([n for bit, n in enumerate(order) if mask >> bit & 1])
        for mask in range(1 << 9)
        if (kept := [n for bit, n in enumerate(order) if mask >> bit & 1]) == sorted(kept)
    )
    assert len(stay) == longest


def changed(name: str, **fields: Any) -> Plan:
    """The usual plan with one step changed."""
    return a_plan(steps=tuple(s.model_copy(update=fields) if s.id == name else s for s in steps()))


@pytest.mark.parametrize(
    ("new", "told"),
    [
        (a_plan(goal="all is lost"), '~ goal "the work of north goes on at south" → "all is lost"'),
        (a_plan(inputs={"site": "north", "why": "x"}), "+ inputs.why x"),
        (a_plan(claims=("site:north",)), "- workload:digits"),
        (a_plan(lanes={"wan": 2}), "~ wan 1 → 2"),
        (a_plan(windows={"hall": Window(size=4)}), "+ hall {"),
        (a_plan(when_stuck="end"), "~ when_stuck ask → end"),
        (a_plan(forecast=seconds(100, 500)), "~ forecast.p90 3m20s → 8m20s"),
        (a_plan(steps=(*steps(), a_wait("more", "note"))), "+ more  do more (wait)"),
        (a_plan(steps=steps()[:-1]), "- settle  do settle (wait)"),
        (changed("restore", timeout=timedelta(hours=1)), "timeout 4h → 1h"),
        (changed("note", timeout=timedelta(hours=1)), "timeout 10m → 1h"),
        (changed("page", undo=None), 'no more undo {"irreversible": "it is said"}'),
        (changed("fence", after=("call", "note")), "after with note"),
        (changed("start", after=("restore", "fence")), "after in another order"),
        (changed("call", gate=None), "no more gate"),
        (changed("restore", lane="lan"), "lane wan → lan"),
        (changed("note", spec=Shell(command=("sh", "-c", "echo light >> log"))), "→"),
        (a_plan(findings=()), "- override, 2 must sign: not-lost north: east still sees north up"),
    ],
)
def test_every_change_is_told(new: Plan, told: str) -> None:
    assert told in difference_text(compare(a_plan(), new))


def test_a_finding_that_became_graver_says_what_it_was() -> None:
    old = Finding(strength="warning", code="x", subject="s", message="perhaps")
    new = old.model_copy(update={"strength": "override", "message": "surely", "identities": 2})
    text = difference_text(compare(a_plan(findings=(old,)), a_plan(findings=(new,))))
    assert "~ override, 2 must sign: x s: surely (was perhaps; was warning; 1 had to sign)" in text
    assert "Approvals of the old plan do not count" in text


def test_estimates_and_times_leave_approvals_as_they_are() -> None:
    later = a_plan(observed_at=NOW + timedelta(minutes=1), forecast=seconds(1, 2))
    difference = compare(a_plan(), later)
    assert difference.approvals_hold
    assert not difference.is_empty
    assert difference_text(difference).startswith("Approvals hold")


def test_a_change_deep_in_a_long_text_shows_what_changed() -> None:
    def plan(word: str) -> Plan:
        return a_plan(steps=(a_step("a", Shell(command=("sh", "-c", f"{'x ' * 500}{word}{' y' * 500}"))),))

    (line,) = (t for t in difference_text(compare(plan("one"), plan("two"))).splitlines() if "~ a " in t)
    assert "one" in line
    assert "two" in line
    assert len(line) < 300


def test_a_change_that_a_thousand_steps_have_alike_is_one_line() -> None:
    def plan(minutes: int) -> Plan:
        return a_plan(
            steps=tuple(a_wait(f"n{n}", timeout=timedelta(minutes=minutes)) for n in range(1000)),
            expectations=(),
        )

    lines = difference_text(compare(plan(1), plan(2))).splitlines()
    assert [line for line in lines if "timeout" in line] == [
        "  ~ 1,000 steps: timeout 1m → 2m: n0, n1, n2, n3, n4, n5, n6, n7 and 992 more"
    ]


def test_plans_of_ten_thousand_steps_are_compared() -> None:
    old = a_plan(steps=tuple(a_wait(f"n{n}") for n in range(10_000)), expectations=())
    new = a_plan(steps=tuple(a_wait(f"n{n}") for n in reversed(range(1, 10_001))), expectations=())
    difference = compare(old, new)
    assert len(difference.steps_moved) == 9_998
    assert [step.step for step in difference.steps_added] == ["n10000"]
    assert len(difference_text(difference).splitlines()) < 20


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=20).filter(lambda t: t != "x"))
def test_no_text_of_a_plan_becomes_markup_or_a_line_of_its_own(text: str) -> None:
    def plan(said: str) -> Plan:
        finding = Finding(strength="note", code="x", subject="s", message=said)
        step = Step(id="a", title=said, spec=Shell(command=(said,)), lane=said)
        return a_plan(steps=(step,), goal=said, claims=(said,), lanes={said: 1}, findings=(finding,))

    difference = compare(plan("x"), plan(text))
    for page in (difference_text(difference), difference_markdown(difference)):
        assert len(page.splitlines()) == len(page.split("\n")) - 1
        assert all(c == "\n" or c.isprintable() for c in page)
    for line in difference_markdown(difference).splitlines():
        if line.startswith("- `"):
            assert not set("`*_[]<>#|") & set(re.sub(r"\\.", "", line[5:]))
