"""The report of a run as a page of Markdown: what came of it, who did what, and what to make better."""

from __future__ import annotations

from collections.abc import Iterable

from relight.control.report import GateReport, Report, StepReport, TimelineEntry, WorkloadReport
from relight.markdown import cell, items, line, moment, named, rough, table, time_of_day
from relight.plan import Estimate

_MOST_LINES = 500  # of a timeline on a page; the JSON has all of them
_MOST_STEPS = 500


def as_report_page(report: Report) -> str:
    """The page."""
    lines = [f"# {cell(report.run)}", "", line(_outcome(report)), ""]
    lines += table(("", ""), _heading(report))
    for title, body in (
        ("Objectives", _objectives(report)),
        ("What to make better", _improve(report)),
        ("Where the time went", _critical(report)),
        ("People", _people(report)),
        ("Timeline", _timeline(report.timeline)),
        ("Steps", _steps(report.steps)),
    ):
        if body:
            lines += ["", f"## {title}", "", *body]
    return "\n".join(lines) + "\n"


def _outcome(report: Report) -> str:
    said = f"{report.goal}: {report.result}"
    said += f" in {rough(report.took)}" if report.took is not None else ""
    said += f": {report.reason}" if report.reason else ""
    if report.result == "done" and report.workloads:
        said += "; objectives met" if report.objectives_met else "; an objective was missed"
    return f"{said}."


def _heading(report: Report) -> list[tuple[str, str]]:
    ended = moment(report.ended_at) if report.ended_at else "not yet"
    rows = [
        ("runbook", report.runbook),
        ("submitted by", report.by),
        ("started", moment(report.started_at)),
        ("ended", ended),
        ("forecast", _expected(report.forecast)),
    ]
    counts = (
        ("controllers", report.controllers),
        ("tries cut off", report.interruptions),
        ("tries that did not work", report.retries),
    )
    return rows + [(name, f"{count:,}") for name, count in counts]


def _expected(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    if estimate.at_least:
        return f"at least {rough(estimate.p50)}"
    return f"{rough(estimate.p50)} (P90 {rough(estimate.p90)})"


def _objectives(report: Report) -> list[str]:
    rows: list[tuple[str, ...]] = []
    for w in report.workloads:
        back = "met" if w.rto_met else "missed" if w.is_back else "not back"
        rows.append(
            (w.workload, "RTO", rough(w.rto), rough(w.rto_objective), _expected(w.rto_forecast), back)
        )
        if w.restored_point or w.rpo is not None:
            rows.append((w.workload, "RPO", rough(w.rpo), rough(w.rpo_objective), "", _lost(w)))
    if not rows:
        return []
    return table(("workload", "", "actual", "objective", "forecast", ""), rows)


def _lost(workload: WorkloadReport) -> str:
    if workload.rpo_met is None:
        return "not shown by the run"
    said = ["met" if workload.rpo_met else "missed"]
    said += [f"{workload.rpo_steps:,} training steps again"] if workload.rpo_steps is not None else []
    said += [f"{workload.rpo_gpu_hours:,.3g} GPU-hours"] if workload.rpo_gpu_hours is not None else []
    said += [f"went on from {workload.restored_point}"] if workload.restored_point else []
    return ", ".join(said)


def _improve(report: Report) -> list[str]:
    if not report.improve:
        return ["Nothing stood out." if report.ended_at else "Nothing stands out so far."]
    rows = [(i.message, rough(i.cost), i.remedy) for i in report.improve]
    return table(("what happened", "cost", "what to do"), rows)


def _critical(report: Report) -> list[str]:
    rows = [
        (s.step, rough(s.worked), rough(s.waited_for_people), rough(s.waited_for_room))
        for s in report.critical_path
    ]
    if not rows:
        return []
    said = "The steps that each waited for the one before, to the last: nothing else made the run longer."
    return [said, "", *table(("step", "worked", "waited for people", "waited for room"), rows)]


def _people(report: Report) -> list[str]:
    lines: list[str] = []
    if report.gates:
        head = ("gate", "question", "reached", "answer", "by", "waited")
        lines += table(head, (_gate_row(gate) for gate in report.gates))
    said = [f"{e.at:%H:%M:%S} {e.text}" for e in report.timeline if e.who and e.about == "people"]
    if said:
        lines += [*([""] if lines else []), "Who did what:", "", *items(said)]
    return lines


def _gate_row(gate: GateReport) -> tuple[str, ...]:
    waited = rough(gate.waited) if gate.waited is not None else "still open"
    escalated = ", escalated" if gate.escalated_at else ""
    reached = time_of_day(gate.reached_at)
    return gate.gate, gate.question, reached, gate.answer + escalated, named(gate.by), waited


def _timeline(entries: tuple[TimelineEntry, ...]) -> list[str]:
    """All of it; of a long one what people did and what went wrong, as far as a page goes."""
    shown: Iterable[TimelineEntry] = entries
    if len(entries) > _MOST_LINES:
        shown = [entry for entry in entries if entry.about != "work"][:_MOST_LINES]
    rows = [(time_of_day(e.at), e.about, e.text, rough(e.waited) if e.waited else "") for e in shown]
    if not rows:
        return []
    left = len(entries) - len(rows)
    note = [f"{left:,} of {len(entries):,} entries are left out here; --json has them.", ""] if left else []
    return [*note, *table(("UTC", "", "what happened", "waited"), rows)]


def _steps(steps: tuple[StepReport, ...]) -> list[str]:
    """All of them; of many those that did not simply get done."""
    shown: Iterable[StepReport] = steps
    if len(steps) > _MOST_STEPS:
        shown = [s for s in steps if s.status != "done" or s.attempts > 1][:_MOST_STEPS]
    rows = [
        (s.step, s.title, s.status, rough(s.took), _expected(s.forecast), f"{s.attempts:,}", s.reason)
        for s in shown
    ]
    left = len(steps) - len(rows)
    note = [f"{left:,} of {len(steps):,} steps are left out here; --json has them.", ""] if left else []
    return [*note, *table(("step", "", "", "took", "forecast", "tries", ""), rows)]
