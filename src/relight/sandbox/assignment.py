"""What an agent tells the workload that it starts, and what the workload says of itself: two small files."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from relight.sandbox.layout import Layout, write_json


@dataclass(frozen=True)
class Assignment:
    """What to run, and from what; `folder` is the folder of the point itself."""

    workload: str
    token: str
    epoch: int
    gpus: int
    point: str | None = None
    folder: str | None = None

    @classmethod
    def load(cls, layout: Layout, site: str, workload: str) -> Assignment:
        """Read what the agent wrote."""
        return cls(**json.loads(_path(layout, site, workload, "assignment").read_bytes()))

    def save(self, layout: Layout, site: str) -> None:
        """Write it for the workload, and forget what the one before it said of itself."""
        self.status_path(layout, site).unlink(missing_ok=True)
        write_json(_path(layout, site, self.workload, "assignment"), asdict(self))

    def status_path(self, layout: Layout, site: str) -> Path:
        """Where the workload writes its status."""
        return _path(layout, site, self.workload, "status")


def _path(layout: Layout, site: str, workload: str, what: str) -> Path:
    return layout.site(site) / f"{workload}.{what}.json"


@dataclass
class Status:
    """What a workload says of itself; the fields are those of `relight.workload.Running`."""

    path: Path
    state: str = "starting"
    reason: str = ""
    step: int | None = None
    resumed_from: int | None = None
    losses: list[tuple[int, float]] = field(default_factory=list)
    sealed: str | None = None
    sealed_step: int | None = None

    def write(self) -> None:
        """Replace the file."""
        write_json(self.path, {k: v for k, v in vars(self).items() if k != "path"})

    @classmethod
    def read(cls, path: Path) -> Status:
        """What the workload said last; nothing yet: that it is starting."""
        try:
            data = json.loads(path.read_bytes())
        except FileNotFoundError:
            return cls(path)
        return cls(path, **data)


def on_drain(end: Callable[[], object]) -> None:
    """Have SIGTERM call `end`. Agents start workloads with SIGTERM blocked, so that none comes too early."""
    signal.signal(signal.SIGTERM, lambda _signal, _frame: end())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
