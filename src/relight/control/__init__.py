"""The use cases: survey, plan, submit, answer, report. The command, the API and the watcher call these."""

from relight.control.authority import why_not
from relight.control.describing import Supposing, described, read_supposition
from relight.control.exposure import Exposure, exposures
from relight.control.planning import forecast_findings, make_plan, worse
from relight.control.project import LoadedRunbook, Project
from relight.control.report import (
    CriticalStep,
    GateReport,
    Improvement,
    PersonSaid,
    Report,
    StepReport,
    TimelineEntry,
    WorkloadReport,
)
from relight.control.report_page import as_report_page
from relight.control.reporting import report_of
from relight.control.running import approve, ask, find_run, new_run_name, submit
from relight.control.supposing import Supposition, suppose, suppositions
from relight.control.survey import ThreadSurveyor

__all__ = [
    "CriticalStep",
    "Exposure",
    "GateReport",
    "Improvement",
    "LoadedRunbook",
    "PersonSaid",
    "Project",
    "Report",
    "StepReport",
    "Supposing",
    "Supposition",
    "ThreadSurveyor",
    "TimelineEntry",
    "WorkloadReport",
    "approve",
    "as_report_page",
    "ask",
    "described",
    "exposures",
    "find_run",
    "forecast_findings",
    "make_plan",
    "new_run_name",
    "read_supposition",
    "report_of",
    "submit",
    "suppose",
    "suppositions",
    "why_not",
    "worse",
]
