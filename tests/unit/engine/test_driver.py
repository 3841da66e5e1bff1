"""Driving runs: real threads, a real journal, steps that leave a line per effect."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from relight.audit import verify_run
from relight.engine import (
    AttemptDone,
    AttemptStarted,
    Driver,
    Event,
    Journal,
    Judge,
    LeaseTaken,
    RunState,
    Status,
    fold,
    is_gone,
    this_holder,
)
from relight.engine.fake import MemoryAnchors, MemoryClaims
from relight.errors import LeaseLost, Refused, Unreachable
from relight.plan import Finding, Gate, Gather, Irreversible, Plan, Progress, Ref, RetryPolicy, Step, Window
from rig.kinds import CATALOGUE, Behave, Note, driver, plan_of, submit, surroundings

QUICK = RetryPolicy(attempts=3, first=timedelta(milliseconds=1))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def only(*people: str) -> Judge:
    return lambda request, _state: "" if request.identity in people else f"{request.identity} may not"


def diamond(file: Path) -> Plan:
    return plan_of(
        Step(id="a", title="a", spec=Note(path=str(file), value=1)),
        Step(id="b", title="b", spec=Note(path=str(file), value=Ref("a", "value")), after=("a",)),
        Step(id="c", title="c", spec=Note(path=str(file), value=Ref("a", "value")), after=("a",)),
        Step(
            id="d", title="d", spec=Note(path=str(file), values=Gather(("b", "c"), "value")), after=("b", "c")
        ),
    )


def approve_when_asked(path: Path, gate: str, who: str, digest: str) -> threading.Thread:
    def ask() -> None:
        journal = Journal(path)
        journal.ask(
            "r1", "approve", who, {"gate": gate, "reason": "fine", "digest": digest}, datetime.now(UTC)
        )
        journal.close()

    thread = threading.Thread(target=ask)
    thread.start()
    return thread


class Recorder:
    """A listener that remembers, and can act after an event."""

    def __init__(self, act: Callable[[Event], None] = lambda _: None) -> None:
        self.events: list[Event] = []
        self.progress: list[str] = []
        self._act = act

    def recorded(self, events: list[Event], state: RunState) -> None:
        for event in events:
            self.events.append(event)
            self._act(event)

    def progressed(self, step: str, progress: Progress, state: RunState) -> None:
        self.progress.append(step)


def test_a_run_carries_facts_from_step_to_step_and_does_each_once(path: Path, tmp_path: Path) -> None:
    submit(Journal(path), diamond(tmp_path / "effects"))
    state = driver(path).drive()
    assert state.ended
    assert state.ended.result == "done"
    assert state.steps["d"].facts == {"value": 7}  # a: 2, b and c: 3, d: 0 + 1 + 3 + 3
    assert sorted(lines(tmp_path / "effects")) == ["r1/a", "r1/b", "r1/c", "r1/d"]
    assert verify_run(Journal(path), "r1", None).faults == ()


def test_an_anchor_covers_the_whole_run_when_it_has_ended(path: Path, tmp_path: Path) -> None:
    submit(Journal(path), diamond(tmp_path / "effects"))
    anchors = MemoryAnchors()
    driver(path, around=surroundings(anchors=anchors)).drive()
    row = Journal(path).row("r1")
    assert anchors.read("r1") == (row.sequence, row.head)


def test_a_dead_witness_does_not_stop_a_run_and_is_told_of(path: Path, tmp_path: Path) -> None:
    class DeadAnchors(MemoryAnchors):
        def publish(self, run: str, sequence: int, head: str) -> None:
            raise Unreachable("no answer")

    submit(Journal(path), diamond(tmp_path / "effects"))
    run = driver(path, around=surroundings(anchors=DeadAnchors()))
    state = run.drive()
    assert state.ended
    assert state.ended.result == "done"
    assert "no answer" in run.anchor_trouble


@pytest.mark.parametrize(
    ("script", "status", "attempts"),
    [
        (("retry", "done"), Status.DONE, 2),
        (("retry",), Status.FAILED, 3),
        (("fail",), Status.FAILED, 1),
        (("a bug",), Status.FAILED, 1),
    ],
)
def test_an_outcome_leads_where_it_should(
    path: Path, script: tuple[str, ...], status: Status, attempts: int
) -> None:
    submit(Journal(path), plan_of(Step(id="a", title="a", spec=Behave(script=script), retry=QUICK)))
    state = driver(path).drive()
    assert (state.steps["a"].status, state.steps["a"].attempt) == (status, attempts)
    if script == ("a bug",):
        assert "RuntimeError: a bug" in state.steps["a"].reason


def test_progress_is_shown_always_and_recorded_seldom(path: Path) -> None:
    plan = plan_of(
        Step(
            id="a",
            title="a",
            spec=Behave(script=("work",)),
            timeout=timedelta(seconds=0.3),
            retry=RetryPolicy(attempts=1),
        )
    )
    submit(Journal(path), plan)
    recorder = Recorder()
    driver(path, listener=recorder).drive()
    assert [e.type for e in recorder.events].count("attempt-progressed") == 1


def test_a_hanging_handler_neither_delays_the_end_nor_counts_when_it_wakes(path: Path) -> None:
    hang = Step(
        id="hang",
        title="h",
        spec=Behave(script=("hang",)),
        timeout=timedelta(seconds=0.1),
        retry=RetryPolicy(attempts=1),
    )
    submit(Journal(path), plan_of(hang, Step(id="b", title="b", spec=Behave())))
    before = time.monotonic()
    state = driver(path).drive()
    assert time.monotonic() - before < 0.9
    assert state.steps["hang"].status is Status.FAILED
    assert state.steps["b"].status is Status.DONE


def interrupted(path: Path, plan: Plan) -> None:
    """Leave a journal as a controller leaves it that was killed right after it started step `a`."""
    journal = Journal(path)
    submit(journal, plan)
    term = journal.take_lease("r1", "gone/1/gone/x/y", datetime.now(UTC), timedelta(0))
    now = datetime.now(UTC)
    journal.append(
        "r1",
        term,
        [LeaseTaken(at=now, term=term, holder="gone"), AttemptStarted(at=now, step="a", attempt=1)],
    )
    journal.close()


def test_a_probing_step_that_was_cut_off_is_looked_at_and_not_done_twice(path: Path, tmp_path: Path) -> None:
    effects = tmp_path / "effects"
    interrupted(path, diamond(effects))
    effects.write_text("r1/a\n")  # the effect had happened, only nobody wrote it down
    state = driver(path).drive()
    assert state.ended
    assert state.steps["a"].attempt == 2
    assert lines(effects).count("r1/a") == 1


def test_a_step_that_cannot_be_looked_up_asks_a_person_after_a_cut_off(path: Path) -> None:
    plan = plan_of(Step(id="a", title="a", spec=Behave()))
    interrupted(path, plan)
    waiting = driver(path).drive(wait=False)
    assert waiting.steps["a"].status is Status.ASKING
    assert list(waiting.waiting_gates) == ["again:a"]
    approve_when_asked(path, "again:a", "ann", plan.digest).join()
    state = driver(path).drive(wait=False)
    assert state.ended
    assert state.steps["a"].attempt == 2


def test_an_approval_opens_a_gate_only_for_the_plan_it_was_given_for(path: Path) -> None:
    plan = plan_of(Step(id="a", title="a", spec=Behave(), gate=Gate(question="sure?")))
    submit(Journal(path), plan)
    assert driver(path).drive(wait=False).ended is None
    approve_when_asked(path, "a", "ann", "sha256:of-a-plan-that-was-changed").join()
    state = driver(path).drive(wait=False)
    assert state.ended is None
    assert "sha256:of-a-plan-that-was-changed" in state.refusals[0].why
    approve_when_asked(path, "a", "ann", plan.digest).join()
    ended = driver(path).drive(wait=False).ended
    assert ended
    assert ended.result == "done"


def test_an_override_needs_two_named_people_who_may_approve(path: Path) -> None:
    finding = Finding(strength="override", code="odd", subject="x", message="is it?", identities=2)
    plan = plan_of(Step(id="a", title="a", spec=Behave()), findings=(finding,))
    submit(Journal(path), plan)
    around = surroundings(why_not=only("ann", "bob"))
    for who in ("mallory", "ann", "ann"):
        approve_when_asked(path, finding.gate, who, plan.digest).join()
    state = Driver("r1", Journal(path), around).drive(wait=False)
    assert state.ended is None
    assert [r.identity for r in state.refusals] == ["mallory", "ann"]
    approve_when_asked(path, finding.gate, "bob", plan.digest).join()
    around = surroundings(why_not=only("ann", "bob"))
    assert Driver("r1", Journal(path), around).drive(wait=False).ended


def test_a_second_controller_is_refused_while_the_first_drives(path: Path) -> None:
    submit(Journal(path), plan_of(Step(id="a", title="a", spec=Behave(), gate=Gate(question="wait"))))
    stop = threading.Event()

    def first() -> None:
        journal = Journal(path)
        journal.take_lease("r1", this_holder(), datetime.now(UTC), timedelta(seconds=30))
        stop.wait(5)

    thread = threading.Thread(target=first)
    thread.start()
    time.sleep(0.1)
    journal = Journal(path)
    with pytest.raises(Refused, match="is driven by"):
        journal.take_lease("r1", "elsewhere/1/2/3/4", datetime.now(UTC), timedelta(seconds=1))
    stop.set()
    thread.join()


def test_a_controller_whose_lease_was_taken_stops_without_another_event(path: Path, tmp_path: Path) -> None:
    effects = tmp_path / "effects"
    submit(Journal(path), diamond(effects))

    def steal(event: Event) -> None:
        if isinstance(event, AttemptDone) and event.step == "a":
            thief = Journal(path)
            thief.take_lease("r1", "thief/1/2/3/4", datetime.now(UTC), timedelta(0), is_dead=True)
            thief.close()

    with pytest.raises(LeaseLost):
        driver(path, listener=Recorder(steal)).drive()
    before = Journal(path).row("r1").sequence
    assert "r1/d" not in lines(effects)
    assert Journal(path).row("r1").sequence == before
    state = driver(path).drive()
    assert state.ended
    assert sorted(lines(effects)) == ["r1/a", "r1/b", "r1/c", "r1/d"]
    assert verify_run(Journal(path), "r1", None).faults == ()


def test_a_run_whose_claims_overlap_is_refused_and_told_by_whom(path: Path) -> None:
    claims = MemoryClaims()
    first = plan_of(
        Step(id="a", title="a", spec=Behave(), gate=Gate(question="wait")), claims=("site:north",)
    )
    submit(Journal(path), first, "r1")
    driver(path, "r1", surroundings(claims=claims)).drive(wait=False)
    submit(Journal(path), first, "r2")
    with pytest.raises(Refused, match="site:north by r1"):
        driver(path, "r2", surroundings(claims=claims)).drive(wait=False)
    assert Journal(path).row("r2").ended


def test_a_value_that_was_resolved_as_a_secret_is_in_no_event(path: Path) -> None:
    plan = plan_of(Step(id="a", title="a", spec=Behave(script=("hunter2 leaked",))))
    submit(Journal(path), plan)
    around = surroundings(redact=lambda text: text.replace("hunter2", "[redacted]"))
    state = Driver("r1", Journal(path), around).drive()
    assert "[redacted] leaked" in state.steps["a"].reason
    later = [e.body for e in Journal(path).entries("r1")][1:]
    assert not any("hunter2" in body for body in later)


def test_this_process_is_not_gone_and_one_that_ended_is() -> None:
    assert not is_gone(this_holder())
    host, _, _, boot, namespace = this_holder().split("/")
    assert is_gone(f"{host}/4194303/1/{boot}/{namespace}")
    assert not is_gone(f"elsewhere/4194303/1/{boot}/{namespace}")
    assert not is_gone(f"{host}/4194303/1/{boot}/another-namespace")


def test_replaying_a_journal_gives_the_state_that_the_driver_had(path: Path, tmp_path: Path) -> None:

    submit(Journal(path), diamond(tmp_path / "effects"))
    state = driver(path).drive()
    replayed = fold(Journal(path).events("r1"), CATALOGUE)

    def told(s: RunState) -> dict[str, Any]:
        return {n: (x.status, x.attempt, x.facts, x.started_at, x.ended_at) for n, x in s.steps.items()}

    assert told(replayed) == told(state)


def asked(path: Path, kind: str, **body: str) -> None:
    journal = Journal(path)
    journal.ask("r1", kind, "ann", {"reason": "because"} | body, datetime.now(UTC))
    journal.close()


def test_a_run_waits_for_people_when_a_needed_step_failed_and_a_retry_brings_it_home(path: Path) -> None:
    plan = plan_of(
        Step(id="a", title="a", spec=Behave(script=("fail", "done"))),
        Step(id="b", title="b", spec=Behave(), after=("a",)),
        when_stuck="ask",
    )
    submit(Journal(path), plan)
    state = driver(path).drive(wait=False)
    assert state.ended is None
    assert state.stuck
    assert state.stuck.steps == ("a",)
    asked(path, "retry", step="a")
    state = driver(path).drive(wait=False)
    assert state.ended
    assert state.ended.result == "done"
    assert state.steps["b"].status is Status.DONE


def test_a_skipped_step_counts_as_done_with_the_facts_that_a_person_gives(path: Path, tmp_path: Path) -> None:
    plan = plan_of(
        Step(id="a", title="a", spec=Note(path="/nowhere/at/all"), retry=RetryPolicy(attempts=1)),
        Step(id="b", title="b", spec=Note(path=str(tmp_path / "e"), value=Ref("a", "value")), after=("a",)),
        when_stuck="ask",
    )
    submit(Journal(path), plan)
    assert driver(path).drive(wait=False).stuck
    asked(path, "skip", step="a")
    state = driver(path).drive(wait=False)
    assert "value is what later steps refer to" in state.refusals[0].why
    asked(path, "skip", step="a", facts='{"value": 41}')
    state = driver(path).drive(wait=False)
    assert state.ended
    assert state.ended.result == "done"
    assert state.steps["a"].status is Status.SKIPPED
    assert state.steps["b"].facts == {"value": 42}


def test_a_paused_run_starts_nothing_until_it_is_continued(path: Path, tmp_path: Path) -> None:
    submit(Journal(path), diamond(tmp_path / "effects"))
    asked(path, "pause")
    state = driver(path).drive(wait=False)
    assert state.paused
    assert lines(tmp_path / "effects") == []
    asked(path, "continue")
    assert driver(path).drive().ended


def test_an_abort_undoes_in_reverse_what_was_done_and_a_failed_undo_spares_what_it_stands_on(
    path: Path, tmp_path: Path
) -> None:
    undone = tmp_path / "undone"

    def step(name: str, undo: Note | Behave, *after: str) -> Step:
        spec = Note(path=str(tmp_path / "done"))
        return Step(id=name, title=name, spec=spec, undo=undo, after=after, retry=RetryPolicy(attempts=1))

    plan = plan_of(
        step("a", Note(path=str(undone))),
        step("b", Behave(script=("fail",)), "a"),
        step("c", Note(path=str(undone)), "b"),
        step("other", Note(path=str(undone))),
        Step(id="gone", title="g", spec=Behave(), undo=Irreversible("it is gone"), after=("c",)),
        Step(id="last", title="l", spec=Behave(), gate=Gate(question="?"), after=("gone",)),
    )
    submit(Journal(path), plan)
    driver(path).drive(wait=False)
    asked(path, "abort", undo="yes")
    state = driver(path).drive()
    assert state.ended
    assert state.ended.result == "aborted"
    assert "told to fail" in state.ended.reason
    assert sorted(lines(undone)) == ["r1/undo.c", "r1/undo.other"]
    assert state.steps["undo.b"].status is Status.FAILED
    assert state.steps["undo.a"].status is Status.BLOCKED
    assert state.steps["last"].status is Status.LET_GO


def test_a_run_stops_before_its_first_effect_when_the_world_has_become_worse(
    path: Path, tmp_path: Path
) -> None:
    submit(Journal(path), diamond(tmp_path / "effects"))
    around = surroundings(resurvey=lambda _plan: ("block: the standby is on fire",))
    state = Driver("r1", Journal(path), around).drive()
    assert state.ended
    assert state.ended.result == "refused"
    assert "on fire" in state.ended.reason
    assert lines(tmp_path / "effects") == []


def test_a_thousand_nodes_end_when_their_join_is_met_and_not_when_the_last_hangs(path: Path) -> None:
    steps, last = [], []
    for node in range(1000):
        script = ("fail",) if node % 20 == 7 else ("work",) if node % 100 == 3 else ("done",)
        for turn in range(6):
            after = (f"n{node}-{turn - 1}",) if turn else ()
            does = Behave(script=script if turn == 3 else ("done",))
            steps.append(
                Step(id=f"n{node}-{turn}", title="", spec=does, after=after, window="hall", group=f"n{node}")
            )
        last.append(f"n{node}-5")
    join = Step(id="enough", title="", spec=Behave(), after=tuple(last), at_least=900)
    window = Window(size=40, canaries=2, budget=100)
    submit(Journal(path), plan_of(*steps, join, windows={"hall": window}))
    state = driver(path).drive()
    assert state.ended
    assert state.ended.result == "done"
    hanging = [name for name, step in state.steps.items() if step.status is Status.LET_GO and step.attempt]
    assert hanging
    assert all("nothing waits for it" in state.steps[name].reason for name in hanging)
