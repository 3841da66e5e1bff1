"""What one call of a handler can come to: a closed set of values, matched exhaustively."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import Field

from relight.canonical import Frozen
from relight.plan.specs import Facts, NoFacts


class Progress(Frozen):
    """How far an attempt has come, for people; `fraction` from 0 to 1 where it is known."""

    note: str
    fraction: float | None = Field(default=None, ge=0, le=1)


@dataclass(frozen=True)
class Done:
    """The step holds; its facts are true."""

    facts: Facts = field(default_factory=NoFacts)


@dataclass(frozen=True)
class Working:
    """Not finished: call the same attempt again after `check_in`."""

    check_in: timedelta
    progress: Progress


@dataclass(frozen=True)
class Retry:
    """This attempt failed in a way that another may not; `delay` None leaves it to the step's policy."""

    reason: str
    delay: timedelta | None = None


@dataclass(frozen=True)
class Failed:
    """No attempt of this step will succeed as things stand; `remedy` says what a person can do."""

    reason: str
    remedy: str = ""


Outcome = Done | Working | Retry | Failed
