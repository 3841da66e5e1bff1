"""The engine's ports in memory: for tests, and for trying a plan where there is no witness."""

from __future__ import annotations

from datetime import datetime
from threading import Lock

from relight.errors import Refused
from relight.plan import Process


class MemoryClaims:
    """Claims of this process only."""

    def __init__(self) -> None:
        self._held: dict[str, str] = {}
        self._lock = Lock()

    def take(self, run: str, claims: tuple[str, ...], holder: str, at: datetime) -> None:
        """See Claims.take."""
        with self._lock:
            taken = {claim: self._held[claim] for claim in claims if self._held.get(claim, run) != run}
            if taken:
                told = ", ".join(f"{claim} by {by}" for claim, by in taken.items())
                raise Refused(f"claimed already: {told} (asked by {holder} at {at})")
            self._held |= dict.fromkeys(claims, run)

    def release(self, run: str) -> None:
        """See Claims.release."""
        with self._lock:
            self._held = {claim: by for claim, by in self._held.items() if by != run}


class MemoryAnchors:
    """Anchors of this process only."""

    def __init__(self) -> None:
        self._heads: dict[str, tuple[int, str]] = {}

    def publish(self, run: str, sequence: int, head: str) -> None:
        """See Anchors.publish."""
        if sequence > self._heads.get(run, (0, ""))[0]:
            self._heads[run] = (sequence, head)

    def read(self, run: str) -> tuple[int, str] | None:
        """See Anchors.read."""
        return self._heads.get(run)


class NoProcesses:
    """For plans whose kinds start no process."""

    def find(self, run: str, step: str) -> Process | None:
        """There is none."""
        del run, step
        return None

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
        """Refuse."""
        del command, environment, folder, attempt
        raise Refused(f"{run}/{step} wants a process, and none can be started here")

    def stop(self, run: str, step: str) -> None:
        """Nothing runs."""
        del run, step
