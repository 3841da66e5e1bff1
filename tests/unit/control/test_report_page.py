"""The report's page: what came of it and who did what; nothing in it is markup, and no secret is in it."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from relight.control import Report, as_report_page, report_of
from relight.engine import (
    AttemptFailed,
    AttemptStarted,
    GateReached,
    Journal,
    RequestRefused,
    RunEnded,
    ThreadExecutor,
)
from relight.engine.fake import NoProcesses
from relight.plan import Context, Done, Expectation, Failed, Gate, Outcome, Step
from rig.histories import History, second
from rig.kinds import HANDLERS, Behave, Note, Noted, driver, plan_of, submit, surroundings


def step(name: str, *after: str, **fields: Any) -> Step:
    return Step(id=name, title=name, spec=Behave(), after=after, **fields)


def a_run(text: str = "x") -> History:
    promise = Expectation(
        workload="digits",
        rpo=timedelta(minutes=1),
        rto=timedelta(minutes=1),
        began=second(-5),
        back_at="b",
    )
    gate = Gate(question=f"go {text}?")
    plan = plan_of(step("a"), step("b", "a", gate=gate), expectations=(promise,))
    history = History(plan).did("a", 0, 10)
    history.add(GateReached, 10, gate="b", question=f"go {text}?", identities=1)
    history.add(RequestRefused, 15, identity="eve", request="approve b", why=f"no {text}")
    history.approved("b", 100, "ann", f"because {text}").add(AttemptStarted, 100, step="b", attempt=1)
    history.add(AttemptFailed, 101, step="b", attempt=1, reason=f"broke {text}", remedy=f"mend {text}")
    return history.add(RunEnded, 101, result="failed", reason=f"b: broke {text}")


def test_the_page_says_what_came_of_it_and_who_did_what() -> None:
    page = as_report_page(a_run().report)
    assert "test: failed in 1m41s: b: broke x." in page
    assert "| digits | RTO | - | 1m | - | not back |" in page
    assert "| b | go x? | 03:00:10 | approved | ann | 1m30s |" in page
    assert "- 03:01:40 ann approved b: because x" in page
    assert "refused to eve: approve b: no x" in page
    assert "| b failed: broke x | - | mend x |" in page
    assert "| 03:01:40 | people | ann approved b: because x | 1m30s |" in page
    assert "| b | 1s | 1m30s | 0s |" in page


def test_the_json_has_all_of_it_and_is_read_back() -> None:
    report = a_run().report
    assert Report.model_validate_json(report.model_dump_json()) == report
    assert [entry.type for entry in report.timeline] == [
        "run-started",
        "attempt-started",
        "attempt-done",
        "gate-reached",
        "request-refused",
        "approval-given",
        "attempt-started",
        "attempt-failed",
        "run-ended",
    ]


def test_a_report_from_before_there_were_timelines_is_still_read() -> None:
    old = a_run().report.model_dump(mode="json")
    for field in ("gates", "critical_path", "timeline", "improve"):
        del old[field]
    assert Report.model_validate(old).timeline == ()


def test_a_long_run_keeps_to_a_page_and_says_what_is_left_out() -> None:
    history = History(plan_of(*(step(f"n{n}") for n in range(3000))))
    for n in range(3000):
        history.did(f"n{n}", 0, 1)
    page = as_report_page(history.report)
    assert len(page.splitlines()) < 200
    assert "6,000 of 6,001 entries are left out here" in page
    assert "3,000 of 3,000 steps are left out here" in page


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=20))
def test_no_text_of_a_run_breaks_out_of_the_page(text: str) -> None:
    page, usual = as_report_page(a_run(text).report), as_report_page(a_run("x").report)
    assert len(page.splitlines()) == len(usual.splitlines())
    assert all(c == "\n" or c.isprintable() for c in page)
    for line, plain in zip(page.splitlines(), usual.splitlines(), strict=True):
        if line.startswith("|"):
            assert re.sub(r"\\.", "", line).count("|") == plain.count("|")
        else:
            assert not set("`*_[]<>|~") & set(re.sub(r"\\.", "", line))


SECRET = "hunter2-is-the-password"


class _Leaky:
    """Tells everybody the secret, in every way that a handler can."""

    def attempt(self, spec: Any, context: Context) -> Outcome:
        if isinstance(spec, Note):
            return Done(Noted(value=1))
        if context.attempt == 1:
            raise RuntimeError(f"cannot log in with {SECRET}")
        return Failed(f"refused {SECRET}", f"try {SECRET} again")


def test_no_secret_that_steps_or_people_let_slip_is_in_a_report(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    plan = plan_of(
        Step(id="note", title="n", spec=Note(path=str(tmp_path / "n"))),
        Step(id="leak", title="l", spec=Behave(), gate=Gate(question="go?")),
    )
    journal = Journal(path)
    submit(journal, plan)
    body = {"gate": "leak", "reason": f"it is {SECRET}", "digest": plan.digest}
    journal.ask("r1", "approve", "ann", body, second(0))
    journal.ask("r1", "approve", "eve", {**body, "gate": SECRET}, second(0))
    leaky = dict.fromkeys(HANDLERS, _Leaky())
    processes = NoProcesses()
    around = surroundings(
        executor=ThreadExecutor(leaky.__getitem__, processes),
        processes=processes,
        redact=lambda text: text.replace(SECRET, "[secret]"),
    )
    state = driver(path, around=around).drive(wait=False)
    assert state.ended
    report = report_of(state, tuple(Journal(path).events("r1")))
    for told in (as_report_page(report), report.model_dump_json()):
        assert SECRET not in told
        assert "secret" in told
