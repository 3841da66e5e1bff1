"""What carries a kind out, and what it is given.

A handler is made by the composition root with the ports it needs, once per process, and is called from
worker threads. It may be called again at any time: it looks first and acts only on what is missing, calls
`context.check()` before each effect, and returns within two seconds. Long work is a detached process,
started through the context and found again by run and step after any crash.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

from relight.plan.outcomes import Outcome, Progress
from relight.plan.specs import Spec

S_contra = TypeVar("S_contra", bound=Spec, contravariant=True)

ARTIFACTS = "RELIGHT_ARTIFACTS"
"""Environment name that tells a detached process of a folder of its own, which is kept beside its output."""

REDACT = "RELIGHT_REDACT"
"""Environment name that lists, with commas, names whose values are blanked in the output in the end."""

SCRATCH = "RELIGHT_SCRATCH"
"""Environment name of a private folder ("relight-…", mode 0700) that goes with a detached process.

However the process ends: what it leaves running is killed, the folder is removed, and then only it has ended.
"""


GRACE = "RELIGHT_GRACE"
"""Environment name of the seconds between TERM and KILL where the supervisor's few are not enough.

An update of a stack, when it is stopped, waits for what its cloud is doing.
"""


@dataclass(frozen=True)
class Process:
    """A detached process as it stands: `exit_status` None with `running` False means it vanished.

    It tells how far it has come by lines of its output, of which the last counts: "::progress 0.42 text",
    "::progress 42% text" or, where nobody knows how much there is to do, "::progress text".
    """

    running: bool
    exit_status: int | None
    output: str  # the last 64 KiB of stdout and stderr together
    attempt: int = 1  # the attempt of the step that started it: a later attempt may start anew
    is_stopped: bool = False  # somebody ended it: whatever its exit status says, it did not finish
    progress: Progress | None = None  # as its output last told; it may hold secrets, as the output may
    artifacts: Path | None = field(default=None, compare=False)  # its folder ARTIFACTS


class Context(Protocol):
    """What every handler may need, for one attempt."""

    @property
    def run(self) -> str:
        """The run's id."""

    @property
    def step(self) -> str:
        """The step's id."""

    @property
    def attempt(self) -> int:
        """Which try this is, from 1."""

    @property
    def token(self) -> str:
        """Names this step of this run, the same for every attempt: what an idempotent effect carries."""

    @property
    def started_at(self) -> datetime:
        """When the first attempt of this step began."""

    def now(self) -> datetime:
        """The controller's time, aware, in UTC."""

    def check(self) -> None:
        """Return if this controller may act. Raise LeaseLost if not: let it pass up."""

    def find_process(self) -> Process | None:
        """The process that this step of this run started, in whichever attempt; None: it never did."""

    def start_process(
        self, command: tuple[str, ...], environment: dict[str, str], folder: str | None = None
    ) -> None:
        """Start the step's process, detached, its environment never in a process list nor on disk.

        Names in the environment that speak to the supervisor: LIMITS (see `Limits.environment`), SCRATCH,
        REDACT and GRACE.
        """

    def stop_process(self) -> None:
        """End the step's process if it runs: TERM, and KILL after a grace."""


class Handler(Protocol[S_contra]):
    """Carries out one kind."""

    def attempt(self, spec: S_contra, context: Context) -> Outcome:
        """Look, do what is missing, and say what came of it; references in `spec` are resolved.

        A RelightError that is raised counts as Retry where it is Unreachable or Conflict, else as Failed;
        any other exception counts as Failed and is recorded with its type.
        """
