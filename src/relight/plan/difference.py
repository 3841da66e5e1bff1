"""What is different between two plans, as data: what people must read before they sign again.

Compared is the JSON that plans are stored as, to each field of each step; only the order of claims, findings
and expectations means nothing. `compare` of a plan with itself is empty, and with its arguments swapped it
says the same the other way round. It costs what encoding both plans costs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from pydantic import JsonValue

from relight.canonical import Frozen, canonical_json
from relight.plan.document import Plan, Step
from relight.plan.findings import Finding
from relight.units import format_duration

_HEADING = ("version", "runbook", "source", "goal", "estate", "inputs", "when_stuck", "observed_at")
_DEFAULTS: dict[str, JsonValue] = {
    "timeout": format_duration(Step.model_fields["timeout"].default),
    "retry": Step.model_fields["retry"].default.model_dump(mode="json"),
}


class FieldChange(Frozen):
    """One value that is different, by its dotted path; `old` means nothing where it was added, and so on."""

    field: str
    change: Literal["added", "removed", "changed"]
    old: JsonValue = None
    new: JsonValue = None


class StepNamed(Frozen):
    """A step that only one of the plans has."""

    step: str
    title: str
    kind: str


class StepChange(Frozen):
    """A step that both plans have, and that is not the same; `title` is the new one."""

    step: str
    title: str
    fields: tuple[FieldChange, ...]


class StepMoved(Frozen):
    """A step that stands elsewhere in the plan: behind which step before and now; None: it is the first."""

    step: str
    old: str | None
    new: str | None


class FindingChange(Frozen):
    """A finding that appeared (`old` is None), has gone (`new` is None), or says something else."""

    old: Finding | None
    new: Finding | None


class PlanDifference(Frozen):
    """All that is different. `digest` is what approvals are given for: if it changes, they do not count."""

    old_digest: str
    new_digest: str
    heading: tuple[FieldChange, ...] = ()
    findings: tuple[FindingChange, ...] = ()
    steps_added: tuple[StepNamed, ...] = ()
    steps_removed: tuple[StepNamed, ...] = ()
    steps_changed: tuple[StepChange, ...] = ()
    steps_moved: tuple[StepMoved, ...] = ()
    claims_added: tuple[str, ...] = ()
    claims_removed: tuple[str, ...] = ()
    lanes: tuple[FieldChange, ...] = ()
    windows: tuple[FieldChange, ...] = ()
    expectations: tuple[FieldChange, ...] = ()
    forecast: tuple[FieldChange, ...] = ()

    @property
    def approvals_hold(self) -> bool:
        """Whether what was approved of the old plan is approved of the new one: it means the same."""
        return self.old_digest == self.new_digest

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is different."""
        return self == PlanDifference(old_digest=self.old_digest, new_digest=self.old_digest)


def compare(old: Plan, new: Plan) -> PlanDifference:
    """Everything that is different in `new`."""
    was, now = old.model_dump(mode="json"), new.model_dump(mode="json")
    old_steps, new_steps = _by_id(was["steps"]), _by_id(now["steps"])
    changed = (
        StepChange(step=name, title=new.by_id[name].title, fields=tuple(fields))
        for name in new_steps
        if name in old_steps and (fields := list(_changes("", old_steps[name], new_steps[name])))
    )
    old_claims, new_claims = Counter(old.claims), Counter(new.claims)
    heading = [change for field in _HEADING for change in _changes(field, was[field], now[field])]
    return PlanDifference(
        old_digest=old.digest,
        new_digest=new.digest,
        heading=tuple(heading),
        findings=tuple(_finding_changes(old.findings, new.findings)),
        steps_added=tuple(_named(new, name) for name in new_steps if name not in old_steps),
        steps_removed=tuple(_named(old, name) for name in old_steps if name not in new_steps),
        steps_changed=tuple(changed),
        steps_moved=tuple(_moves(list(old_steps), list(new_steps))),
        claims_added=tuple((new_claims - old_claims).elements()),
        claims_removed=tuple((old_claims - new_claims).elements()),
        lanes=tuple(_changes("", was["lanes"], now["lanes"])),
        windows=tuple(_changes("", was["windows"], now["windows"])),
        expectations=tuple(_changes("", _numbered(was["expectations"]), _numbered(now["expectations"]))),
        forecast=tuple(_changes("forecast", was["forecast"], now["forecast"])),
    )


