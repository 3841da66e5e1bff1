"""A runbook as a page for people: what it does, who signs, how long it takes, what can be taken back.

Made from the plan that it gives in a supposed situation, so that the page can be read, printed and agreed on
before anything has happened. No time of day is on it: it changes only when runbook, estate or inputs do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from relight.markdown import cell, items, line, named, people, rough, table
from relight.plan.document import Expectation, Plan
from relight.plan.findings import Finding
from relight.plan.graphs import as_mermaid, in_order
from relight.plan.render import claims_lanes_windows
from relight.plan.runbook import Runbook
from relight.plan.sections import (
    Row,
    after,
    conditions,
    finding_rows,
    gate_rows,
    role_rows,
    takes,
    undo_rows,
    when_stuck,
)
from relight.plan.specs import Spec
from relight.plan.wording import estimate_of

_IF_CUT_OFF = {
    "probe": "looked at, then it goes on",
    "repeat": "done again, which is harmless",
    "ask": "a person decides",
}


@dataclass(frozen=True)
class RunbookPage:
    """What the page is made of. `plan` has been forecast; `choices` are what an input may be, where set."""

    runbook: Runbook
    plan: Plan
    supposed: tuple[str, ...]  # sentences: what the situation is that the plan is for
    otherwise: tuple[tuple[str, Finding], ...]  # what people would sign in other situations, and in which
    choices: Mapping[str, tuple[str, ...]]
    approvers: tuple[str, ...]  # none: anyone who can run the command
    command: str  # that makes the page anew


def as_runbook_page(page: RunbookPage) -> str:
    """The page, in Markdown."""
    plan, asking = page.plan, _asking(page.plan)
    lines = [
        f"# {cell(page.runbook.name)}",
        "",
        line(f"{_sentence(page.runbook.summary)} The goal: {plan.goal}."),
    ]
    lines += ["", "Supposed here:", "", *items(page.supposed)]
    parts: list[tuple[str, list[str]]] = [
        ("Inputs", _inputs(page)),
        ("Graph", as_mermaid(plan)),
        ("What it says of itself", _table(("strength", "what", "says", "remedy"), finding_rows(plan))),
        ("Who signs", _roles(page)),
        ("Gates", _table(_GATE_HEAD, gate_rows(plan))),
        ("How long it takes", _times(plan)),
        ("Steps", _table(("", "step", "what", "kind", "after", "how", "P50", "P90"), _step_rows(plan))),
        ("If it goes wrong", _going_wrong(plan, asking)),
        ("Undo", _table(("step", "taken back by"), undo_rows(plan))),
    ]
    for title, body in parts:
        if body:
            lines += ["", f"## {title}", "", *body]
    lines += claims_lanes_windows(plan)
    kinds = _table(("kind", "does", "learns", "if it is cut off"), _kind_rows(plan))
    lines += ["", "## Kinds of step", "", *kinds, "", "---", "", *_made_from(page)]
    return "\n".join(lines) + "\n"


_GATE_HEAD = ("gate", "question", "who", "escalates", "expires", "and then it counts as")


def _table(head: tuple[str, ...], rows: Iterable[Row]) -> list[str]:
    """A table, or nothing where it would be empty."""
    listed = list(rows)
    return table(head, listed) if listed else []


def _inputs(page: RunbookPage) -> list[str]:
    rows = [
        (
            name,
            declared.about,
            named(page.choices[name]) if name in page.choices else "any text",
            "must be given" if declared.default is None else declared.default,
            page.plan.inputs.get(name, ""),
        )
        for name, declared in page.runbook.inputs.items()
    ]
    return _table(("input", "about", "one of", "default", "here"), rows)


def _roles(page: RunbookPage) -> list[str]:
    rows = list(role_rows(page.plan))
    body = table(("people", "gate", "what they are asked"), rows) if rows else ["Nobody is asked beforehand."]
    who = named(page.approvers) if page.approvers else "anyone who can run the command there"
    body += ["", f"Who may sign: {cell(who)}. Each person counts once."]
    if page.otherwise:
        others = [(people(f.identities), f.gate, supposed, f.message) for supposed, f in page.otherwise]
        body += ["", "In other situations also:", ""]
        body += table(("people", "gate", "if", "what they are asked"), others)
    return body


def _times(plan: Plan) -> list[str]:
    lines = [f"In all: {cell(takes(plan.forecast))}."]
    rows = [_workload_row(plan, promise) for promise in plan.expectations]
    head = ("workload", "back when", "RTO", "P50", "P90", "nine times of ten", "RPO")
    return [*lines, *([""] if rows else []), *_table(head, rows)]


def _workload_row(plan: Plan, promise: Expectation) -> Row:
    passed = max(timedelta(0), plan.observed_at - promise.began) if promise.began else timedelta(0)
    if promise.back is None:
        within = p50 = p90 = "unknown" if promise.unknown else "-"
    else:
        p50, p90 = rough(passed + promise.back.p50), rough(passed + promise.back.p90)
        late = passed + promise.back.p90 - promise.rto
        within = f"late by {rough(late)}" if late > timedelta(0) else "in time"
    workload = (promise.workload, f"{promise.back_at} is done", rough(promise.rto))
    return (*workload, p50, p90, within, rough(promise.rpo))


def _step_rows(plan: Plan) -> Iterator[Row]:
    for number, step in enumerate(in_order(plan), 1):
        takes_it = estimate_of(step)
        how = "; ".join(conditions(step))
        named_so = (str(number), step.id, step.title, step.spec.kind, after(step))
        p90 = "unknown" if takes_it.at_least else rough(takes_it.p90)
        yield (*named_so, how, rough(takes_it.p50), p90)


def _asking(plan: Plan) -> list[str]:
    """The steps for which a person decides after a cut-off."""
    return [step.id for step in in_order(plan) if step.spec.interruption == "ask"]


def _going_wrong(plan: Plan, asking: list[str]) -> list[str]:
    said = [f"A step that fails for good: the run {when_stuck(plan)}."]
    said.append("A controller that is gone: relight resume goes on from the last event.")
    if asking:
        said.append(f"If it was gone while one of these ran, a person decides: {named(asking)}.")
    fixed = [step.id for step in in_order(plan) if step.undo is None]
    if len(fixed) == len(plan.steps):
        said.append("No step declares an undo: an abort leaves things as they are.")
    return items(said)


def _kind_rows(plan: Plan) -> Iterator[Row]:
    kinds: dict[str, list[Spec]] = {}
    for step in in_order(plan):
        kinds.setdefault(step.spec.kind, []).append(step.spec)
    for kind, specs in sorted(kinds.items()):
        meanings = dict.fromkeys(_IF_CUT_OFF[spec.interruption] for spec in specs)
        facts = ", ".join(specs[0].facts.model_fields) or "nothing"
        yield kind, specs[0].summary, facts, " or ".join(meanings)


def _made_from(page: RunbookPage) -> list[str]:
    made = f"Made from runbook source {cell(page.plan.source)} for the estate {cell(page.plan.estate)}."
    return [f"{made} Make it anew when either changes: {cell(page.command)}"]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."
