"""The one error tree.

Foreign errors are translated once, in the adapter that met them. Every error says what is wrong and
what to do; `reasons` holds all of them at once where there are many. `exit_code` is what the command
ends with: 1 a check found errors, 2 wrong usage or an invalid file, 4 failed, 5 waits for a person.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where in a file something stands; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Reason:
    """One thing that is wrong, where, and what to do about it."""

    what: str
    remedy: str = ""
    place: Place | None = None
    path: str = ""  # dotted path inside the document, such as "workloads.digits.objective.rpo"

    def __str__(self) -> str:
        head = f"{self.place}: " if self.place else ""
        at = f"{self.path}: " if self.path else ""
        tail = f" ({self.remedy})" if self.remedy else ""
        return f"{head}{at}{self.what}{tail}"


class RelightError(Exception):
    """Anything that Relight tells a person instead of showing a traceback."""

    exit_code = 4

    def __init__(self, what: str, remedy: str = "", reasons: tuple[Reason, ...] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        self.reasons = reasons

    def __str__(self) -> str:
        lines = [f"{self.what} ({self.remedy})" if self.remedy else self.what]
        lines += [f"  {reason}" for reason in self.reasons]
        return "\n".join(lines)


class UsageError(RelightError):
    """The command was called wrongly, or something it names does not exist."""

    exit_code = 2


class InvalidFile(UsageError):
    """A file cannot be read, or does not say what it must; `reasons` has every fault."""


class Refused(RelightError):
    """Nothing is broken, but this must not be done: a claim is held, an approval does not fit."""


class LeaseLost(Refused):
    """Another controller drives this run now; whoever meets this stops acting and appending."""


class JournalError(RelightError):
    """The journal cannot be read or written; what was appended before stays."""


class StoreError(RelightError):
    """An object store did not do what was asked."""


class Unreachable(StoreError):
    """The other side did not answer in time: it may be dead, or only the way to it."""


class NotFound(StoreError):
    """The object does not exist."""


class Conflict(StoreError):
    """A conditional write lost: the object is not what the writer believed it to be."""


class Damaged(StoreError):
    """What was read is not what was written: its digest does not fit, or it cannot be parsed."""
