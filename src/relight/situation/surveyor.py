"""The port that looks at the world, and the unit of looking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from relight.estate import Estate
from relight.situation.model import Situation
from relight.units import Duration


@dataclass(frozen=True)
class Probe:
    """One question to the world, asked in a thread of its own.

    `path` is where the answer belongs in the situation, such as ("workloads", "digits", "authority");
    `ask` returns the value or raises RelightError, whose text becomes the reason it is unknown.
    """

    path: tuple[str, ...]
    ask: Callable[[], Any]


class Surveyor(Protocol):
    """Looks at everything that the estate declares."""

    def survey(self, estate: Estate, deadline: Duration) -> Situation:
        """Ask everything in parallel; return within about `deadline` with what came, the rest Unknown."""
