from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console, RenderableType

from relight.cli.board import Board
from relight.cli.gates import approve_command
from relight.cli.live import Lines
from relight.cli.output import Screen
from relight.cli.status import status_of
from relight.cli.status_view import status_view
from relight.cli.waits import waits_of
from relight.cli.windows import window_line, windows_of
from relight.cli.wording import brief, expected, lost_hours
from relight.engine import (
    AbortAsked,
    AttemptFailed,
    AttemptStarted,
    Event,
    GateEscalated,
    GateExpired,
    GateReached,
    GateRefused,
    GroupOpened,
    RequestRefused,
    RunContinued,
    RunPaused,
    RunStarted,
    RunState,
    RunStuck,
)
from relight.plan import Gate, Plan, Step, Window
from rig.estates import a_situation, an_estate
from rig.kinds import Behave, plan_of

AT = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


def shown(view: RenderableType, width: int = 120) -> str:
    console = Console(width=width, file=StringIO(), record=True, markup=False, highlight=False)
    console.print(view)
    return console.export_text()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0.0s"),
        (0.03, "30ms"),
        (0.42, "0.4s"),
        (9.94, "9.9s"),
        (9.96, "10s"),
        (59.6, "1m"),
        (200, "3m20s"),
        (3600 + 29, "1h"),
        (90_000, "1d1h"),
    ],
)
def test_durations_are_said_to_the_digit_that_matters(seconds: float, said: str) -> None:
    assert brief(timedelta(seconds=seconds)) == said


def test_what_is_not_known_is_a_dash() -> None:
    assert (brief(None), expected(None), lost_hours(None)) == ("-", "-", "-")


# The status


def test_the_status_says_what_is_lost_at_risk_and_silent() -> None:
    estate = an_estate()
    text = shown(status_view(status_of(estate, a_situation(estate))))
    assert "lost, last seen up 02:59:40 (20s ago)" in text
    assert "up: east, west, harbour" in text
    assert "10s, 10 steps, 0.044 GPU-hours (from south)" in text
    assert "8 of 32" in text
    silent = text[text.index("NO ANSWER FROM") :]
    assert "points of digits in store north  connection refused" in silent
    assert "the scheduler of north" in silent


def test_what_is_unknown_is_unknown_in_json_too() -> None:
    estate = an_estate()
    answer = status_of(estate, a_situation(estate)).model_dump(mode="json")
    assert answer["sites"]["north"]["free_gpus"] == {"known": False, "reason": "connection refused"}
    assert answer["workloads"]["digits"]["points"]["south"]["value"]["count"] == 2
    assert answer["workloads"]["digits"]["exposure"]["age"] == "10s"
    assert answer["workloads"]["app"]["exposure"] is None


# A run while it is driven


def state_of(plan: Plan) -> RunState:
    return RunState("r1", plan, RunStarted(at=AT, run="r1", by="ann", digest=plan.digest, plan={}))


def told(state: RunState, *events: Event) -> list[Event]:
    for event in events:
        state.apply(event)
    return list(events)


def a_board(height: int) -> Board:
    screen = Screen()
    screen.file = StringIO()
    screen.size = screen.size.__class__(100, height)
    return Board(screen)


def test_a_small_plan_is_shown_whole_and_in_order() -> None:
    state = state_of(plan_of(*(Step(id=f"s{n}", title=f"do {n}", spec=Behave()) for n in range(5))))
    board = a_board(height=40)
    board.recorded(told(state, AttemptStarted(at=AT, step="s3", attempt=1)), state)
    text = shown(board.draw(), width=100)
    positions = [text.index(f"do {n}") for n in range(5)]
    assert positions == sorted(positions)
    assert "▶" in text


def test_a_huge_plan_fits_the_terminal_and_shows_what_matters() -> None:
    state = state_of(plan_of(*(Step(id=f"s{n:04}", title="do", spec=Behave()) for n in range(3000))))
    board = a_board(height=20)
    events = told(
        state,
        AttemptStarted(at=AT, step="s2500", attempt=1),
        AttemptStarted(at=AT, step="s2900", attempt=1),
        AttemptFailed(at=AT, step="s2500", attempt=1, reason="the disk is gone"),
    )
    board.recorded(events, state)
    text = shown(board.draw(), width=100)
    assert len(text.splitlines()) <= 20
    assert "the disk is gone" in text
    assert "s2900" in text
    assert "more steps" in text


def test_a_gate_is_shown_with_what_people_must_type() -> None:
    gate = Gate(question="is it dark?", identities=2)
    state = state_of(plan_of(Step(id="s", title="do", spec=Behave(), gate=gate)))
    board = a_board(height=30)
    board.recorded(told(state, GateReached(at=AT, gate="s", question="is it dark?", identities=2)), state)
    text = shown(board.draw(), width=100)
    assert "is it dark?" in text
    assert "0 of 2 signed" in text
    assert "relight approve r1 s --as NAME" in text


def test_lines_name_time_and_step(capsys: pytest.CaptureFixture[str]) -> None:
    state = state_of(plan_of(Step(id="s", title="do it", spec=Behave())))
    Lines().recorded(told(state, AttemptStarted(at=AT, step="s", attempt=1)), state)
    assert capsys.readouterr().out == "03:00:00  s: do it\n"


