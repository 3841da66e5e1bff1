"""The promises of a name server that takes dynamic updates."""

from __future__ import annotations

from typing import Protocol


class Names(Protocol):
    """One authoritative server. Every method may raise Unreachable."""

    def address(self, name: str) -> str | None:
        """The A record that this server gives for a name now; None: it has none.

        Several are joined by commas, which is the address of nobody. Raise Refused outside its zones.
        """

    def swap(self, zone: str, name: str, *, ttl: int, old: str | None, new: str) -> None:
        """Make `new` the only A record, if the record is `old` (None: if there is none), as one update.

        Raise Conflict if the record is something else, Refused if the key or the zone is not accepted.
        """

    def rehearse(self, zone: str, name: str) -> None:
        """Prove that a swap of this name would be taken, changing nothing.

        Raise Refused if the key or the zone is not accepted, or the name may not be changed with it; Conflict
        if the name is being changed meanwhile.
        """
