"""The promises of a vault: recovery points in one store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from relight.situation import PointSummary
from relight.vault.manifest import Manifest, Member


class Vault(Protocol):
    """Recovery points in one store. Every method may raise Unreachable, or StoreError."""

    def points(self, workload: str) -> tuple[PointSummary, ...]:
        """The sealed points in this store's lineage, oldest first; nothing sealed: empty.

        A point is in the lineage unless a later epoch began before it: what the old side sealed after it
        was fenced is not, wherever it lies.
        """

    def epoch(self, workload: str) -> int:
        """The epoch in which this store takes seals; 0 before the first."""

    def raise_epoch(self, workload: str, epoch: int) -> None:
        """From its return no seal of an epoch below `epoch` succeeds in this store; never lowers it."""

    def seal(self, manifest: Manifest, members: Mapping[str, bytes]) -> PointSummary:
        """Write members, then the manifest, then move the head: all or nothing, and the same twice.

        Raise Refused if this store takes seals of a newer epoch only (the writer was fenced), or if
        `members` are not what the manifest binds.
        """

    def manifest(self, point: PointSummary) -> Manifest:
        """The manifest, checked against the digest in the summary. Raise NotFound, or Damaged."""

    def read(self, point: PointSummary, member: Member, start: int, length: int) -> bytes:
        """Some bytes of a member, unchecked. Raise NotFound."""


class Vaults(Protocol):
    """Where this room's handlers and probes get their vaults."""

    def vault(self, store: str) -> Vault:
        """The vault over a declared store."""
