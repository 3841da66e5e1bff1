"""A name server in memory, for tests and dry runs."""

from __future__ import annotations

from threading import Lock

from relight.errors import Conflict, Refused, Unreachable


class FakeNames:
    """`Names` over a dictionary; it holds one zone and does what its attributes say.

    `reachable` False makes every call raise Unreachable; with `accepts_key` False updates are Refused.
    """

    def __init__(self, zone: str, records: dict[str, str] | None = None) -> None:
        self.zone = zone
        self.records = dict(records or {})
        self.reachable = True
        self.accepts_key = True
        self._lock = Lock()

    def address(self, name: str) -> str | None:
        """See Names.address."""
        self._answer(name)
        return self.records.get(name)

    def swap(self, zone: str, name: str, *, ttl: int, old: str | None, new: str) -> None:
        """See Names.swap; nothing expires here, so the TTL is not kept."""
        del ttl
        with self._lock:
            self._answer(name)
            if not self.accepts_key or zone != self.zone:
                raise Refused(f"the update of {name} in {zone} is not accepted", "it is a fake")
            if self.records.get(name) != old:
                raise Conflict(f"{name} is {self.records.get(name)}, not {old}", "somebody else changed it")
            self.records[name] = new

    def rehearse(self, zone: str, name: str) -> None:
        """See Names.rehearse."""
        self._answer(name)
        if not self.accepts_key or zone != self.zone:
            raise Refused(f"the update of {name} in {zone} is not accepted", "it is a fake")

    def _answer(self, name: str) -> None:
        if not self.reachable:
            raise Unreachable("the name server does not answer", "it is a fake: set reachable")
        if not f".{name}".endswith(f".{self.zone}"):
            raise Refused(f"{name} is not in {self.zone}", "it is a fake")
