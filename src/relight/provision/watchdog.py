"""Notices that a state's backend fell silent under an engine that would wait for it without end."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event, Thread

from relight.errors import RelightError, Unreachable

_TICK_SECONDS = 0.5


class Watchdog:
    """Calls `give_up`, with the reason, where the state does not answer.

    That is `answer` seconds after the start, if it has not answered by then. Later on silence alone proves
    nothing, as a cloud that is slow looks the same: after `quiet` seconds without a word from the engine the
    state is read beside it, by `look`, and has `answer` seconds to answer.
    """

    def __init__(
        self,
        look: Callable[[], object],
        give_up: Callable[[str], None],
        quiet: float = 30.0,
        answer: float = 20.0,
    ) -> None:
        self._look = look
        self._give_up = give_up
        self._quiet = quiet
        self._answer = answer
        self._heard = time.monotonic()
        self._is_reached = False
        self._stopped = Event()

    def start(self) -> None:
        """Begin to watch, in a thread of its own."""
        self.hear()
        Thread(target=self._watch, name="watchdog", daemon=True).start()

    def reach(self) -> None:
        """The state has answered for the first time."""
        self._is_reached = True
        self.hear()

    def hear(self) -> None:
        """Something goes on."""
        self._heard = time.monotonic()

    def stop(self) -> None:
        """Watch no longer."""
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(_TICK_SECONDS):
            silent = time.monotonic() - self._heard
            if silent < (self._quiet if self._is_reached else self._answer):
                continue
            why = self._ask() if self._is_reached else self._silence()
            if self._stopped.is_set():
                return
            if why:
                self._give_up(why)
                return
            self.hear()

    def _ask(self) -> str:
        """Why the state cannot be read now; empty: it can."""
        gone: list[str] = []
        asking = Thread(target=self._read, args=(gone,), name="look", daemon=True)
        asking.start()
        asking.join(self._answer)
        return self._silence() if asking.is_alive() else "".join(gone)

    def _read(self, gone: list[str]) -> None:
        try:
            self._look()
        except Unreachable as error:
            gone.append(error.what)
        except RelightError:
            return  # it has answered

    def _silence(self) -> str:
        return f"the state did not answer within {self._answer:g} s"
