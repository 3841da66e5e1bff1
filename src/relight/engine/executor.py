"""The thread executor: handlers run on daemon threads, so one that hangs cannot keep a run from ending."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

from relight.engine.ports import Call, Processes
from relight.plan import Handler, Outcome, Process

DEFAULT_CAPACITY = 32
_Done = Callable[[Call, Outcome | BaseException], None]


class AttemptContext:
    """What a handler is given for one call; see `relight.plan.Context`."""

    def __init__(self, call: Call, processes: Processes) -> None:
        self._call = call
        self._processes = processes

    @property
    def run(self) -> str:
        """The run's id."""
        return self._call.run

    @property
    def step(self) -> str:
        """The step's id."""
        return self._call.step

    @property
    def attempt(self) -> int:
        """Which try this is, from 1."""
        return self._call.attempt

    @property
    def token(self) -> str:
        """The same for every attempt of this step of this run."""
        return f"{self._call.run}/{self._call.step}"

    @property
    def started_at(self) -> datetime:
        """When the step's first attempt began."""
        return self._call.started_at

    def now(self) -> datetime:
        """The controller's time."""
        return datetime.now(UTC)

    def check(self) -> None:
        """Raise LeaseLost if this controller may not act any more."""
        self._call.check()

    def find_process(self) -> Process | None:
        """The step's process, from whichever attempt."""
        return self._processes.find(self.run, self.step)

    def start_process(
        self, command: tuple[str, ...], environment: dict[str, str], folder: str | None = None
    ) -> None:
        """Start the step's process."""
        self._call.check()
        self._processes.start(self.run, self.step, command, environment, folder, attempt=self.attempt)

    def stop_process(self) -> None:
        """End the step's process."""
        self._processes.stop(self.run, self.step)


class ThreadExecutor:
    """Up to `capacity` calls at once; threads are made as they are needed."""

    def __init__(
        self, handlers: Callable[[str], Handler[Any]], processes: Processes, capacity: int = DEFAULT_CAPACITY
    ) -> None:
        self.capacity = capacity
        self._handlers = handlers
        self._processes = processes
        self._queue: SimpleQueue[tuple[Call, _Done] | None] = SimpleQueue()
        self._lock = Lock()
        self._threads = 0
        self._idle = 0

    def submit(self, call: Call, done: _Done) -> None:
        """See Executor.submit."""
        with self._lock:
            if self._idle > 0:
                self._idle -= 1
            else:
                # The driver keeps to `capacity`; a thread more stands in for one whose call hangs.
                self._threads += 1
                Thread(target=self._work, name=f"attempts-{self._threads}", daemon=True).start()
        self._queue.put((call, done))

    def close(self) -> None:
        """See Executor.close."""
        for _ in range(self._threads):
            self._queue.put(None)

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            call, done = item
            result: Outcome | BaseException
            try:
                result = self._handlers(call.spec.kind).attempt(
                    call.spec, AttemptContext(call, self._processes)
                )
            except BaseException as error:  # noqa: BLE001 (whatever a handler raises is an outcome, not our end)
                result = error
            with self._lock:
                self._idle += 1
            done(call, result)
