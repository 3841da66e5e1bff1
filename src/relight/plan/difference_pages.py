"""A difference of two plans as a person reads it: the gravest first, and what is alike said once."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from pydantic import JsonValue

from relight.canonical import canonical_json
from relight.markdown import cell, line, named, plain
from relight.plan.difference import (
    FieldChange,
    FindingChange,
    PlanDifference,
    StepChange,
    StepMoved,
    StepNamed,
)
from relight.plan.findings import Finding

_LONGEST = 200  # characters of one value
_LONG = 60  # characters from which only what is different of two texts is shown, and a little around it
_AROUND = 20
_MOST_MOVED = 20  # told one by one
_BARE = re.compile(r"[A-Za-z/~][\w./:@+~-]*|\d[\w.:+-]*[a-zA-Z]\w*")
_WORDS = ("none", "null", "true", "false")
_SAME = "the plans say the same"


def difference_text(difference: PlanDifference) -> str:
    """The difference for a terminal."""
    lines = [_approvals(difference)]
    for title, body in _sections(difference):
        lines += ["", title, *(f"  {said}" for said in body)]
    return "\n".join(lines) + "\n"


def difference_markdown(difference: PlanDifference) -> str:
    """The difference as a page."""
    lines = ["# What is different", "", line(_approvals(difference))]
    for title, body in _sections(difference):
        lines += ["", f"## {cell(title)}", "", *(f"- {_item(said)}" for said in body)]
    return "\n".join(lines) + "\n"


def _approvals(difference: PlanDifference) -> str:
    if difference.is_empty:
        return f"{_SAME}: {difference.new_digest}"
    if difference.approvals_hold:
        return f"Approvals hold: both plans mean the same, {difference.new_digest}"
    return (
        f"Approvals of the old plan do not count for the new one: {difference.old_digest} "
        f"→ {difference.new_digest}"
    )


def _item(said: str) -> str:
    # The mark in front is ours, the rest is not.
    mark, _, rest = said.partition(" ")
    return f"`{mark}` {cell(rest)}" if mark in ("+", "-", "~", "^") else line(said)


def _sections(difference: PlanDifference) -> Iterator[tuple[str, list[str]]]:
    d = difference
    claims = [f"+ {plain(claim)}" for claim in d.claims_added]
    claims += [f"- {plain(claim)}" for claim in d.claims_removed]
    steps = [*_added(d.steps_added, "+"), *_added(d.steps_removed, "-"), *_changed(d.steps_changed)]
    for title, body in (
        ("Plan", [_field(change) for change in d.heading]),
        ("Findings", [_finding(change) for change in d.findings]),
        (_step_title(d), [*steps, *_moved(d.steps_moved)]),
        ("Claims", claims),
        ("Lanes", [_field(change) for change in d.lanes]),
        ("Windows", [_field(change) for change in d.windows]),
        ("Promises", [_field(change) for change in d.expectations]),
        ("Forecast", [_field(change) for change in d.forecast]),
    ):
        if body:
            yield title, body


def _step_title(d: PlanDifference) -> str:
    counts = (
        (len(d.steps_added), "added"),
        (len(d.steps_removed), "removed"),
        (len(d.steps_changed), "changed"),
        (len(d.steps_moved), "moved"),
    )
    return f"Steps: {', '.join(f'{count:,} {what}' for count, what in counts if count)}"


def _added(steps: Iterable[StepNamed], mark: str) -> Iterator[str]:
    return (f"{mark} {step.step}  {plain(step.title)} ({step.kind})" for step in steps)


def _changed(steps: Iterable[StepChange]) -> Iterator[str]:
    """One line a step; a change that many steps have alike is one line in all."""
    alike: dict[tuple[str, ...], list[StepChange]] = {}
    for step in steps:
        alike.setdefault(tuple(_in_words(change) for change in step.fields), []).append(step)
    for fields, group in alike.items():
        said = "; ".join(fields)
        if len(group) > 2:
            yield f"~ {len(group):,} steps: {said}: {named(step.step for step in group)}"
        else:
            yield from (f"~ {step.step}  {plain(step.title)}: {said}" for step in group)


def _moved(moves: tuple[StepMoved, ...]) -> Iterator[str]:
    if len(moves) > _MOST_MOVED:
        yield f"^ {len(moves):,} steps stand in another order: {named(move.step for move in moves)}"
        return
    for move in moves:
        old = f"behind {move.old}" if move.old else "first"
        new = f"behind {move.new}" if move.new else "first"
        yield f"^ {move.step}  stood {old}, stands {new}"


def _finding(change: FindingChange) -> str:
    match change:
        case FindingChange(old=None, new=Finding() as new):
            return f"+ {_said(new)}: {plain(new.message)}"
        case FindingChange(old=Finding() as old, new=None):
            return f"- {_said(old)}: {plain(old.message)}"
        case FindingChange(old=Finding() as old, new=Finding() as new):
            said = f"{_said(new)}: {plain(new.message)}"
            told = [f"was {plain(old.message)}"] if old.message != new.message else []
            told += [f"was {old.strength}"] if old.strength != new.strength else []
            told += [f"remedy was {plain(old.remedy) or 'none'}"] if old.remedy != new.remedy else []
            told += [f"{old.identities} had to sign"] if old.identities != new.identities else []
            return f"~ {said} ({'; '.join(told)})"
    return ""


def _said(finding: Finding) -> str:
    signs = f", {finding.identities} must sign" if finding.strength == "override" else ""
    return f"{finding.strength}{signs}: {finding.code} {plain(finding.subject)}"


def _field(change: FieldChange) -> str:
    mark = {"added": "+", "removed": "-", "changed": "~"}[change.change]
    return f"{mark} {plain(change.field)} {_change(change)}"


def _in_words(change: FieldChange) -> str:
    """A field of a step: without a mark, as several of them share a line."""
    word = {"added": "now ", "removed": "no more ", "changed": ""}[change.change]
    return f"{word}{plain(change.field)} {_change(change)}"


def _change(change: FieldChange) -> str:
    match change.change:
        case "added":
            return _value(_filled(change.new))
        case "removed":
            return _value(_filled(change.old))
    return _turned(change.old, change.new)


def _filled(value: JsonValue) -> JsonValue:
    """A value that came or went as a whole, without what it leaves open."""
    if not isinstance(value, dict):
        return value
    return {name: inner for name, inner in value.items() if inner not in (None, [], {}, "")}


def _turned(old: JsonValue, new: JsonValue) -> str:
    """An old value and a new one; of long ones only what is different."""
    if isinstance(old, list) and isinstance(new, list):
        return _list_turned(old, new)
    if isinstance(old, str) and isinstance(new, str) and max(len(old), len(new)) > _LONG:
        start = max(0, _alike(old, new) - _AROUND)
        end = max(0, _alike(old[start:][::-1], new[start:][::-1]) - _AROUND)
        return f"{_cut(old, start, end)} → {_cut(new, start, end)}"
    return f"{_value(old)} → {_value(new)}"


def _alike(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    different = (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(different, min(len(one), len(other)))


def _cut(text: str, start: int, end: int) -> str:
    return f"{'…' if start else ''}{_value(text[start : len(text) - end])}{'…' if end else ''}"


def _list_turned(old: list[JsonValue], new: list[JsonValue]) -> str:
    before, after = Counter(map(_canonical, old)), Counter(map(_canonical, new))
    gone, come = list((before - after).elements()), list((after - before).elements())
    if not gone and not come:
        return f"in another order: {_value(new)}"
    if len(gone) == len(come) == 1:
        return _turned(json.loads(gone[0]), json.loads(come[0]))
    said = [f"without {_listed(gone)}"] if gone else []
    return ", ".join([*said, f"with {_listed(come)}"] if come else said)


def _listed(values: list[str]) -> str:
    return named(_value(json.loads(value)) for value in values)


def _canonical(value: JsonValue) -> str:
    return canonical_json(value).decode()


def _value(value: JsonValue) -> str:
    """A value; a text is bare where it cannot be taken for anything else."""
    if value is None:
        return "none"
    is_bare = isinstance(value, str) and _BARE.fullmatch(value) and value not in _WORDS
    text = str(value) if is_bare else json.dumps(value, ensure_ascii=False, sort_keys=True)
    more = len(text) - _LONGEST
    return plain(f"{text[:_LONGEST]}… and {more:,} characters more" if more > 0 else text)
