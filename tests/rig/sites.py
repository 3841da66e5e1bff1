"""A sandbox as a project, for stories: survey, plan, run, and what the sites' own logs say happened."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from relight import app
from relight.control import Project, Report, make_plan, report_of, submit
from relight.engine import Journal, RunState
from relight.plan import Plan
from relight.sandbox import Sandbox
from relight.situation import Known, Situation
from relight.workload import Running

RUNBOOKS = Path(__file__).parents[2] / "runbooks"
PATIENCE = 30.0  # seconds: a busy machine is slow, a broken one never gets there


def wait_until(what: str, holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait for something to become true, and say what did not."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, f"still not: {what}"
        time.sleep(0.05)


class Sites:
    """A started sandbox and the project around it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        shutil.copytree(RUNBOOKS, sandbox.folder / "runbooks", ignore=shutil.ignore_patterns("__pycache__"))
        self.project = Project(sandbox.folder)
        self.world = app.open_world(sandbox.folder)
        self.journal = Journal(self.project.journal_path)

    def survey(self) -> Situation:
        return app.surveyor(self.world).survey(self.world.estate, timedelta(seconds=4))

    def wait_for_verdict(self, site: str, verdict: str) -> Situation:
        wait_until(f"{site} is {verdict}", lambda: self.survey().sites[site].verdict() == verdict)
        return self.survey()

    def plan(self, runbook: str, site: str = "north") -> Plan:
        loaded = self.project.runbook(runbook)
        return make_plan(loaded, self.world.estate, self.survey(), {"site": site}, app.CATALOGUE)

    def submit(self, plan: Plan) -> str:
        return submit(self.journal, plan, "story", self.world.claims())

    def drive(self, run: str, *, wait: bool = True) -> RunState:
        return app.driver(self.world, self.journal, run).drive(wait=wait)

    def run(self, runbook: str, site: str = "north") -> Report:
        run = self.submit(self.plan(runbook, site))
        return report_of(self.drive(run), list(self.journal.events(run)))

    def running(self, site: str, workload: str) -> Running:
        (found,) = [r for r in self.world.scheduler(site).running() if r.workload == workload]
        return found

    def epoch(self) -> int:
        authority = self.world.witness().authority("digits")
        assert authority is not None
        return authority.epoch

    def newest_step(self, store: str) -> int:
        points = self.survey().workloads["digits"].points[store]
        return points.value[-1].step if isinstance(points, Known) and points.value else 0

    def log(self, name: str) -> str:
        return (self.sandbox.folder / "logs" / f"{name}.log").read_text()

    def starts(self, site: str, workload: str) -> int:
        """How often the site's agent started a workload, by its own log."""
        return len(re.findall(rf"started {workload}\b", self.log(f"{site}-agent")))

    def updates(self, site: str) -> int:
        """How many updates the site's name server accepted, by its own log."""
        return self.log(f"{site}-dns").count("NOERROR")
