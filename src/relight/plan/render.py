"""A plan for people: plain text and Markdown. The same plan gives the same text, byte for byte.

A plan may come from a stranger and is what people sign: see relight.markdown for what is done about that.
"""

from __future__ import annotations

from collections.abc import Iterator

from relight.markdown import cell, items, moment, people, plain, table
from relight.plan.document import Plan, Step
from relight.plan.findings import Finding
from relight.plan.graphs import as_mermaid, in_order
from relight.plan.sections import (
    after,
    by_urgency,
    conditions,
    estimate,
    finding_rows,
    promise,
    role_rows,
    step_rows,
    takes,
    undo_rows,
    when_stuck,
    window_rows,
    window_words,
)
from relight.plan.specs import Irreversible
from relight.plan.wording import call

_LONGEST_INPUT = 80


def as_text(plan: Plan) -> str:
    """The whole plan for a terminal: what it is for, what it says of itself, who must sign, every step."""
    lines = [f"{plain(plan.runbook)}: {plain(plan.goal)}", ""]
    lines += [f"{name:<12}{value}" for name, value in _heading(plan)]
    for title, body in (
        ("Findings", [line for finding in by_urgency(plan) for line in _finding_lines(finding)]),
        ("Promises", [f"  {promise(expectation)}" for expectation in plan.expectations]),
        ("Claims", [f"  {plain(claim)}" for claim in plan.claims]),
        ("Lanes", [f"  {plain(lane)}: {n} at once" for lane, n in sorted(plan.lanes.items())]),
        ("Windows", [f"  {plain(name)}: {window_words(w)}" for name, w in sorted(plan.windows.items())]),
    ):
        if body:
            lines += ["", title, *body]
    lines += ["", f"Steps ({len(plan.steps):,})"]
    width = len(str(len(plan.steps)))
    for number, step in enumerate(in_order(plan), 1):
        lines += _step_lines(f"  {number:>{width}}. ", step)
    return "\n".join(lines) + "\n"


def as_markdown(plan: Plan) -> str:
    """The plan as a page: who must sign, what it says of itself, a table of steps, and a graph of them."""
    lines = [f"# {cell(plan.runbook)}: {cell(plan.goal)}", ""]
    lines += table(("", ""), _heading(plan))
    lines += ["", "## Who signs", ""]
    roles = list(role_rows(plan))
    lines += table(("people", "gate", "what they are asked"), roles) if roles else ["Nobody is asked."]
    findings = finding_rows(plan)
    lines += _section("Findings", table(("strength", "what", "says", "remedy"), findings) if findings else [])
    lines += _section("Promises", items(promise(e) for e in plan.expectations))
    lines += claims_lanes_windows(plan)
    lines += _section("Steps", table(("", "step", "what", "kind", "after", "how", "takes"), step_rows(plan)))
    if any(step.undo for step in plan.steps):
        lines += _section("Undo", table(("step", "taken back by"), undo_rows(plan)))
    return "\n".join([*lines, *_section("Graph", as_mermaid(plan))]) + "\n"


def claims_lanes_windows(plan: Plan) -> list[str]:
    """The sections of a page that say what a run takes for itself and what limits it."""
    lines = _section("Claims", items(plan.claims))
    lanes = [f"{lane}: {n:,} at once" for lane, n in sorted(plan.lanes.items())]
    lines += _section("Lanes", items(lanes))
    head = ("window", "groups", "at once", "canaries", "may fail", "asked beyond that")
    return lines + _section("Windows", table(head, window_rows(plan)) if plan.windows else [])


def _section(title: str, body: list[str]) -> list[str]:
    return ["", f"## {title}", "", *body] if body else []


def _heading(plan: Plan) -> list[tuple[str, str]]:
    inputs = ", ".join(f"{plain(k)}={plain(_cut(v))}" for k, v in sorted(plan.inputs.items()))
    heading = [("estate", plain(plan.estate)), ("inputs", inputs), ("observed", moment(plan.observed_at))]
    heading += [("forecast", takes(plan.forecast)), ("when stuck", when_stuck(plan))]
    heading += [("digest", plan.digest), ("source", plain(plan.source))]
    return [(name, value) for name, value in heading if value]


def _finding_lines(finding: Finding) -> Iterator[str]:
    about = f"{finding.code} {plain(finding.subject)}"
    yield f"  {finding.strength.upper():<9} {about}: {plain(finding.message)}"
    if finding.remedy:
        yield f"            {plain(finding.remedy)}"
    if finding.strength == "override":
        yield f"            {people(finding.identities)} must sign {plain(finding.gate)}"
    elif finding.strength == "block":
        yield "            the plan cannot run as things stand"


def _step_lines(head: str, step: Step) -> Iterator[str]:
    yield f"{head}{step.id}  {plain(step.title)}"
    indent = " " * len(head)
    yield f"{indent}{call(step.spec)}"
    before = after(step)
    said = [f"after {before}"] if before else []
    yield f"{indent}{'; '.join([*said, *conditions(step), f'takes {estimate(step)}'])}"
    if isinstance(step.undo, Irreversible):
        yield f"{indent}cannot be undone: {plain(step.undo.irreversible)}"
    elif step.undo:
        yield f"{indent}undone by {call(step.undo)}"


__all__ = ["as_markdown", "as_text", "claims_lanes_windows", "in_order"]


def _cut(value: str) -> str:
    """An input as a heading shows it: what a preview showed may have a thousand lines."""
    return value if len(value) <= _LONGEST_INPUT else f"{value[: _LONGEST_INPUT - 1]}…"
