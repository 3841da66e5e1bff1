"""A run's report for people."""

from __future__ import annotations

from datetime import timedelta

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from relight.cli.output import table
from relight.cli.wording import brief, count, expected, instant, lost_hours
from relight.control import Report, StepReport, WorkloadReport

_STYLES = {
    "done": "green",
    "failed": "bold red",
    "refused": "bold red",
    "blocked": "red",
    "running": "cyan",
} | {
    "aborted": "bold red",
    "skipped": "yellow",
}


def report_view(report: Report, *, steps: bool) -> RenderableType:
    """What was reached against what was promised; with `steps`, each of them too."""
    parts: list[RenderableType] = [Text(""), _headline(report), _circumstances(report)]
    if report.reason:
        parts.append(Text(f"  {report.reason}", "red"))
    if report.workloads:
        parts += [Text(""), _workloads(report), *_points(report)]
    if steps:
        parts += [Text(""), _steps(report)]
    parts += _people(report)
    return Group(*parts)


def _headline(report: Report) -> Text:
    line = Text().append(f"{report.goal}: ", "bold").append(report.result, _STYLES.get(report.result, ""))
    if report.took is not None:
        line.append(f" in {brief(report.took)}, forecast {expected(report.forecast)}")
    if report.result == "done" and report.workloads:
        met = report.objectives_met
        line.append(
            "; objectives met" if met else "; an objective was missed", "green" if met else "bold red"
        )
    return line


def _circumstances(report: Report) -> Text:
    told = [
        f"{report.run}, submitted by {report.by}, {instant(report.started_at)}",
        count(report.retries, "retry", "retries") if report.retries else "",
        count(report.interruptions, "cut-off try", "cut-off tries") if report.interruptions else "",
        f"taken up {report.controllers} times" if report.controllers > 1 else "",
    ]
    return Text("; ".join(part for part in told if part), "dim")


def _workloads(report: Report) -> Table:
    shown = table("workload", "", "actual", "objective", "forecast", "")
    for workload in report.workloads:
        met = (
            Text("met", "green")
            if workload.rto_met
            else Text("missed" if workload.is_back else "not back", "red")
        )
        shown.add_row(
            Text(workload.workload, "bold"),
            "RTO",
            brief(workload.rto),
            brief(workload.rto_objective),
            expected(workload.rto_forecast),
            met,
        )
        if workload.restored_point or workload.rpo is not None:
            shown.add_row(
                "", "RPO", brief(workload.rpo), brief(workload.rpo_objective), "", _rpo_verdict(workload)
            )
    return shown


def _rpo_verdict(workload: WorkloadReport) -> Text:
    if workload.rpo_met is None:
        return Text("not shown by the run", "yellow")
    line = Text().append(*(("met", "green") if workload.rpo_met else ("missed", "red")))
    if workload.rpo_steps is not None:
        line.append(f", {count(workload.rpo_steps, 'training step')} again")
    return line.append(f", {lost_hours(workload.rpo_gpu_hours)}")


def _points(report: Report) -> list[Text]:
    lines = []
    for workload in report.workloads:
        if workload.restored_point is None:
            continue
        line = Text(f"{workload.workload} went on from step {workload.resumed_from_step} ", "")
        line.append(f"({workload.restored_point})", "dim")
        if workload.passed_over:
            line.append(f"; passed over, as they do not load: {', '.join(workload.passed_over)}", "yellow")
        lines.append(line)
    return lines


def _steps(report: Report) -> Table:
    shown = table("step", "", "took", "forecast", "tries", "")
    for step in report.steps:
        shown.add_row(
            step.step,
            Text(step.status, _STYLES.get(step.status, "")),
            Text(brief(step.took), "yellow" if _is_late(step) else ""),
            expected(step.forecast),
            str(step.attempts),
            step.reason,
        )
    return shown


def _is_late(step: StepReport) -> bool:
    return step.took is not None and step.took > max(step.forecast.p90, timedelta(seconds=1))


def _people(report: Report) -> list[Text]:
    lines = [
        Text(f"signed by {said.identity}, {instant(said.at)}, {said.gate}: {said.reason}")
        for said in report.approvals
    ]
    lines += [Text(f"refused: {told}", "yellow") for told in report.refused_requests]
    return [Text(""), *lines] if lines else []
