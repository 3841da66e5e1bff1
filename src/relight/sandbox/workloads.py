"""The workloads of one site, as child processes of its agent; GPUs are counted, not real."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
from dataclasses import dataclass
from threading import Lock

from relight.errors import NotFound, Refused
from relight.sandbox.assignment import Assignment, Status
from relight.sandbox.layout import GPUS_PER_SITE, KINDS, Layout
from relight.workload import Running

_PROGRAMS = {
    "training": "relight.sandbox.trainer",
    "inference": "relight.sandbox.inference",
    "development": "relight.sandbox.notebook",
}
_STOP_SECONDS = 5.0


@dataclass
class _Started:
    assignment: Assignment
    process: subprocess.Popen[bytes]
    drained: bool = False
    ended_by: str = ""

    @property
    def runs(self) -> bool:
        return self.process.poll() is None


class Workloads:
    """Starts, ends and watches them. Safe to use from several threads."""

    def __init__(self, layout: Layout, site: str) -> None:
        self._layout = layout
        self._site = site
        self._started: dict[str, _Started] = {}
        self._lock = Lock()

    def free_gpus(self) -> int:
        """GPUs that nothing runs on."""
        with self._lock:
            return self._free()

    def running(self) -> tuple[Running, ...]:
        """Everything that was started here, with what it says of itself; ended ones too."""
        with self._lock:
            return tuple(self._describe(started) for started in self._started.values())

    def progress(self) -> dict[str, int]:
        """The last training step of each training."""
        return {running.workload: running.step for running in self.running() if running.step is not None}

    def start(self, wanted: Assignment) -> bool:
        """Start a workload; False if it runs already under this token. Raise NotFound or Refused."""
        if wanted.workload not in KINDS:
            raise NotFound(f"no program is installed for {wanted.workload!r}")
        with self._lock:
            there = self._started.get(wanted.workload)
            if there and there.runs:
                if there.assignment.token == wanted.token:
                    return False
                raise Refused(f"{wanted.workload} runs already, under another token")
            if wanted.gpus > self._free():
                raise Refused(f"{wanted.workload} wants {wanted.gpus} GPUs, {self._free()} are free")
            wanted.save(self._layout, self._site)
            self._started[wanted.workload] = _Started(wanted, self._launch(wanted.workload))
        logging.info("started %s on %d GPUs, from %s", wanted.workload, wanted.gpus, wanted.point)
        return True

    def drain(self, workload: str) -> None:
        """Ask it to end by itself. Raise NotFound."""
        with self._lock:
            started = self._find(workload)
            if started.runs:
                started.process.terminate()
                started.drained = True

    def stop(self, workload: str, by: str = "") -> None:
        """End it now, and keep who asked for it. Raise NotFound."""
        with self._lock:
            started = self._find(workload)
            if started.runs:
                started.ended_by = by
                started.process.kill()
                started.process.wait(_STOP_SECONDS)

    def _launch(self, workload: str) -> subprocess.Popen[bytes]:
        program = _PROGRAMS[KINDS[workload]]
        command = [sys.executable, "-P", "-m", program, str(self._layout.folder), self._site, workload]
        # A drain that comes while the workload still starts waits until it listens: see on_drain.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            with self._layout.log(f"{self._site}-{workload}").open("ab") as log:
                return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _find(self, workload: str) -> _Started:
        if workload not in self._started:
            raise NotFound(f"{workload!r} was never started here")
        return self._started[workload]

    def _free(self) -> int:
        return GPUS_PER_SITE - sum(s.assignment.gpus for s in self._started.values() if s.runs)

    def _describe(self, started: _Started) -> Running:
        assignment = started.assignment
        status_at_exit = started.process.poll()  # before the status is read: then that one is the last
        status = Status.read(assignment.status_path(self._layout, self._site))
        if status_at_exit is not None:
            state = "ended"
            if status_at_exit < 0 and not status.reason:
                status.reason = f"ended by {signal.Signals(-status_at_exit).name}"
        elif started.drained:
            state = "draining"
        else:
            state = status.state
        return Running.model_validate(
            {
                "workload": assignment.workload,
                "token": assignment.token,
                "state": state,
                "exit_status": status_at_exit,
                "reason": status.reason,
                "epoch": assignment.epoch,
                "gpus": assignment.gpus,
                "step": status.step,
                "resumed_from": status.resumed_from,
                "losses": tuple((step, loss) for step, loss in status.losses),
                "sealed": status.sealed,
                "sealed_step": status.sealed_step,
                "ended_by": started.ended_by,
            }
        )
