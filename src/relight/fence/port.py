"""The promises of the witness and of an observer, as the fence needs them."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from relight.situation import Authority, Opinion


class Witness(Protocol):
    """Keeps who may write for each workload. Every method may raise Unreachable."""

    def authority(self, workload: str) -> Authority | None:
        """Who may write for a workload now; None: nobody ever declared it."""

    def declare(self, authority: Authority) -> Authority:
        """Write the first authority of a workload; if there is one already, return that one unchanged."""

    def raise_epoch(self, workload: str, *, above: int, active: str, by: str, at: datetime) -> Authority:
        """Make `active` the only writer, in epoch `above` + 1, and return the new authority.

        Called again by the same `by` for the same `above` it returns what it wrote the first time. Raise
        Conflict if the epoch is not `above` (somebody else raised it), NotFound if nothing was declared.
        """


class Lookout(Protocol):
    """One observer, as it is asked."""

    def opinions(self, site: str) -> tuple[Opinion, ...]:
        """What it sees of every capability of a site. Raise Unreachable."""

    def clock(self) -> datetime | None:
        """What its clock shows now, cut to the second; None: it does not say. Raise Unreachable."""