def test_a_reader_that_went_away_does_not_stop_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    state = state_of(plan_of(Step(id="s", title="do it", spec=Behave())))
    events = told(state, AttemptStarted(at=AT, step="s", attempt=1))
    lines = Lines()
    monkeypatch.setattr(sys, "stdout", Gone())
    lines.recorded(events, state)
    lines.recorded(events, state)


# What people are to do


def test_a_stuck_run_is_shown_with_the_ways_out_and_fits_the_terminal() -> None:
    steps = [Step(id=f"s{n}", title="do", spec=Behave()) for n in range(30)]
    state = state_of(plan_of(*steps))
    board = a_board(height=24)
    events: list[Event] = []
    for n in range(30):
        events.append(AttemptStarted(at=AT, step=f"s{n}", attempt=1))
        events.append(AttemptFailed(at=AT, step=f"s{n}", attempt=1, reason="no disk", remedy="mend it"))
    events.append(RunStuck(at=AT, steps=tuple(f"s{n}" for n in range(20))))
    board.recorded(told(state, *events), state)
    text = shown(board.draw(), width=100)
    assert "relight retry r1 s0" in text
    assert 'relight skip r1 s0 --reason "…"' in text
    assert "what to do: mend it" in text
    assert 'relight abort r1 --reason "…"' in text
    assert "--undo" not in text  # nothing of it could be taken back
    assert "and 17 more: relight show r1" in text
    assert len(text.splitlines()) <= 24


def test_a_pause_and_a_refused_request_are_on_the_board() -> None:
    state = state_of(plan_of(Step(id="s", title="do", spec=Behave())))
    board = a_board(height=30)
    events = told(
        state,
        RunPaused(at=AT, identity="ann", reason="smoke"),
        RequestRefused(at=AT, identity="bob", request="continue", why="bob is nobody"),
    )
    board.recorded(events, state)
    text = shown(board.draw(), width=100)
    assert "paused by ann" in text
    assert ": smoke" in text
    assert "relight resume r1" in text
    assert "refused bob: continue: bob is nobody" in text


def test_a_gate_says_who_was_called_and_what_no_answer_means() -> None:
    gate = Gate(
        question="go?",
        escalate_after=timedelta(minutes=5),
        escalate_to=("cto",),
        expire_after=timedelta(minutes=30),
        fallback="approve",
    )
    state = state_of(plan_of(Step(id="s", title="do", spec=Behave(), gate=gate)))
    told(state, GateReached(at=AT, gate="s", question="go?", identities=1))
    (wait,) = waits_of(state, AT + timedelta(minutes=2))
    assert "cto called at 03:05:00, in 3m" in wait.notes
    assert "without an answer it counts as approved at 03:30:00, in 28m" in wait.notes
    told(state, GateEscalated(at=AT + timedelta(minutes=5), gate="s", to=("cto",)))
    (wait,) = waits_of(state, AT + timedelta(minutes=31))
    assert "cto called at 03:05:00, 26m ago" in wait.notes
    assert "counts as approved at once, when the run is driven (it was due at 03:30:00)" in wait.notes[-1]
    assert any(command.startswith("relight refuse r1 s ") for command in wait.commands)


def test_a_window_says_how_far_it_is() -> None:
    steps = [Step(id=f"s{n}", title="do", spec=Behave(), window="hall", group=f"n{n}") for n in range(5)]
    state = state_of(plan_of(*steps, windows={"hall": Window(size=2, canaries=1)}))
    board = a_board(height=30)
    board.recorded(told(state, GroupOpened(at=AT, window="hall", group="n0")), state)
    text = shown(board.draw(), width=160)
    assert "0 of 5 groups came through; under way: n0; 4 to come; the first 1 must come through" in text
    failing: tuple[Event, ...] = (
        AttemptStarted(at=AT, step="s0", attempt=1),
        AttemptFailed(at=AT, step="s0", attempt=1, reason="no disk"),
    )
    board.recorded(told(state, *failing), state)
    assert "failed: n0 (0 may fail); 4 to come" in shown(board.draw(), width=160)
    question = GateReached(at=AT, gate="window:hall", question="go on?", identities=1)
    told(state, question)
    (wait,) = waits_of(state, AT)
    assert 'relight approve r1 window:hall --as NAME --reason "…"' in wait.commands
    told(state, GateRefused(at=AT, gate="window:hall", identity="ann", reason="x", digest=state.plan.digest))
    assert waits_of(state, AT) == ()
    assert "people said no to going on" in window_line(windows_of(state)[0])


def test_names_are_quoted_where_a_shell_would_break_them() -> None:
    assert approve_command("r1", "override:odd:the hall").startswith(
        "relight approve r1 'override:odd:the hall' "
    )


def test_every_event_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    state = state_of(plan_of(Step(id="s", title="do it", spec=Behave(), gate=Gate(question="go?"))))
    events: tuple[Event, ...] = (
        GateReached(at=AT, gate="s", question="go?", identities=1),
        GateEscalated(at=AT, gate="s", to=("cto",)),
        GateExpired(at=AT, gate="s", fallback="refuse"),
        RunContinued(at=AT, identity="ann", reason=""),
        AbortAsked(at=AT, identity="ann", reason="x", undo=True),
    )
    Lines().recorded(told(state, *events), state)
    out = capsys.readouterr().out
    assert "nobody answered yet; called cto" in out
    assert "so it counts as refused" in out
    assert "ann lets the run go on\n" in out
    assert "ann ends the run, and what was done is taken back: x" in out
