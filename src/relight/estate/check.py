"""What a check of a whole estate says: one value per thing that does not fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Check:
    """One thing that does not fit; `path` is where in the estate, as "workloads.digits.writes"."""

    severity: Literal["error", "warning"]
    code: str  # stays the same for the same kind of thing: "dangling-name"
    path: str
    message: str
    remedy: str


def wrong(code: str, path: str, message: str, remedy: str) -> Check:
    """An error: the estate would not come back as it promises."""
    return Check("error", code, path, message, remedy)


def doubtful(code: str, path: str, message: str, remedy: str) -> Check:
    """A warning: it may be meant so, and somebody should know."""
    return Check("warning", code, path, message, remedy)
