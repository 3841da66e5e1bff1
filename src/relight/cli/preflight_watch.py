"""`relight preflight --every`: keeps looking, says what changes, and tells it to a command."""

from __future__ import annotations

import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType
from typing import NoReturn

from relight.cli.answers import PreflightChange
from relight.cli.exits import DONE
from relight.cli.output import write
from relight.cli.preflight_view import why
from relight.cli.wording import instant
from relight.control.changes import Change, Changes
from relight.control.preflight import Preflight
from relight.errors import UsageError

_ALERT_SECONDS = 30.0


def keep_watch(look: Callable[[], Preflight], every: timedelta, alert: str | None, *, as_json: bool) -> int:
    """Look every so often until SIGTERM or SIGINT. Raise UsageError for an alert that is no command."""
    alarm = Alarm(alert) if alert else None
    changes = Changes(look)
    try:
        with _interrupted_by_sigterm():
            while True:
                began = time.monotonic()
                changed = changes.next()
                tell(changed, as_json=as_json)
                if alarm:
                    alarm.tell(changed)
                time.sleep(max(0.0, began + every.total_seconds() - time.monotonic()))
    except KeyboardInterrupt:
        return DONE


def tell(changes: Sequence[Change], *, as_json: bool) -> None:
    """One line per change, and what is to be known of it below."""
    for change in changes:
        if as_json:
            line = PreflightChange(at=change.at, change=change.word, check=change.check)
            write(line.model_dump_json() + "\n")
        else:
            write(f"{instant(change.at)}  {_said(change)}\n")


class Alarm:
    """Tells changes to a command, on its standard input; what it could not be told is told next time."""

    def __init__(self, command: str) -> None:
        try:
            self._command = shlex.split(command)
        except ValueError as error:
            raise UsageError(f"--alert: {error}", "quote it as a shell wants it") from None
        if not self._command or shutil.which(self._command[0]) is None:
            raise UsageError(f"--alert: there is no command {command!r}", "give its whole path")
        self._untold: list[str] = []

    def tell(self, changes: Sequence[Change]) -> None:
        """Run the command if there is anything to tell; trouble with it is said on standard error."""
        self._untold += [f"{instant(change.at)}  {_said(change)}\n" for change in changes]
        if not self._untold:
            return
        try:
            done = subprocess.run(
                self._command,
                input="".join(self._untold),
                text=True,
                timeout=_ALERT_SECONDS,
                check=False,
                stdout=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            sys.stderr.write(f"warning: the alert was not taken, and is tried again: {error}\n")
            return
        if done.returncode:
            sys.stderr.write(
                f"warning: the alert ended with {done.returncode}, and is tried again in the next round\n"
            )
            return
        self._untold.clear()


def _said(change: Change) -> str:
    head = f"{change.word}: {change.check.name}"
    return "\n    ".join([head, *why(change.check)]) if change.is_worse else head


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """SIGTERM as Ctrl-C, whatever is going on."""

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
