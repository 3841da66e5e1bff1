"""What a step does (its spec) and what it finds out (its facts), as models; one pair per kind.

A field of a spec that may come from an earlier step is declared `Input[T]`: it holds a `T`, a `Ref` to one
fact of type `T`, or, where `T` is a tuple, a `Gather` of one fact of several steps. Before a handler sees a
spec the engine has put the values in; `concrete` says so to the type checker.
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Literal, TypeVar, Union

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from relight.canonical import Frozen

T = TypeVar("T")

Interruption = Literal["probe", "repeat", "ask"]
"""What a cut-off attempt means: look and go on, harmless to repeat, or a person decides."""


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Ref:
    """A fact of an ancestor: Ref("rebuild-n07", "address")."""

    ref: str  # id of the step
    fact: str


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Gather:
    """One fact of every step of several that succeeded, in the order named."""

    gather: tuple[str, ...]  # ids of the steps
    fact: str


Input = Union[T, Ref, Gather]  # noqa: UP007 (subscripted, as Input[str])


def concrete(value: T | Ref | Gather) -> T:
    """The value of a field whose references have been resolved. Raise TypeError if they have not."""
    if isinstance(value, (Ref, Gather)):
        raise TypeError(f"{value!r} was not resolved before the step was dispatched")
    return value


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Irreversible:
    """Says of a step that what it does cannot be undone, and what that means for who aborts."""

    irreversible: str  # the reason


class Facts(Frozen):
    """What a step found out. Facts are recorded as they are: they never hold secrets."""

    model_config = ConfigDict(allow_inf_nan=False)  # JSON has none: a fact must be read back as it was


class NoFacts(Facts):
    """For a step that changes the world and has nothing to tell."""


class Spec(Frozen):
    """What a step does. Subclasses set the class variables; fields are the arguments."""

    kind: ClassVar[str]
    summary: ClassVar[str]  # one line, for catalogues and documents
    facts: ClassVar[type[Facts]] = NoFacts
    interrupted: ClassVar[Interruption]
    proof: ClassVar[bool] = False  # it proves that the old side stops writing: nobody may skip it
    usual: ClassVar[tuple[timedelta, timedelta]] = (timedelta(seconds=1), timedelta(seconds=3))
    """P50 and P90 of a usual attempt, used where a step brings no estimate of its own."""

    @property
    def interruption(self) -> Interruption:
        """What a cut-off attempt of this very step means; kinds that let the step choose override it."""
        return self.interrupted
