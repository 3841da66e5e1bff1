"""A scheduler in memory, for tests and dry runs."""

from __future__ import annotations

from threading import RLock

from relight.errors import NotFound, Refused, Unreachable
from relight.workload.port import Running


class FakeScheduler:
    """A `Scheduler` whose workloads do what its attributes and the methods at the end say.

    `reachable` False makes every call raise Unreachable. A started workload is "starting" for `slow_start`
    looks; one that drains is "draining" for `slow_drain` looks, one that is stopped runs on for `slow_stop`.
    """

    def __init__(self, gpus: int = 32) -> None:
        self.gpus = gpus
        self.reachable = True
        self.slow_start = 0
        self.slow_drain = 0
        self.slow_stop = 0
        self._workloads: dict[str, Running] = {}
        self._pending: dict[str, tuple[int, Running]] = {}  # after so many looks it is this
        self._lock = RLock()

    def free_gpus(self) -> int:
        """See Scheduler.free_gpus."""
        with self._lock:
            self._answer()
            return self.gpus - sum(w.gpus for w in self._workloads.values() if w.state != "ended")

    def running(self) -> tuple[Running, ...]:
        """See Scheduler.running."""
        with self._lock:
            self._answer()
            for name, (looks, later) in list(self._pending.items()):
                if looks:
                    self._pending[name] = (looks - 1, later)
                else:
                    self.put(later)
            return tuple(self._workloads.values())

    def start(
        self, workload: str, *, token: str, epoch: int, gpus: int, point: str | None, folder: str | None
    ) -> None:
        """See Scheduler.start; `folder` is not looked into, the step is taken from the point's id."""
        del folder
        with self._lock:
            self._answer()
            there = self._workloads.get(workload)
            if there and there.state != "ended":
                if there.token != token:
                    raise Refused(f"{workload} runs under another token", "stop it first")
                return
            if gpus > self.free_gpus():
                raise Refused(f"{workload} needs {gpus} GPUs, {self.free_gpus()} are free", "make room")
            tail = point.rpartition("-s")[2] if point else ""
            runs = Running(
                workload=workload,
                token=token,
                state="running",
                epoch=epoch,
                gpus=gpus,
                resumed_from=int(tail) if tail.isdigit() else None,
            )
            self._change(runs.model_copy(update={"state": "starting"}), runs, self.slow_start)

    def drain(self, workload: str) -> None:
        """See Scheduler.drain; the point's id is made of workload, epoch and step."""
        with self._lock:
            there = self._known(workload)
            if there.state in ("draining", "ended"):
                return
            step = there.step or 0
            sealed = {"sealed": f"{workload}-e{there.epoch:04}-s{step:08}", "sealed_step": step}
            ended = {"state": "ended", "exit_status": 0, "reason": "drained", **sealed}
            self._change(
                there.model_copy(update={"state": "draining"}),
                there.model_copy(update=ended),
                self.slow_drain,
            )

    def stop(self, workload: str, *, by: str = "") -> None:
        """See Scheduler.stop."""
        with self._lock:
            self._answer()
            there = self._workloads.get(workload)
            if there is None or there.state == "ended" or there.ended_by:
                return
            ended = {"state": "ended", "exit_status": -9, "reason": "stopped", "ended_by": by}
            self._change(
                there.model_copy(update={"ended_by": by}), there.model_copy(update=ended), self.slow_stop
            )

    # What the world does

    def put(self, workload: Running) -> None:
        """Make a workload be as given, whatever it was."""
        with self._lock:
            self._pending.pop(workload.workload, None)
            self._workloads[workload.workload] = workload

    def train(self, workload: str, losses: tuple[tuple[int, float], ...]) -> None:
        """Let training do steps, each with its loss; the first 50 losses are kept."""
        with self._lock:
            there = self._known(workload)
            kept = (there.losses + losses)[:50]
            self.put(there.model_copy(update={"losses": kept, "step": losses[-1][0]}))

    def end(self, workload: str, exit_status: int, reason: str) -> None:
        """Let a workload end by itself."""
        with self._lock:
            end = {"state": "ended", "exit_status": exit_status, "reason": reason}
            self.put(self._known(workload).model_copy(update=end))

    def _change(self, now: Running, then: Running, looks: int) -> None:
        self.put(now if looks else then)
        if looks:
            self._pending[now.workload] = (looks - 1, then)

    def _known(self, workload: str) -> Running:
        self._answer()
        if workload not in self._workloads:
            raise NotFound(f"{workload} was never started here")
        return self._workloads[workload]

    def _answer(self) -> None:
        if not self.reachable:
            raise Unreachable("the scheduler does not answer", "it is a fake: set reachable")
