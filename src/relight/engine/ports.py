"""What the engine needs from outside. Each is a port; the composition root names the adapters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from relight.plan import Outcome, Process, Spec


class Claims(Protocol):
    """What runs take for themselves, kept where every controller sees it."""

    def take(self, run: str, claims: tuple[str, ...], holder: str, at: datetime) -> None:
        """Take all of them or none; again for the same run is no effect.

        Raise Refused naming every overlap: which claim, by which run, since when.
        """

    def release(self, run: str) -> None:
        """Give back all that a run holds; nothing held is no error."""


class Anchors(Protocol):
    """Where heads of journals are kept, outside of what could be cut: a chain alone hides a cut tail."""

    def publish(self, run: str, sequence: int, head: str) -> None:
        """Remember that the journal of a run reached an event with a hash; never goes back."""

    def read(self, run: str) -> tuple[int, str] | None:
        """The last sequence and hash that were published; None: never."""


class Processes(Protocol):
    """Detached processes keyed by run and step: the supervisor."""

    def find(self, run: str, step: str) -> Process | None:
        """The process of a step; None: never started."""

    def start(
        self,
        run: str,
        step: str,
        command: tuple[str, ...],
        environment: dict[str, str],
        folder: str | None,
        *,
        attempt: int,
    ) -> None:
        """Start it, detached, for an attempt of the step; find tells which."""

    def stop(self, run: str, step: str) -> None:
        """End it if it runs; returns at once."""


@dataclass(frozen=True)
class Call:
    """One call of a handler: everything it needs, references resolved."""

    run: str
    step: str
    attempt: int
    spec: Spec
    started_at: datetime  # of the step's first attempt
    check: Callable[[], None]


class Executor(Protocol):
    """Dispatches calls and hands their outcomes over; it holds no record of its own."""

    @property
    def capacity(self) -> int:
        """How many calls may be under way at once."""

    def submit(self, call: Call, done: Callable[[Call, Outcome | BaseException], None]) -> None:
        """Make the call soon, elsewhere; `done` is called once with what it returned or raised."""

    def close(self) -> None:
        """Take no more calls; those under way are not waited for."""
