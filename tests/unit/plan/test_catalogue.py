"""A plan that is read is whole and could run, or it is refused with every reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relight.errors import InvalidFile
from relight.fence import RaiseEpoch
from relight.plan import Gather, Plan, Ref, Step
from relight.vault import Rehydrate
from relight.workload import Start
from rig.plans import CATALOGUE, a_plan, a_wait

GOOD: dict[str, Any] = json.loads(CATALOGUE.encode(a_plan()))
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def reasons_of(content: bytes) -> list[str]:
    with pytest.raises(InvalidFile) as caught:
        CATALOGUE.decode(content)
    return [str(reason) for reason in caught.value.reasons]


def faults_of(*steps: Step, **fields: Any) -> list[str]:
    plan = a_plan(steps=steps, expectations=(), **fields)
    return [str(reason) for reason in CATALOGUE.faults(plan)]


def test_a_plan_that_was_written_reads_as_the_same_plan() -> None:
    plan = a_plan()
    content = CATALOGUE.encode(plan)
    assert CATALOGUE.decode(content) == plan
    assert CATALOGUE.decode(content).digest == plan.digest
    assert CATALOGUE.encode(CATALOGUE.decode(content)) == content


def test_a_spec_is_written_by_its_own_type() -> None:
    step = next(step for step in GOOD["steps"] if step["id"] == "start")
    assert step["spec"]["kind"] == "workload.start"
    assert step["spec"]["epoch"] == {"fact": "epoch", "ref": "fence"}


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([a_wait("a"), a_wait("a")], "steps.1 (a): two steps are called 'a'"),
        ([a_wait("a", "b")], "steps.0 (a): comes after 'b', which is no step of the plan"),
        ([a_wait("a"), a_wait("b", "a", "a")], "steps.1 (b): names a step twice in `after`"),
        ([a_wait("a"), a_wait("b", "a", at_least=2)], "steps.1 (b): wants 2 of 1 steps"),
        ([a_wait("a", lane="bmc")], "steps.0 (a): runs in lane 'bmc', which the plan does not have"),
    ],
)
def test_a_step_that_could_never_run_is_a_fault(steps: list[Step], told: str) -> None:
    assert told in faults_of(*steps)


def test_steps_that_wait_for_each_other_are_a_fault() -> None:
    assert any("in a circle" in told for told in faults_of(a_wait("a", "b"), a_wait("b", "a")))
    assert any("in a circle" in told for told in faults_of(a_wait("a", "a")))


def test_an_expectation_of_a_step_that_is_not_there_is_a_fault() -> None:
    told = [str(reason) for reason in CATALOGUE.faults(a_plan(steps=(a_wait("a"),), findings=()))]
    assert "expectations.digits: 'start' is no step of the plan" in told


def a_start(*after: str, **spec: Any) -> Step:
    start = Start(site="south", workload="digits", **({"epoch": 1} | spec))
    return Step(id="start", title="start", spec=start, after=after)


FENCE = Step(id="fence", title="fence", spec=RaiseEpoch(workload="digits", above=1, active="south"))
RESTORE = Step(
    id="restore",
    title="restore",
    spec=Rehydrate(workload="digits", store="s", folder="/d", floor="f", max_epoch=1),
)


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (a_start(epoch=Ref("fence", "epoch")), "refers to 'fence', which is not an ancestor"),
        (a_start("fence", epoch=Ref("nobody", "epoch")), "refers to 'nobody', which is not an ancestor"),
        (
            a_start("fence", epoch=Ref("fence", "epok")),
            "'fence' (fence.raise-epoch) has no fact 'epok' (it has epoch)",
        ),
        (a_start("restore", epoch=Ref("restore", "id")), "wants int; restore.id is str"),
        (a_start("fence", epoch=Gather(("fence",), "epoch")), "wants int; fence.epoch is tuple[int, ...]"),
    ],
)
def test_a_reference_that_could_not_be_resolved_is_a_fault(step: Step, told: str) -> None:
    found = faults_of(FENCE, RESTORE, step)
    assert len(found) == 1
    assert told in found[0]


def test_a_reference_to_an_ancestor_further_back_is_none() -> None:
    assert faults_of(FENCE, a_wait("a", "fence"), a_start("a", epoch=Ref("fence", "epoch"))) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\1\2",
        b"\xff\xfe",
        b"{",
        b"null",
        b"[]",
        b'"plan"',
        b"12",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"1" * 5_000,
        b"NaN",
        json.dumps({**GOOD, "steps": [None]}).encode(),
        json.dumps({**GOOD, "steps": [{"id": "a", "title": "a", "spec": {"kind": "nothing"}}]}).encode(),
        json.dumps({**GOOD, "steps": [{"id": "a", "title": "a", "spec": {"kind": ["wait"]}}]}).encode(),
        json.dumps({**GOOD, "steps": [{"id": "a", "title": "a", "spec": {}}]}).encode(),
        json.dumps({**GOOD, "version": 2}).encode(),
        json.dumps({**GOOD, "goal": "\ud800"}).encode(),
    ],
    ids=range(18),
)
def test_what_is_no_plan_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidFile):
        CATALOGUE.decode(content)


def test_all_that_is_wrong_with_a_plan_is_told_at_once() -> None:
    told = reasons_of(
        json.dumps({**GOOD, "goal": 3, "lanes": {"wan": "x"}, "more": 1, "steps": [{}]}).encode()
    )
    assert len(told) >= 6
    assert any(line.startswith("goal: ") for line in told)


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["wait", "shell", "fence", "start", "1s", "2026-03-01T03:00:00Z", "2026-03-01", "\ud800", "\0"]
    ),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["kind", "ref", "fact", "gather", "irreversible", "x"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def check_decoded(content: bytes) -> None:
    try:
        plan = CATALOGUE.decode(content)
    except InvalidFile as error:
        told = str(error)
    else:
        again = CATALOGUE.decode(CATALOGUE.encode(plan))
        assert again.digest == plan.digest
        return
    assert told


@QUICK
@given(st.binary(max_size=100))
def test_arbitrary_bytes_are_refused_in_words(content: bytes) -> None:
    with pytest.raises(InvalidFile):
        CATALOGUE.decode(content)


@QUICK
@given(values)
def test_arbitrary_json_is_refused_in_words(value: Any) -> None:
    with pytest.raises(InvalidFile):
        CATALOGUE.decode(json.dumps(value).encode())


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, inner in below for found in paths_of(inner, (*path, key)))]


def replaced(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    head, *rest = path
    if isinstance(data, dict) and isinstance(head, str):
        return {**data, head: replaced(data.get(head), tuple(rest), value)}
    if isinstance(data, list) and isinstance(head, int) and head < len(data):
        return [*data[:head], replaced(data[head], tuple(rest), value), *data[head + 1 :]]
    return data


@QUICK
@given(st.lists(st.tuples(st.sampled_from(paths_of(GOOD)), values), min_size=1, max_size=2))
def test_a_good_plan_with_other_values_reads_or_is_refused_in_words(changes: list[tuple[Any, Any]]) -> None:
    data = GOOD
    for path, value in changes:
        data = replaced(data, path, value)
    check_decoded(json.dumps(data).encode())


@QUICK
@given(st.integers(0, 3000), st.integers(0, 5), st.binary(max_size=3))
def test_a_good_plan_with_bytes_changed_reads_or_is_refused_in_words(
    at: int, removed: int, added: bytes
) -> None:
    content = CATALOGUE.encode(a_plan())
    check_decoded(content[:at] + added + content[at + removed :])


# The digest: what an approval is given for


def test_other_estimates_and_times_of_observation_keep_the_digest() -> None:
    plan = a_plan()
    steps = tuple(step.model_copy(update={"estimate": None}) for step in plan.steps)
    later = plan.observed_at + timedelta(hours=1)
    again = a_plan(steps=steps, observed_at=later, forecast=None, expectations=())
    assert again.digest == plan.digest


def test_other_words_about_the_same_finding_keep_the_digest() -> None:
    plan = a_plan()
    noted, override = plan.findings
    again = a_plan(findings=(override.model_copy(update={"message": "west sees it up"}),))
    assert again.digest == plan.digest
    assert a_plan(findings=(noted, override.model_copy(update={"identities": 3}))).digest != plan.digest
    assert a_plan(findings=(noted,)).digest != plan.digest


CHANGES: dict[str, Callable[[Step], dict[str, Any]]] = {
    "id": lambda step: {"id": step.id + "-2"},
    "title": lambda step: {"title": step.title + "!"},
    "spec": lambda _: {"spec": a_wait("x").spec.model_copy(update={"duration": timedelta(days=1)})},
    "after": lambda step: {"after": (*step.after, "more")},
    "at_least": lambda step: {"at_least": (step.at_least or 0) + 1},
    "lane": lambda step: {"lane": f"{step.lane}-2"},
    "timeout": lambda step: {"timeout": step.timeout + timedelta(seconds=1)},
    "retry": lambda step: {"retry": step.retry.model_copy(update={"attempts": 7})},
    "gate": lambda _: {"gate": {"question": "sure?", "identities": 5}},
}


@pytest.mark.parametrize("field", CHANGES)
@pytest.mark.parametrize("index", range(len(GOOD["steps"])))
def test_any_changed_step_changes_the_digest(field: str, index: int) -> None:
    plan = a_plan()
    step = plan.steps[index]
    update = CHANGES[field](step)
    changed = Step.model_validate({**{n: getattr(step, n) for n in Step.model_fields}, **update})
    again = a_plan(steps=(*plan.steps[:index], changed, *plan.steps[index + 1 :]))
    assert again.digest != plan.digest


@pytest.mark.parametrize(
    "change",
    [
        {"goal": "another"},
        {"runbook": "another"},
        {"estate": "another"},
        {"inputs": {"site": "south"}},
        {"claims": ("site:north",)},
        {"lanes": {"wan": 2}},
        {"steps": ()},
    ],
)
def test_another_goal_or_another_claim_changes_the_digest(change: dict[str, Any]) -> None:
    assert a_plan(**change).digest != a_plan().digest


def test_the_digest_is_of_the_plan_and_not_of_how_it_was_made() -> None:
    plan = a_plan()
    decoded = CATALOGUE.decode(CATALOGUE.encode(plan))
    assert isinstance(decoded, Plan)
    assert decoded.digest == plan.digest
    assert a_plan(claims=tuple(reversed(plan.claims))).digest == plan.digest
