"""An observed value is known, or unknown for a reason; there is no third thing and no default."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from typing_extensions import TypeAliasType

from relight.canonical import Frozen

T = TypeVar("T")


class Known(Frozen, Generic[T]):
    """A value that somebody saw."""

    known: Literal[True] = True
    value: T


class Unknown(Frozen):
    """A value that nobody saw, and why: "no answer within 5s", "connection refused"."""

    known: Literal[False] = False
    reason: str


Observed = TypeAliasType("Observed", Known[T] | Unknown, type_params=(T,))
