"""A step's context for tests of handlers: its clock stands still, and what is done to it is written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from relight.errors import LeaseLost
from relight.plan import Process

START = datetime(2026, 11, 1, 3, 0, tzinfo=UTC)


@dataclass
class FakeContext:
    """See `Context`. `may_act` False makes every check raise LeaseLost; `checks` counts them."""

    run: str = "run-1"
    step: str = "step"
    attempt: int = 1
    started_at: datetime = START
    clock: datetime = START
    may_act: bool = True
    checks: int = 0
    process: Process | None = None
    started: list[tuple[tuple[str, ...], dict[str, str], str | None]] = field(default_factory=list)
    stopped: int = 0

    @property
    def token(self) -> str:
        return f"{self.run}.{self.step}"

    def now(self) -> datetime:
        return self.clock

    def check(self) -> None:
        self.checks += 1
        if not self.may_act:
            raise LeaseLost(f"another controller drives {self.run}")

    def find_process(self) -> Process | None:
        return self.process

    def start_process(
        self, command: tuple[str, ...], environment: dict[str, str], folder: str | None = None
    ) -> None:
        self.started.append((command, environment, folder))
        self.process = Process(running=True, exit_status=None, output="", attempt=self.attempt)

    def stop_process(self) -> None:
        self.stopped += 1
        if self.process and self.process.running:
            self.process = Process(running=False, exit_status=-15, output=self.process.output)
