"""What plans say about themselves, as words and as rows of tables; not escaped for Markdown yet."""

from __future__ import annotations

from collections.abc import Iterator

from relight.markdown import moment, named, people, plain
from relight.plan.document import Estimate, Expectation, Gate, Plan, RetryPolicy, Step, Window
from relight.plan.findings import Finding
from relight.plan.graphs import in_order
from relight.plan.wording import estimate_of, span, undone_by
from relight.units import format_duration

Row = tuple[str, ...]
_URGENCY = ("block", "override", "warning", "note")
_WHEN_STUCK = {"ask": "waits for people to retry, skip or abort", "end": "ends"}


def when_stuck(plan: Plan) -> str:
    """What becomes of the run when a step that is needed has failed for good."""
    return _WHEN_STUCK[plan.when_stuck]


def by_urgency(plan: Plan) -> list[Finding]:
    """The findings, the gravest first."""
    return sorted(plan.findings, key=lambda finding: _URGENCY.index(finding.strength))


def finding_rows(plan: Plan) -> list[Row]:
    """Strength, what it is about, what it says, and the remedy."""
    return [(f.strength, f"{f.code}: {f.subject}", f.message, f.remedy) for f in by_urgency(plan)]


def role_rows(plan: Plan) -> Iterator[Row]:
    """How many people sign, the gate's name, and what they are asked."""
    for finding in plan.overrides:
        yield people(finding.identities), finding.gate, finding.message
    for step in in_order(plan):
        if step.gate:
            asked = "; ".join([step.gate.question, *patience(step.gate)])
            yield people(step.gate.identities), step.id, asked
    for name, window in sorted(plan.windows.items()):
        asked = f"to go on when more than {window.budget:,} groups have failed"
        yield people(window.identities), f"window:{name}", asked


def gate_rows(plan: Plan) -> Iterator[Row]:
    """Name, question, people, when it escalates and to whom, when it expires, and what that means."""
    for step in in_order(plan):
        if gate := step.gate:
            escalates = f"after {format_duration(gate.escalate_after)}" if gate.escalate_after else "never"
            expires = f"after {format_duration(gate.expire_after)}" if gate.expire_after else "never"
            to = f" to {', '.join(map(plain, gate.escalate_to))}" if gate.escalate_to else ""
            fallback = fallback_of(gate) if gate.expire_after else "it waits"
            yield step.id, gate.question, people(gate.identities), escalates + to, expires, fallback


def window_rows(plan: Plan) -> Iterator[Row]:
    """Name, groups in it, how many at once, canaries, budget, and who is asked beyond it."""
    groups: dict[str, set[str]] = {}
    for step in plan.steps:
        if step.window is not None and step.group is not None:
            groups.setdefault(step.window, set()).add(step.group)
    for name, window in sorted(plan.windows.items()):
        numbers = (len(groups.get(name, ())), window.size, window.canaries, window.budget)
        yield name, *(f"{number:,}" for number in numbers), people(window.identities)


def undo_rows(plan: Plan) -> Iterator[Row]:
    """Each step, the last first as an abort undoes them, and what takes it back."""
    for step in reversed(list(in_order(plan))):
        yield step.id, undone_by(step.undo)


def step_rows(plan: Plan) -> Iterator[Row]:
    """Number, id, title, kind, what it comes after, how it runs, how long it takes."""
    for number, step in enumerate(in_order(plan), 1):
        how = "; ".join(conditions(step))
        yield str(number), step.id, step.title, step.spec.kind, after(step), how, estimate(step)


def promise(expectation: Expectation) -> str:
    """What the plan means to reach for one workload."""
    e = expectation
    since = f"from {moment(e.began)} on" if e.began else "from the start of the run"
    since = f"from {plain(e.began_at)} on" if e.began_at else since
    said = [f"{plain(e.workload)} loses at most {format_duration(e.rpo)}"]
    said.append(f"is back within {format_duration(e.rto)} {since}, when {plain(e.back_at)} is done")
    said += [f"forecast {span(e.back)} from the start of the run"] if e.back else []
    said += [f"nobody knows when: {plain(e.unknown)}"] if e.unknown else []
    said += [f"its point is that of {plain(e.point_from)}"] if e.point_from else []
    said += [f"last seen at step {e.last_step:,}"] if e.last_step is not None else []
    said += [f"its last step is that of {plain(e.last_step_from)}"] if e.last_step_from else []
    said += [f"{e.gpus:,} GPUs"] if e.gpus else []
    return "; ".join(said)


def after(step: Step) -> str:
    """What a step comes after."""
    if not step.after:
        return ""
    before = named(step.after)
    return before if step.at_least is None else f"at least {step.at_least:,} of {before}"


def conditions(step: Step) -> list[str]:
    """How a step runs: lane, window, gate, time limit, tries."""
    said = [f"in lane {plain(step.lane)}"] if step.lane else []
    said += [f"{plain(step.group or '')} of window {plain(step.window)}"] if step.window else []
    if step.gate:
        said.append(f'{people(step.gate.identities)} asked "{plain(step.gate.question)}"')
        said += patience(step.gate)
    said += [f"at most {format_duration(step.timeout)} a try", _tries(step.retry)]
    if step.spec.interruption == "ask":
        said.append("a person decides if it is cut off")
    return said


def estimate(step: Step) -> str:
    """How long a step takes, and whether that is its own estimate or the usual one of its kind."""
    return span(estimate_of(step)) + ("" if step.estimate else " as usual")


def patience(gate: Gate) -> list[str]:
    """What becomes of a gate that nobody answers."""
    said = []
    if gate.escalate_after is not None:
        others = f"{', '.join(map(plain, gate.escalate_to))} too" if gate.escalate_to else "asked again"
        said.append(f"{others} after {format_duration(gate.escalate_after)}")
    if gate.expire_after is not None:
        said.append(f"{fallback_of(gate)} if nobody answers for {format_duration(gate.expire_after)}")
    return said


def fallback_of(gate: Gate) -> str:
    """What the answer is where nobody gives one."""
    return "approved" if gate.fallback == "approve" else "refused"


def window_words(window: Window) -> str:
    """A rolling window in one line."""
    said = [f"{window.size:,} groups at once"]
    said += [f"after {window.canaries:,} came through"] if window.canaries else []
    said.append(f"stops when more than {window.budget:,} have failed")
    return "; ".join(said)


def takes(plan_forecast: Estimate | None) -> str:
    """The forecast of a whole plan."""
    return f"{span(plan_forecast)}, not counting the wait for people" if plan_forecast else "none"


def _tries(retry: RetryPolicy) -> str:
    if retry.attempts == 1:
        return "one try"
    first, longest = format_duration(retry.first), format_duration(retry.longest)
    return f"{retry.attempts:,} tries, {first} to {longest} apart"
