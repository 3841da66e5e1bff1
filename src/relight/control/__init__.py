"""The use cases: survey, plan, submit, answer, report. The command, the API and the watcher call these."""

from relight.control.exposure import Exposure, exposures
from relight.control.planning import forecast_findings, make_plan, worsened
from relight.control.project import LoadedRunbook, Project
from relight.control.reporting import PersonSaid, Report, StepReport, WorkloadReport, report_of
from relight.control.running import approve, find_run, new_run_name, submit
from relight.control.survey import ThreadSurveyor

__all__ = [
    "Exposure",
    "LoadedRunbook",
    "PersonSaid",
    "Project",
    "Report",
    "StepReport",
    "ThreadSurveyor",
    "WorkloadReport",
    "approve",
    "exposures",
    "find_run",
    "forecast_findings",
    "make_plan",
    "new_run_name",
    "report_of",
    "submit",
    "worsened",
]
