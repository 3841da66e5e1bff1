"""A witness and observers in this process's memory, with faults to inject."""

from __future__ import annotations

from datetime import datetime

from relight.errors import Unreachable
from relight.fence.adapters.witness import ObjectWitness
from relight.objects.adapters.obstore import memory_objects
from relight.situation import Opinion


def memory_witness() -> ObjectWitness:
    """A fresh witness over a memory store."""
    return ObjectWitness(memory_objects("witness"))


class FakeLookout:
    """An observer that sees what it is told to see."""

    def __init__(self, name: str, since: datetime) -> None:
        self.name = name
        self.since = since
        self.silent = False
        self.shown: datetime | None = None  # what its clock shows
        self._seen: dict[tuple[str, str], Opinion] = {}

    def see(
        self,
        site: str,
        *,
        up: bool,
        capability: str = "compute",
        reason: str = "",
        progress: dict[str, int] | None = None,
    ) -> None:
        """From now on it sees one capability of a site like this."""
        self._seen[site, capability] = Opinion(
            observer=self.name,
            site=site,
            capability=capability,
            up=up,
            since=self.since,
            last_up=self.since,
            reason=reason,
            progress=progress or {},
        )

    def opinions(self, site: str) -> tuple[Opinion, ...]:
        """See Lookout.opinions; Unreachable while it is `silent`."""
        if self.silent:
            raise Unreachable(f"observer {self.name} does not answer", "it was told not to")
        return tuple(opinion for (seen, _), opinion in self._seen.items() if seen == site)

    def clock(self) -> datetime | None:
        """See Lookout.clock: what is `shown`; Unreachable while it is `silent`."""
        if self.silent:
            raise Unreachable(f"observer {self.name} does not answer", "it was told not to")
        return self.shown