def _by_id(steps: Iterable[Mapping[str, JsonValue]]) -> dict[str, JsonValue]:
    # A plan leaves defaults out; what was the default and is not any more has an old value all the same.
    return {str(step["id"]): {**_DEFAULTS, **step} for step in steps}


def _numbered(expectations: Iterable[Mapping[str, JsonValue]]) -> dict[str, JsonValue]:
    """Expectations by their workload; further ones of the same workload by a number too."""
    found: dict[str, JsonValue] = {}
    seen: Counter[str] = Counter()
    for expectation in expectations:
        name = str(expectation["workload"])
        seen[name] += 1
        found[name if seen[name] == 1 else f"{name} ({seen[name]})"] = dict(expectation)
    return found


def _changes(path: str, old: JsonValue, new: JsonValue) -> Iterator[FieldChange]:
    """The differences of two JSON values, down to what is not an object."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        # By the canonical form, as for the digest: 1, 1.0 and true are three values.
        if old != new or canonical_json(old) != canonical_json(new):
            yield FieldChange(field=path, change="changed", old=old, new=new)
        return
    # In an order that is the same with both swapped.
    for name in sorted({*old, *new}):
        inner = f"{path}.{name}" if path else name
        if name not in new:
            yield FieldChange(field=inner, change="removed", old=old[name])
        elif name not in old:
            yield FieldChange(field=inner, change="added", new=new[name])
        else:
            yield from _changes(inner, old[name], new[name])


def _named(plan: Plan, name: str) -> StepNamed:
    step = plan.by_id[name]
    return StepNamed(step=name, title=step.title, kind=step.spec.kind)


def _finding_changes(old: tuple[Finding, ...], new: tuple[Finding, ...]) -> Iterator[FindingChange]:
    """Findings are the same by code and subject; of several with the same, equal ones meet first."""
    left, right = _grouped(old), _grouped(new)
    for key in dict.fromkeys([*right, *left]):
        before, after = _without_equals(left.get(key, []), right.get(key, []))
        for number in range(max(len(before), len(after))):
            yield FindingChange(
                old=before[number] if number < len(before) else None,
                new=after[number] if number < len(after) else None,
            )


def _grouped(findings: Iterable[Finding]) -> dict[tuple[str, str], list[Finding]]:
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.code, finding.subject), []).append(finding)
    return groups


def _without_equals(old: list[Finding], new: list[Finding]) -> tuple[list[Finding], list[Finding]]:
    """What is left of both when each that is in both is taken out, in the order that it had."""
    common = Counter(old) & Counter(new)
    return _without(old, common), _without(new, common)


def _without(findings: list[Finding], taken: Counter[Finding]) -> list[Finding]:
    left = Counter(taken)
    kept = []
    for finding in findings:
        if left[finding]:
            left[finding] -= 1
        else:
            kept.append(finding)
    return kept


def _moves(old: list[str], new: list[str]) -> Iterator[StepMoved]:
    """The fewest steps whose move makes one order of the common steps out of the other."""
    in_new, in_old = set(new), set(old)
    was, now = [name for name in old if name in in_new], [name for name in new if name in in_old]
    if was == now:
        return
    # There may be several smallest sets: always taken from the same side, so that swapping changes nothing.
    first, second = sorted((was, now))
    place = {name: number for number, name in enumerate(first)}
    stay = {first[number] for number in _longest_rise([place[name] for name in second])}
    behind_was, behind_now = _behind(was), _behind(now)
    for name in now:
        if name not in stay:
            yield StepMoved(step=name, old=behind_was[name], new=behind_now[name])


def _behind(names: list[str]) -> dict[str, str | None]:
    return {name: names[number - 1] if number else None for number, name in enumerate(names)}


def _longest_rise(numbers: list[int]) -> list[int]:
    """A longest increasing subsequence, in n log n (patience sorting)."""
    tops: list[int] = []  # the smallest last number of a rise of each length
    at: list[int] = []  # where that number stands
    back: list[int | None] = []
    for position, number in enumerate(numbers):
        length = bisect_left(tops, number)
        back.append(at[length - 1] if length else None)
        tops[length : length + 1] = [number]
        at[length : length + 1] = [position]
    rise: list[int] = []
    here = at[-1] if at else None
    while here is not None:
        rise.append(numbers[here])
        here = back[here]
    return rise[::-1]
