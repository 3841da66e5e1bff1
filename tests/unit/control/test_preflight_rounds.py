"""A round of preflight, and what has changed between rounds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from relight.control import Project
from relight.control.changes import Changes
from relight.control.declared import DeclaredPlan
from relight.control.preflight import Preflight, project_checks, run_preflight
from relight.engine import Journal
from relight.errors import Reason, Refused, Unreachable
from relight.situation import PreflightCheck
from rig.estates import NOW
from rig.preflights import failing, outcomes

PLANS = (
    DeclaredPlan("failover(north)", "built", "if north is lost", needs=frozenset({"run", "store:south"})),
    DeclaredPlan(
        "failback(north)", "built", "if away", needs=frozenset({"run", "store:south", "store:north"})
    ),
    DeclaredPlan("failback(south)", "idle", "nothing to move"),
    DeclaredPlan("mine(x=…)", "untried", "no default"),
)
KEY = "hunter2hunter2"


def check(name: str, thing: str, ask: Callable[[], str] = lambda: "fine") -> PreflightCheck:
    return PreflightCheck(name, (thing,), ask)


def raising(error: Exception) -> Callable[[], str]:
    def ask() -> str:
        raise error

    return ask


def never() -> str:
    threading.Event().wait(30)
    return ""


def run(*checks: PreflightCheck, plans: tuple[DeclaredPlan, ...] = PLANS, deadline: float = 5) -> Preflight:
    return run_preflight(
        checks, plans, timedelta(seconds=deadline), lambda text: text.replace(KEY, "[redacted]")
    )


def test_where_everything_works_every_plan_is_ready() -> None:
    round_ = run(check("south works", "store:south"), check("north works", "store:north"))
    assert round_.is_passed
    assert [c.name for c in round_.checks][-2:] == [f"{plan.name} can be planned" for plan in PLANS[:2]]
    assert {plan.plan: plan.state for plan in round_.plans} == {
        "failover(north)": "ready",
        "failback(north)": "ready",
        "failback(south)": "idle",
        "mine(x=…)": "untried",
    }


def test_a_failure_names_the_plans_that_need_it_and_they_name_it() -> None:
    silent = raising(Unreachable("no answer", "is it up?"))
    round_ = run(check("north works", "store:north", silent), check("south works", "store:south"))
    failed = next(c for c in round_.checks if not c.is_passed)
    assert (failed.status, failed.reason, failed.remedy) == ("failed", "no answer", "is it up?")
    assert failed.needed_by == ("failback(north)",)
    states = {plan.plan: (plan.state, plan.failing) for plan in round_.plans}
    assert states["failback(north)"] == ("not-ready", ("north works",))
    assert states["failover(north)"] == ("ready", ())
    assert not round_.is_passed


def test_what_does_not_answer_in_time_is_unknown_and_holds_up_nothing() -> None:
    began = time.monotonic()
    round_ = run(check("south works", "store:south", never), check("other", "run"), deadline=0.2)
    assert time.monotonic() - began < 2
    assert [c.status for c in round_.checks[:2]] == ["unknown", "passed"]
    assert round_.checks[0].reason == "no answer within 0.2s"
    assert round_.plans[0].failing == ("south works",)


def test_a_check_that_breaks_costs_only_itself() -> None:
    round_ = run(check("odd", "run", raising(ZeroDivisionError("of course"))), check("other", "run"))
    assert [c.status for c in round_.checks[:2]] == ["failed", "passed"]
    assert round_.checks[0].reason == "the check broke: ZeroDivisionError: of course"


def test_a_plan_that_cannot_be_built_is_a_failure_of_its_own() -> None:
    blocked = DeclaredPlan("failover(south)", "blocked", "if south is lost: no room", "add nodes")
    round_ = run(plans=(blocked,))
    (failed,) = round_.checks
    assert (failed.name, failed.needed_by) == ("failover(south) can be planned", ("failover(south)",))
    assert failed.remedy == "add nodes"


def test_no_secret_and_nothing_that_moves_a_cursor_is_said() -> None:
    error = Refused(f"{KEY} is wrong\x1b[2J", f"not {KEY}", (Reason(f"as {KEY}"),))
    round_ = run(check("a", "run", raising(error)), check("b", "run", lambda: f"saw {KEY}\n"))
    text = round_.model_dump_json()
    assert KEY not in text
    assert round_.checks[0].reason == "[redacted] is wrong [2J; as [redacted]"
    assert round_.checks[1].seen == "saw [redacted] "


def test_a_project_that_can_record_runs_passes_and_is_left_as_it_was(tmp_path: Path) -> None:
    project = Project(tmp_path)
    assert not failing(project_checks(project, lambda: "all"))
    assert list(tmp_path.iterdir()) == []
    Journal(project.journal_path).close()
    before = project.journal_path.read_bytes()
    said = outcomes(project_checks(project, lambda: "all"))
    assert said["the project's runbooks load"] == "all"
    assert project.journal_path.read_bytes() == before


def test_a_journal_that_is_none_or_a_full_disk_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(tmp_path)
    project.state.mkdir()
    project.journal_path.write_bytes(b"no journal" * 1000)
    assert "cannot be written" in failing(project_checks(project, lambda: ""))["runs can be recorded here"]

    class Full:
        free = 1000

    monkeypatch.setattr("shutil.disk_usage", lambda _: Full)
    assert "1000B free" in failing(project_checks(project, lambda: ""))["runs can be recorded here"]


def told(changes: Changes) -> list[tuple[str, str]]:
    return [(change.word, change.check.name) for change in changes.next()]


class Rounds:
    """A look that sees, one after the other, what it is told to see; the last for good."""

    def __init__(self, *rounds: dict[str, bool] | Exception) -> None:
        self.rounds = list(rounds)

    def __call__(self) -> Preflight:
        seen = self.rounds.pop(0) if len(self.rounds) > 1 else self.rounds[0]
        if isinstance(seen, Exception):
            raise seen
        bad = raising(Unreachable("no answer"))
        checks = [check(name, "run", *([] if works else [bad])) for name, works in seen.items()]
        return run(*checks, plans=()).model_copy(update={"at": NOW})


def test_only_what_changes_is_told() -> None:
    both, broken = {"a": True, "b": True}, {"a": True, "b": False}
    rounds = Rounds(both, both, broken, broken, broken, both, both)
    changes = Changes(rounds)
    assert told(changes) == []
    assert told(changes) == []
    assert told(changes) == [("began to fail", "b")]  # in two looks
    assert told(changes) == []
    assert told(changes) == [("works again", "b")]
    assert told(changes) == []


def test_one_lost_packet_wakes_nobody() -> None:
    changes = Changes(Rounds({"a": True}, {"a": False}, {"a": True}))
    assert [told(changes) for _ in range(3)] == [[], [], []]


def test_a_round_that_breaks_is_told_once_and_forgets_nothing() -> None:
    fails = {"a": False}
    rounds = Rounds(fails, fails, OSError("gone"), OSError("gone"), OSError("gone"), fails, {"a": True})
    changes = Changes(rounds)
    assert told(changes) == [("began to fail", "a")]
    assert told(changes) == [("began to fail", "preflight itself")]
    assert told(changes) == []
    assert told(changes) == [("works again", "preflight itself")]
    assert told(changes) == [("works again", "a")]


def test_a_check_that_fell_away_while_it_failed_is_told() -> None:
    changes = Changes(Rounds({"a": False}, {"a": False}, {"b": True}))
    assert told(changes) == [("began to fail", "a")]
    assert told(changes) == [("is not tried any more", "a")]
    assert told(changes) == []
