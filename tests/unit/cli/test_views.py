from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console, RenderableType

from relight.cli.board import Board
from relight.cli.live import Lines
from relight.cli.output import Screen
from relight.cli.status import status_of
from relight.cli.status_view import status_view
from relight.cli.wording import brief, expected, lost_hours
from relight.engine import AttemptFailed, AttemptStarted, Event, GateReached, RunStarted, RunState
from relight.plan import Gate, Plan, Step
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
