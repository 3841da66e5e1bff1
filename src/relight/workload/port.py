"""The promises of a site's scheduler."""

from __future__ import annotations

from typing import Literal, Protocol

from relight.canonical import Frozen


class Running(Frozen):
    """One workload as the scheduler has it."""

    workload: str
    token: str  # what it was started with
    state: Literal["starting", "running", "draining", "ended"]
    exit_status: int | None = None
    reason: str = ""  # why it ended, in its own words
    ended_by: str = ""  # the `by` of the stop that ended it, or is about to; empty: it was not stopped
    epoch: int = 0
    gpus: int = 0
    step: int | None = None  # last training step done
    resumed_from: int | None = None  # training step of the point it was started from
    losses: tuple[tuple[int, float], ...] = ()  # (step, loss), the first 50 after the start, oldest first
    sealed: str | None = None  # id of the last point it sealed
    sealed_step: int | None = None


class Scheduler(Protocol):
    """Starts and stops workloads at one site. Every method may raise Unreachable."""

    def free_gpus(self) -> int:
        """GPUs that nothing runs on."""

    def running(self) -> tuple[Running, ...]:
        """Every workload that it knows, ended ones too until they are started anew."""

    def start(
        self, workload: str, *, token: str, epoch: int, gpus: int, point: str | None, folder: str | None
    ) -> None:
        """Start a workload, from a point that lies in `folder` if one is given.

        With the token of the one that runs it is no effect. Raise Refused if it runs under another token,
        or if there are not enough free GPUs.
        """

    def drain(self, workload: str) -> None:
        """Ask it to finish its step, seal a last point and end; returns at once; no effect if it ended.

        Raise NotFound if it was never started here.
        """

    def stop(self, workload: str, *, by: str = "") -> None:
        """End it now, without a last point; no effect if it does not run.

        `by` names who stops it, and is kept with the ended workload: what was stopped to make room is found
        again after a cut-off, and told apart from what ended by itself.
        """
