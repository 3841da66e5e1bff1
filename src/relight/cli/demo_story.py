"""The story of the demo, told while it happens: quiet times, a death, the way back, and what it cost."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from rich.text import Text

from relight.app import World, driver, open_world, surveyor
from relight.cli.live import watching
from relight.cli.outcome import exit_of
from relight.cli.output import Screen
from relight.cli.report_view import report_view
from relight.cli.session import plan_now
from relight.cli.wording import brief, count, expected
from relight.control import Project, Report, report_of, submit
from relight.engine import Journal
from relight.errors import RelightError
from relight.plan import Plan
from relight.situation import Situation

if TYPE_CHECKING:
    from relight.sandbox import Sandbox

_DIES, _TAKES_OVER, _TRAINS = "north", "south", "digits"
_QUIET_SECONDS = 5.0
_AFTER_SECONDS = 3.0
_NOTICED_WITHIN_SECONDS = 30.0
_LOOK_EVERY_SECONDS = 0.5
_DEADLINE = timedelta(seconds=3)
_STYLES = {"note": "", "warning": "yellow", "override": "bold yellow", "block": "bold red"}


class Teller:
    """Says things with the time since the beginning; on a terminal with a line that moves."""

    def __init__(self, *, plain: bool) -> None:
        self._screen = Screen()
        self._began = time.monotonic()
        self._moves = not plain and sys.stdout.isatty()

    def say(self, text: str, style: str = "") -> None:
        """Say what happened."""
        line = Text().append(f"{time.monotonic() - self._began:5.1f}s  ", "dim").append(text, style)
        self._screen.print(line, soft_wrap=True)

    def show(self, report: Report, *, steps: bool) -> None:
        """Show a report."""
        self._screen.print(report_view(report, steps=steps))

    @contextmanager
    def waiting(self, text: str) -> Iterator[Callable[[str], None]]:
        """While something takes its time; gives a function that says how it stands."""
        if not self._moves:
            self.say(text)
            yield lambda _: None
            return
        with self._screen.status(Text(text, "cyan")) as status:
            yield lambda now: status.update(Text(now, "cyan"))


class Story:
    """One demo, in a sandbox that was not started yet."""

    def __init__(self, sandbox: Sandbox, *, plain: bool) -> None:
        self._sandbox = sandbox
        self._plain = plain
        self._teller = Teller(plain=plain)
        self._world: World

    def tell(self) -> int:
        """Tell it to the end and return the exit code; the sandbox is left running."""
        self._come_up()
        self._watch("quiet times", _QUIET_SECONDS)
        self._die()
        plan = self._plan()
        report = self._bring_back(plan)
        self._watch(f"clients at {_TAKES_OVER}", _AFTER_SECONDS)
        # On a terminal the board above has every step already.
        self._teller.show(report, steps=self._plain or not sys.stdout.isatty())
        self._tell_clients()
        return exit_of(report)

    def _come_up(self) -> None:
        with self._teller.waiting("two sites come up: stores, name servers, training, inference ..."):
            self._sandbox.start()
        self._world = open_world(self._sandbox.folder)
        self._teller.say(
            f"{_DIES} trains a model and serves it; {_TAKES_OVER} stands by; observers look on; "
            "a client asks all the time"
        )

    def _die(self) -> None:
        processes = len(self._sandbox.alive(_DIES))
        self._sandbox.kill_site(_DIES)
        self._teller.say(f"{_DIES} dies: SIGKILL to all {processes} processes of it at once", "bold red")
        until = time.monotonic() + _NOTICED_WITHIN_SECONDS
        with self._teller.waiting("do the observers notice?") as now:
            while (seen := self._look().sites[_DIES]).verdict() != "lost":
                now(
                    f"{_DIES} is {seen.verdict()}: "
                    + "; ".join(f"{o.observer} sees it {o.up}" for o in seen.opinions)
                )
                if time.monotonic() > until:
                    raise RelightError(
                        f"the observers do not agree that {_DIES} is lost", "is the machine very busy?"
                    )
                time.sleep(_LOOK_EVERY_SECONDS / 5)
        asked = [opinion for opinion in seen.opinions if opinion.capability == "compute"]
        who, why = ", ".join(o.observer for o in asked), " or ".join({o.reason: None for o in asked})
        self._teller.say(f"the observers conclude that {_DIES} is lost ({who}: {why})", "yellow")

    def _plan(self) -> Plan:
        project = Project(self._sandbox.folder)
        plan = plan_now(project, self._world, "site-failover", {"site": _DIES}, _DEADLINE)
        self._teller.say(
            f"relight run site-failover -i site={_DIES}: {count(len(plan.steps), 'step')}, "
            f"forecast {expected(plan.forecast)}, {'people' if plan.overrides else 'nobody'} must sign"
        )
        for finding in plan.findings:
            if finding.code != "site-lost":  # that was just told
                self._teller.say(f"  {finding.message}", _STYLES[finding.strength])
        return plan

    def _bring_back(self, plan: Plan) -> Report:
        journal = Journal(Project(self._sandbox.folder).journal_path)
        run = submit(journal, plan, "demo", self._world.claims())
        with watching(plain=self._plain) as listener:
            state = driver(self._world, journal, run, listener).drive(wait=False)
        return report_of(state, tuple(journal.events(run)))

    def _tell_clients(self) -> None:
        log = self._sandbox.client_log()
        served = ", ".join(f"{number:,} by {site}" for site, number in log.by_site.items())
        self._teller.say(
            f"clients: {log.requests:,} requests, {log.failures} failed, "
            f"longest silence {brief(log.longest_gap)}; answered {served}"
        )

    # Looking

    def _watch(self, what: str, seconds: float) -> None:
        """Show for a while how things stand, and say how they stood in the end."""
        until = time.monotonic() + seconds
        with self._teller.waiting(what) as now:
            while True:
                said = self._progress(self._look())
                now(said)
                if time.monotonic() > until:
                    break
                time.sleep(_LOOK_EVERY_SECONDS)
        self._teller.say(said)

    def _look(self) -> Situation:
        return surveyor(self._world).survey(self._world.estate, _DEADLINE)

    def _progress(self, seen: Situation) -> str:
        """How training, points and clients stand, in one line."""
        site = seen.active_site(self._world.estate, _TRAINS) or "nobody knows where"
        step = seen.sites[site].last_step(_TRAINS) if site in seen.sites else None
        points = seen.workloads[_TRAINS].points_in(_TAKES_OVER)
        log = self._sandbox.client_log()
        point = (
            f"step {points[-1].step}, {brief(seen.now - points[-1].sealed_at)} old" if points else "none yet"
        )
        return (
            f"training at {site}: step {step}; newest point in {_TAKES_OVER}: {point}; "
            f"{log.requests:,} requests, {log.failures} failed"
        )
