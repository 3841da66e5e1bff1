"""Preflight: everything that declared plans would need is tried now, from here, all at once.

A check that fails names the plans that would not work as planned; a plan is ready if all that it needs works.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal

from relight.canonical import Frozen
from relight.control.asking import Answered, ask_all
from relight.control.declared import EVERY_RUN, DeclaredPlan
from relight.control.project import Project
from relight.errors import JournalError, RelightError
from relight.situation import PreflightCheck
from relight.units import Duration, format_bytes, format_duration

_LEAST_FREE_BYTES = 256 * 2**20  # a run writes events, and what its processes say
_BUSY_SECONDS = 1.0


class CheckResult(Frozen):
    """What one check came to. passed: `seen` says what was seen; else `reason` and `remedy` say why not."""

    name: str
    status: Literal["passed", "failed", "unknown"]  # unknown: it did not answer in time
    seen: str = ""
    reason: str = ""
    remedy: str = ""
    milliseconds: int
    needed_by: tuple[str, ...] = ()  # plans that need what it is about

    @property
    def is_passed(self) -> bool:
        """Whether it holds."""
        return self.status == "passed"


class PlanReadiness(Frozen):
    """How it is with one declared plan; `failing` are the checks that stand in its way."""

    plan: str
    state: Literal["ready", "not-ready", "idle", "untried"]
    about: str  # the situation that it is for; for the last two, why there is none
    failing: tuple[str, ...] = ()


class Preflight(Frozen):
    """One round."""

    at: datetime
    took: Duration
    checks: tuple[CheckResult, ...]
    plans: tuple[PlanReadiness, ...]

    @property
    def is_passed(self) -> bool:
        """Whether everything holds."""
        return all(check.is_passed for check in self.checks)


def run_preflight(
    checks: Iterable[PreflightCheck],
    plans: tuple[DeclaredPlan, ...],
    deadline: Duration,
    redact: Callable[[str], str],
) -> Preflight:
    """Ask every check at once, and take what answers within the deadline."""
    at, began = datetime.now(UTC), time.monotonic()
    every = (*checks, *(_buildable(plan) for plan in plans if plan.state in ("built", "blocked")))
    answers = ask_all({index: check.ask for index, check in enumerate(every)}, deadline, "preflight")

    def said(text: str) -> str:
        return "".join(c if c.isprintable() else " " for c in redact(text))

    results = []
    for index, check in enumerate(every):
        needed_by = tuple(plan.name for plan in plans if _needs(plan, check))
        results.append(_result(check, answers.get(index), deadline, needed_by, said))
    readiness = tuple(_readiness(plan, results) for plan in plans)
    took = _to_the_millisecond(time.monotonic() - began)
    return Preflight(at=at, took=took, checks=tuple(results), plans=readiness)


def project_checks(project: Project, load: Callable[[], str]) -> Iterator[PreflightCheck]:
    """What every run needs of the project itself; `load` loads the runbooks, and says which."""
    things = (EVERY_RUN,)
    yield PreflightCheck("the project's runbooks load", things, load)
    yield PreflightCheck("runs can be recorded here", things, partial(_record, project))


def _record(project: Project) -> str:
    there = project.state if project.state.is_dir() else project.root
    try:
        with tempfile.TemporaryFile(dir=there) as trial:
            trial.write(b"1")
        free = shutil.disk_usage(there).free
    except OSError as error:
        raise JournalError(
            f"nothing can be written to {there}: {error.strerror}",
            "a run is recorded there: mount it writable",
        ) from None
    if free < _LEAST_FREE_BYTES:
        raise JournalError(
            f"{there} has only {format_bytes(free)} free", "make room: a run is recorded there"
        )
    if project.journal_path.exists():
        _lock_journal(project)
    return f"{format_bytes(free)} free"


def _lock_journal(project: Project) -> None:
    """Take the right to write, and give it back."""
    path = project.journal_path
    try:
        journal = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=_BUSY_SECONDS, isolation_level=None
        )
        try:
            journal.execute("BEGIN IMMEDIATE")
            journal.execute("ROLLBACK")
        finally:
            journal.close()
    except sqlite3.Error as error:
        raise JournalError(
            f"the journal {path} cannot be written: {error}", "check file and rights"
        ) from None


def _buildable(plan: DeclaredPlan) -> PreflightCheck:
    def ask() -> str:
        if plan.state == "blocked":
            raise RelightError(plan.reason, plan.remedy)
        return plan.reason

    return PreflightCheck(f"{plan.name} can be planned", (_itself(plan),), ask)


def _itself(plan: DeclaredPlan) -> str:
    return f"plan:{plan.name}"


def _needs(plan: DeclaredPlan, check: PreflightCheck) -> bool:
    return not plan.needs.isdisjoint(check.things) or _itself(plan) in check.things


def _result(
    check: PreflightCheck,
    answer: Answered[str] | None,
    deadline: Duration,
    needed_by: tuple[str, ...],
    said: Callable[[str], str],
) -> CheckResult:
    if answer is None:
        return CheckResult(
            name=said(check.name),
            status="unknown",
            reason=f"no answer within {format_duration(deadline)}",
            remedy="is it slow, or is the way to it? --deadline gives it longer",
            milliseconds=round(deadline.total_seconds() * 1000),
            needed_by=needed_by,
        )
    seen, reason, remedy = "", "", ""
    match answer.value:
        case RelightError() as error:
            reason, remedy = "; ".join([error.what, *map(str, error.reasons)]), error.remedy
        case Exception() as error:
            reason = f"the check broke: {type(error).__name__}: {error}"
        case str() as text:
            seen = text
    return CheckResult(
        name=said(check.name),
        status="failed" if reason else "passed",
        seen=said(seen),
        reason=said(reason),
        remedy=said(remedy),
        milliseconds=round(answer.seconds * 1000),
        needed_by=needed_by,
    )


def _readiness(plan: DeclaredPlan, results: Iterable[CheckResult]) -> PlanReadiness:
    failing = tuple(r.name for r in results if plan.name in r.needed_by and not r.is_passed)
    match plan.state:
        case "idle" | "untried":
            return PlanReadiness(plan=plan.name, state=plan.state, about=plan.reason)
        case _:
            state: Literal["ready", "not-ready"] = "not-ready" if failing else "ready"
            return PlanReadiness(plan=plan.name, state=state, about=plan.reason, failing=failing)


def _to_the_millisecond(seconds: float) -> Duration:
    return timedelta(milliseconds=round(seconds * 1000))
