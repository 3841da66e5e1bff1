"""The live board of a run: every step where the terminal has room, else what runs, failed and comes next.

It is drawn a few times a second by a thread of its own from the run's state, which the driving thread goes on
changing meanwhile: what is read here is read at once or copied first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from relight.cli.live import shown_progress
from relight.cli.output import Screen, table
from relight.cli.waits import waits_of
from relight.cli.windows import window_line, windows_of
from relight.cli.wording import brief, expected
from relight.engine import (
    SUCCEEDED,
    AttemptDone,
    AttemptFailed,
    AttemptInterrupted,
    AttemptProgressed,
    AttemptRetried,
    AttemptStarted,
    ClaimsTaken,
    Event,
    GateEscalated,
    GateReached,
    GroupOpened,
    LeaseTaken,
    RequestRefused,
    Resurveyed,
    RunContinued,
    RunPaused,
    RunState,
    RunStuck,
    Status,
    StepBlocked,
    StepLetGo,
    StepState,
)
from relight.plan import Expectation, Progress, estimate_of

_REDRAWS_PER_SECOND = 8
_MARKS = {
    Status.WAITING: ("·", "dim"),
    Status.GATED: ("?", "bold yellow"),
    Status.HELD: ("·", "dim"),
    Status.READY: ("·", "default"),
    Status.RUNNING: ("▶", "bold cyan"),
    Status.RETRYING: ("↻", "yellow"),
    Status.ASKING: ("?", "bold yellow"),
    Status.DONE: ("✓", "green"),
    Status.SKIPPED: ("✓", "yellow"),
    Status.FAILED: ("✗", "bold red"),
    Status.BLOCKED: ("✗", "red"),
    Status.LET_GO: ("-", "dim"),
}
_OF_ONE_STEP = (
    AttemptDone,
    AttemptFailed,
    AttemptInterrupted,
    AttemptProgressed,
    AttemptRetried,
    AttemptStarted,
    StepBlocked,
    StepLetGo,
)
_OF_NO_STEP = (
    ClaimsTaken,
    GateEscalated,
    LeaseTaken,
    RequestRefused,
    Resurveyed,
    RunContinued,
    RunPaused,
    RunStuck,
)
_MOST_WAITS = 4
_URGENT = (
    Status.FAILED,
    Status.ASKING,
    Status.GATED,
    Status.RUNNING,
    Status.RETRYING,
    Status.READY,
    Status.SKIPPED,
    Status.BLOCKED,
    Status.DONE,
    Status.WAITING,
    Status.LET_GO,
)
"""What is shown first where not everything fits."""


class Board:
    """A listener that shows the run on a terminal; a context manager."""

    def __init__(self, screen: Screen | None = None) -> None:
        self._screen = screen or Screen()
        self._state: RunState | None = None
        self._by_status: dict[Status, dict[str, None]] = {status: {} for status in Status}
        self._status: dict[str, Status] = {}
        self._progress: dict[str, Progress] = {}
        self._live = Live(
            console=self._screen,
            get_renderable=self.draw,
            refresh_per_second=_REDRAWS_PER_SECOND,
            vertical_overflow="crop",
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._live.stop()

    # Taking notes, on the driving thread

    def recorded(self, events: list[Event], state: RunState) -> None:
        """Note which steps changed."""
        if self._state is None:
            for name, step in state.steps.items():
                self._status[name] = step.status
                self._by_status[step.status][name] = None
            self._state = state
        for name in self._touched(events, state):
            # Those that come after it may have become ready by it.
            for changed in (name, *state.after[name]):
                self._note(changed, state.steps[changed].status)

    def _touched(self, events: list[Event], state: RunState) -> Iterable[str]:
        touched: dict[str, None] = {}
        for event in events:
            if isinstance(event, _OF_ONE_STEP):
                touched[event.step] = None
            elif isinstance(event, GroupOpened):
                touched |= self._by_status[Status.HELD]
            elif isinstance(event, GateReached):
                touched |= dict.fromkeys(name for name in (event.gate,) if name in state.steps)
            elif not isinstance(event, _OF_NO_STEP):
                return list(state.steps)  # people's doings are rare, and may reach far
        return touched

    def progressed(self, step: str, progress: Progress, _state: RunState) -> None:
        """Note how far a step has come."""
        self._progress[step] = progress

    def _note(self, name: str, status: Status) -> None:
        before = self._status.get(name)
        if before is not status:
            if before:
                self._by_status[before].pop(name, None)
            self._by_status[status][name] = None
            self._status[name] = status

    # Drawing, on the thread of the display

    def draw(self) -> RenderableType:
        """The board as it is now; never higher than the terminal."""
        state = self._state
        if state is None:
            return Text("taking the run over …", "dim")
        now = state.ended.at if state.ended else datetime.now(UTC)
        head = [self._headline(state, now), *self._promises(state, now), *_windows(state)]
        foot = list(self._waits(state, now))
        room = self._screen.height - len(head) - sum(self._height(line) for line in foot) - 1
        return Group(*head, self._steps(state, now, max(3, room)), *foot)

    def _height(self, line: Text) -> int:
        return max(1, -(-line.cell_len // max(1, self._screen.width)))

    def _headline(self, state: RunState, now: datetime) -> Text:
        line = Text().append(f"{state.run}  ", "bold")
        if state.ended:
            style = "bold green" if state.ended.result == "done" else "bold red"
            line.append(f"{state.ended.result} after {brief(now - state.started_at)}", style)
        else:
            line.append(f"{brief(now - state.started_at)}", "bold cyan")
        line.append(f"  of {expected(state.plan.forecast)}" if state.plan.forecast else "", "dim")
        counts = Counter({status: len(names) for status, names in self._by_status.items()})
        said = ", ".join(f"{counts[status]:,} {status.value}" for status in Status if counts[status])
        return line.append(f"  {said}", "dim")

    def _promises(self, state: RunState, now: datetime) -> Iterable[Text]:
        for promise in state.plan.expectations[:4]:
            yield _promise(state, promise, now)

    def _steps(self, state: RunState, now: datetime, room: int) -> Table:
        names = list(state.steps) if len(state.steps) <= room else self._most_urgent(state, room - 1)
        shown = table("", "step", "", "took", "forecast", "")
        shown.show_header = False
        for name in names:
            shown.add_row(*self._row(state.steps[name], now))
        hidden = len(state.steps) - len(names)
        if hidden:
            shown.add_row("", Text(f"and {hidden:,} more steps", "dim"))
        return shown

    def _most_urgent(self, state: RunState, room: int) -> list[str]:
        names: list[str] = []
        for status in (*_URGENT, *(status for status in Status if status not in _URGENT)):
            # Of those that are done, the newest.
            there = list(self._by_status[status])
            names += there[-(room - len(names)) :] if status is Status.DONE else there[: room - len(names)]
            if len(names) >= room:
                break
        order = (
            {name: index for index, name in enumerate(list(state.steps))} if len(state.steps) < 2000 else {}
        )
        return sorted(names, key=lambda name: order.get(name, 0))

    def _row(self, step: StepState, now: datetime) -> tuple[Text, Text, Text, Text, Text, Text]:
        mark, style = _MARKS.get(step.status, ("·", ""))
        took = (step.ended_at or now) - step.started_at if step.started_at else None
        forecast = estimate_of(step.step)
        is_late = took is not None and took > forecast.p90
        return (
            Text(mark, style),
            Text(step.step.id, style, no_wrap=True, overflow="ellipsis"),
            Text(
                step.step.title,
                "dim" if step.status is Status.WAITING else "",
                overflow="ellipsis",
                no_wrap=True,
            ),
            Text("" if took is None else brief(max(took, timedelta())), "yellow" if is_late else ""),
            Text(f"of {brief(forecast.p50)}{'+' if forecast.at_least else ''}", "dim"),
            Text(self._note_of(step), style, overflow="ellipsis", no_wrap=True),
        )

    def _note_of(self, step: StepState) -> str:
        if step.status is Status.RUNNING:
            progress = self._progress.get(step.step.id) or step.progress
            again = f"try {step.attempt} " if step.attempt > 1 else ""
            return again + (shown_progress(progress) if progress else "")
        return step.reason

    def _waits(self, state: RunState, now: datetime) -> Iterable[Text]:
        """What people are to decide; the last of it says how to give up instead, where the run is stuck."""
        waits = waits_of(state, now)
        shown = waits[:_MOST_WAITS]
        if len(waits) > len(shown):
            shown = (*shown[:-1], waits[-1])
        for wait in shown:
            first, *rest = wait.lines
            yield Text(first, "bold yellow")
            for line in rest:
                yield Text(line, "bold" if line.strip() in wait.commands else "")
        if hidden := len(waits) - len(shown):
            yield Text(f"and {hidden:,} more: relight show {state.run}", "yellow")
        if state.refusals and not state.ended:
            refused = state.refusals[-1]
            yield Text(f"refused {refused.identity}: {refused.request}: {refused.why}", "yellow")


def _windows(state: RunState) -> Iterable[Text]:
    for window in windows_of(state)[:_MOST_WAITS] if state.windows else ():
        yield Text(f"  window {window_line(window)}", no_wrap=True, overflow="ellipsis")


def _promise(state: RunState, promise: Expectation, now: datetime) -> Text:
    """One line per workload: whether it is back, and how long it has been away against its objective."""
    back = state.steps[promise.back_at]
    is_back = back.status in SUCCEEDED
    away = (back.ended_at if is_back and back.ended_at else now) - (promise.began or state.started_at)
    style = "green" if is_back else ("bold red" if away > promise.rto else "")
    said = f"{'back after' if is_back else 'away for'} {brief(max(away, timedelta()))}"
    line = Text().append(f"  {promise.workload}  ", "bold").append(said, style)
    return line.append(f"  (RTO objective {brief(promise.rto)})", "dim")
