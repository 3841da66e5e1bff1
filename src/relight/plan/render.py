"""A plan for people: plain text, Markdown and a graph. The same plan gives the same text, byte for byte.

A plan may come from a stranger and is what people sign, so nothing in it reaches a terminal or a page as
markup: control characters, line breaks and what turns writing around are shown by their code.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from typing import Any

from relight.plan.document import Estimate, Expectation, Plan, RetryPolicy, Step
from relight.plan.findings import Finding
from relight.plan.specs import Gather, Ref
from relight.units import format_duration

_MOST_NAMED = 8  # steps that one line names
_LONGEST_ARGUMENT = 400  # characters of one argument of a step
_MOST_DRAWN = 150  # steps that Mermaid draws well; its own limit is 500 edges
_URGENCY = ("block", "override", "warning", "note")


def as_text(plan: Plan) -> str:
    """The whole plan for a terminal: what it is for, what it says of itself, who must sign, every step."""
    lines = [f"{_plain(plan.runbook)}: {_plain(plan.goal)}", ""]
    lines += [f"{name:<12}{value}" for name, value in _heading(plan)]
    for title, body in (
        ("Findings", [line for finding in _by_urgency(plan) for line in _finding_lines(finding)]),
        ("Promises", [f"  {_promise(expectation)}" for expectation in plan.expectations]),
        ("Claims", [f"  {_plain(claim)}" for claim in plan.claims]),
        ("Lanes", [f"  {_plain(lane)}: {n} at once" for lane, n in sorted(plan.lanes.items())]),
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
    lines = [f"# {_cell(plan.runbook)}: {_cell(plan.goal)}", ""]
    lines += _table(("", ""), _heading(plan))
    lines += ["", "## Who signs", ""]
    roles = list(_roles(plan))
    lines += _table(("people", "gate", "what they are asked"), roles) if roles else ["Nobody is asked."]
    if plan.findings:
        said = [(f.strength, f"{f.code}: {f.subject}", f.message, f.remedy) for f in _by_urgency(plan)]
        lines += ["", "## Findings", "", *_table(("strength", "what", "says", "remedy"), said)]
    if plan.expectations:
        lines += ["", "## Promises", "", *(f"- {_cell(_promise(e))}" for e in plan.expectations)]
    if plan.claims:
        lines += ["", "## Claims", "", *(f"- {_cell(claim)}" for claim in plan.claims)]
    lines += ["", "## Steps", ""]
    rows = [
        (str(n), s.id, s.title, s.spec.kind, _after(s), "; ".join(_conditions(s)), _estimate(s))
        for n, s in enumerate(in_order(plan), 1)
    ]
    lines += _table(("", "step", "what", "kind", "after", "how", "takes"), rows)
    lines += ["", "## Graph", "", *_mermaid(plan)]
    return "\n".join(lines) + "\n"


def as_graph(plan: Plan) -> str:
    """The steps as a Graphviz digraph; joins are diamonds, gates have a double border."""
    lines = [f"digraph {_dot(plan.runbook)} {{", "  rankdir=LR;", "  node [shape=box];"]
    for step in in_order(plan):
        looks = [f"label={_dot(f'{step.id}: {step.title}', f'({step.spec.kind})')}"]
        looks += ["shape=diamond"] if step.at_least is not None else []
        looks += ["peripheries=2"] if step.gate else []
        lines.append(f"  {_dot(step.id)} [{', '.join(looks)}];")
        lines += [f"  {_dot(before)} -> {_dot(step.id)};" for before in step.after]
    return "\n".join([*lines, "}"]) + "\n"


def in_order(plan: Plan) -> Iterator[Step]:
    """The steps, each after what it waits for, else as the plan has them; what waits in a circle last."""
    position = {step.id: number for number, step in enumerate(plan.steps)}
    waits = [len({before for before in step.after if before in position}) for step in plan.steps]
    followers: dict[str, list[int]] = {}
    for number, step in enumerate(plan.steps):
        for before in dict.fromkeys(step.after):
            followers.setdefault(before, []).append(number)
    ready = [number for number, count in enumerate(waits) if not count]
    heapify(ready)
    while ready:
        number = heappop(ready)
        waits[number] = -1
        yield plan.steps[number]
        for follower in followers.get(plan.steps[number].id, ()):
            waits[follower] -= 1
            if not waits[follower]:
                heappush(ready, follower)
    yield from (step for number, step in enumerate(plan.steps) if waits[number] >= 0)


# What stands above the steps


def _heading(plan: Plan) -> list[tuple[str, str]]:
    inputs = ", ".join(f"{_plain(k)}={_plain(v)}" for k, v in sorted(plan.inputs.items()))
    heading = [("estate", _plain(plan.estate)), ("inputs", inputs), ("observed", _time(plan.observed_at))]
    forecast = f"{_range(plan.forecast)}, not counting the wait for people" if plan.forecast else "none"
    heading += [("forecast", forecast), ("digest", plan.digest), ("source", _plain(plan.source))]
    return [(name, value) for name, value in heading if value]


def _by_urgency(plan: Plan) -> list[Finding]:
    return sorted(plan.findings, key=lambda finding: _URGENCY.index(finding.strength))


def _finding_lines(finding: Finding) -> Iterator[str]:
    about = f"{finding.code} {_plain(finding.subject)}"
    yield f"  {finding.strength.upper():<9} {about}: {_plain(finding.message)}"
    if finding.remedy:
        yield f"            {_plain(finding.remedy)}"
    if finding.strength == "override":
        yield f"            {_people(finding.identities)} must sign {_plain(finding.gate)}"
    elif finding.strength == "block":
        yield "            the plan cannot run as things stand"


def _roles(plan: Plan) -> Iterator[tuple[str, str, str]]:
    for finding in plan.overrides:
        yield _people(finding.identities), finding.gate, finding.message
    for step in in_order(plan):
        if step.gate:
            yield _people(step.gate.identities), step.id, step.gate.question


def _promise(expectation: Expectation) -> str:
    e = expectation
    since = f"from {_time(e.began)} on" if e.began else "from the start of the run"
    said = [f"{_plain(e.workload)} loses at most {format_duration(e.rpo)}"]
    said.append(f"is back within {format_duration(e.rto)} {since}, when {_plain(e.back_at)} is done")
    said += [f"forecast {_range(e.back)} from the start of the run"] if e.back else []
    said += [f"its point is that of {_plain(e.point_from)}"] if e.point_from else []
    said += [f"last seen at step {e.last_step:,}"] if e.last_step is not None else []
    said += [f"its last step is that of {_plain(e.last_step_from)}"] if e.last_step_from else []
    said += [f"{e.gpus:,} GPUs"] if e.gpus else []
    return "; ".join(said)


# Steps


def _step_lines(head: str, step: Step) -> Iterator[str]:
    yield f"{head}{step.id}  {_plain(step.title)}"
    indent = " " * len(head)
    arguments = [
        f"{name}={_argument(getattr(step.spec, name))}"
        for name, field in type(step.spec).model_fields.items()
        if getattr(step.spec, name) != field.default  # not by what was set: a decoded plan has set them all
    ]
    yield f"{indent}{' '.join([step.spec.kind, *arguments])}"
    after = _after(step)
    said = [f"after {after}"] if after else []
    yield f"{indent}{'; '.join([*said, *_conditions(step), f'takes {_estimate(step)}'])}"


def _after(step: Step) -> str:
    if not step.after:
        return ""
    named = ", ".join(_plain(before) for before in step.after[:_MOST_NAMED])
    more = len(step.after) - _MOST_NAMED
    named += f" and {more:,} more" if more > 0 else ""
    return named if step.at_least is None else f"at least {step.at_least:,} of {named}"


def _conditions(step: Step) -> list[str]:
    said = [f"in lane {_plain(step.lane)}"] if step.lane else []
    if step.gate:
        said.append(f'{_people(step.gate.identities)} asked "{_plain(step.gate.question)}"')
    said.append(f"at most {format_duration(step.timeout)} a try")
    said.append(_tries(step.retry))
    if step.spec.interruption == "ask":
        said.append("a person decides if it is cut off")
    return said


def _tries(retry: RetryPolicy) -> str:
    if retry.attempts == 1:
        return "one try"
    first, longest = format_duration(retry.first), format_duration(retry.longest)
    return f"{retry.attempts:,} tries, {first} to {longest} apart"


def _estimate(step: Step) -> str:
    if step.estimate:
        return _range(step.estimate)
    p50, p90 = step.spec.usual
    return f"{_range(Estimate(p50=p50, p90=p90))} as usual"


def _argument(value: Any) -> str:
    if isinstance(value, Ref):
        text = f"<{value.fact} of {value.ref}>"
    elif isinstance(value, Gather):
        more = len(value.gather) - _MOST_NAMED
        names = ", ".join(value.gather[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
        text = f"<{value.fact} of {names}>"
    elif isinstance(value, timedelta):
        text = format_duration(value)
    elif isinstance(value, datetime):
        text = _time(value)
    elif isinstance(value, str) and value.isprintable() and value and not set(' "=<') & set(value):
        text = value
    else:
        jsonable = dict(value) if isinstance(value, Mapping) else value
        text = json.dumps(jsonable, ensure_ascii=False, default=str)
    if len(text) > _LONGEST_ARGUMENT:
        text = f"{text[:_LONGEST_ARGUMENT]}… and {len(text) - _LONGEST_ARGUMENT:,} characters more"
    return _plain(text)


# Words and forms


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


def _range(estimate: Estimate) -> str:
    return f"{format_duration(estimate.p50)} (P50), {format_duration(estimate.p90)} (P90)"


def _time(value: datetime) -> str:
    return value.isoformat(sep=" ", timespec="seconds").replace("+00:00", "Z")


def _plain(text: str) -> str:
    """Text that only looks like what it is: one line, nothing that moves a cursor or turns letters around."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _cell(text: str) -> str:
    """Text inside of a Markdown table: no markup of its own."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|~" else c for c in _plain(text)).replace("&", "&amp;")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return lines + [f"| {' | '.join(_cell(value) for value in row)} |" for row in rows]


def _mermaid(plan: Plan) -> list[str]:
    edges = sum(len(step.after) for step in plan.steps)
    if len(plan.steps) > _MOST_DRAWN or edges > 2 * _MOST_DRAWN:
        return [f"{len(plan.steps):,} steps and {edges:,} edges are too many to draw here."]
    number = {step.id: n for n, step in enumerate(plan.steps)}
    lines = ["```mermaid", "graph LR"]
    for step in in_order(plan):
        label = _plain(f"{step.id}: {step.title}")
        for letter, code in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("`", "#96;")):
            label = label.replace(letter, code)
        opening, closing = ("{{", "}}") if step.gate else ("[", "]")
        lines.append(f'  s{number[step.id]}{opening}"{label}"{closing}')
        lines += [f"  s{number[b]} --> s{number[step.id]}" for b in step.after if b in number]
    return [*lines, "```"]


def _dot(*lines: str) -> str:
    r"""A quoted string of DOT, its lines joined by \n, as only quotes and backslashes mean anything in it."""
    quoted = (_plain(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(quoted) + '"'
