"""The graph of a plan's steps, for Graphviz and for Markdown (Mermaid)."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush

from relight.markdown import plain
from relight.plan.document import Plan, Step

_MOST_DRAWN = 150  # steps that Mermaid draws well; its own limit is 500 edges
_CODES = (("#", "#35;"), ("&", "#amp;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("`", "#96;"))


def as_graph(plan: Plan) -> str:
    """The steps as a Graphviz digraph; joins are diamonds, gates have a double border, windows a box."""
    lines = [f"digraph {_dot(plan.runbook)} {{", "  rankdir=LR;", "  node [shape=box];"]
    for step in in_order(plan):
        looks = [f"label={_dot(f'{step.id}: {step.title}', f'({step.spec.kind})')}"]
        looks += ["shape=diamond"] if step.at_least is not None else []
        looks += ["peripheries=2"] if step.gate else []
        lines.append(f"  {_dot(step.id)} [{', '.join(looks)}];")
        lines += [f"  {_dot(before)} -> {_dot(step.id)};" for before in step.after]
    for number, name in enumerate(sorted(plan.windows)):
        inside = " ".join(f"{_dot(step.id)};" for step in plan.steps if step.window == name)
        lines.append(f"  subgraph cluster_{number} {{ label={_dot(f'window {name}')}; {inside} }}")
    return "\n".join([*lines, "}"]) + "\n"


def as_mermaid(plan: Plan) -> list[str]:
    """The lines of a fenced Mermaid graph, or one that says why there is none; gates are hexagons."""
    edges = sum(len(step.after) for step in plan.steps)
    if len(plan.steps) > _MOST_DRAWN or edges > 2 * _MOST_DRAWN:
        return [f"{len(plan.steps):,} steps and {edges:,} edges are too many to draw here."]
    number = {step.id: n for n, step in enumerate(plan.steps)}
    lines = ["```mermaid", "graph LR"]
    for step in in_order(plan):
        label = plain(f"{step.id}: {step.title}")
        label = "".join(dict(_CODES).get(letter, letter) for letter in label)
        opening, closing = ("{{", "}}") if step.gate else ("[", "]")
        lines.append(f'  s{number[step.id]}{opening}"{label}"{closing}')
        lines += [f"  s{number[b]} --> s{number[step.id]}" for b in step.after if b in number]
    return [*lines, "```"]


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


def _dot(*lines: str) -> str:
    r"""A quoted string of DOT, its lines joined by \n, as only quotes and backslashes mean anything in it."""
    quoted = (plain(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(quoted) + '"'
