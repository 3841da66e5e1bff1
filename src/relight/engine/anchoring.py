"""Publishing heads of the journal to the witness, beside the run and never in its way.

A witness that is slow or dead stops nothing: the newest head is tried again until the run ends, and what
could not be published is said in the end.
"""

from __future__ import annotations

from threading import Condition, Thread

from relight.engine.ports import Anchors
from relight.errors import RelightError

_PAUSE_SECONDS = 1.0


class AnchorPublisher:
    """Publishes the newest head of one run from a thread of its own."""

    def __init__(self, anchors: Anchors, run: str) -> None:
        self._anchors = anchors
        self._run = run
        self._changed = Condition()
        self._wanted: tuple[int, str] | None = None
        self._published = 0
        self._closing = False
        self.trouble = ""  # why the newest head is not published; empty: it is
        self._thread = Thread(target=self._work, name="anchors", daemon=True)
        self._thread.start()

    def offer(self, sequence: int, head: str) -> None:
        """A newer head; returns at once."""
        with self._changed:
            self._wanted = (sequence, head)
            self._changed.notify()

    def close(self, seconds: float) -> None:
        """Wait up to `seconds` for the newest head to be published, then stop trying."""
        with self._changed:
            self._changed.wait_for(lambda: self._wanted is None or self.trouble != "", seconds)
            if self._wanted is not None and not self.trouble:
                self.trouble = f"no answer from the witness within {seconds:g}s"
            self._closing = True
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted is not None or self._closing)
                if self._closing:
                    return
                wanted = self._wanted
            if wanted:
                self._try(wanted)

    def _try(self, wanted: tuple[int, str]) -> None:
        try:
            self._anchors.publish(self._run, *wanted)
        except RelightError as error:
            with self._changed:
                self.trouble = str(error)
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._closing, _PAUSE_SECONDS)
            return
        with self._changed:
            self.trouble = ""
            self._published = wanted[0]
            if self._wanted == wanted:
                self._wanted = None
            self._changed.notify_all()
