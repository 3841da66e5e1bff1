"""The manifest of a recovery point. Provisional: the `version` says so, and readers refuse others.

A manifest binds every member by digest: shards of the weights, optimizer, RNG, data position. With the code
version and the losses it lets a restore prove that training goes on as it would have.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from blake3 import blake3
from pydantic import Field

from relight.canonical import Frozen, canonical_json, digest
from relight.situation import PointSummary

MANIFEST_VERSION: Literal["provisional-1"] = "provisional-1"
POINT_ID = r"^[a-z0-9][a-z0-9-]{0,79}$"
"""What an id may be: it names folders."""
RESERVED = ("manifest.json", "point.json")
"""Names that no member may have: the manifest's own, in a store and beside a restored point."""


class Member(Frozen):
    """One file of a point."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", description="file name, no folders")
    size: int = Field(ge=0)
    digest: str = Field(pattern=r"^blake3:[0-9a-f]{64}$")

    @classmethod
    def of(cls, name: str, content: bytes) -> Member:
        """The member that binds some bytes under a name."""
        return cls(name=name, size=len(content), digest="blake3:" + blake3(content).hexdigest())


class Manifest(Frozen):
    """One sealed, restorable state."""

    version: Literal["provisional-1"] = MANIFEST_VERSION
    id: str = Field(pattern=POINT_ID, description='as "digits-e0001-s00000120"')
    workload: str
    epoch: int = Field(ge=1)
    step: int = Field(ge=0, description="training steps that are in it")
    epoch_from: int = Field(default=0, ge=0, description="training step that its epoch began with")
    sealed_at: datetime
    code: str = Field(description="digest or commit of the code that wrote it")
    members: tuple[Member, ...] = Field(min_length=1)
    losses: tuple[float, ...] = Field(description="the last losses up to `step`, oldest first")
    next_loss: float | None = Field(
        default=None, description="the loss that step + 1 must have: a forward pass made when it was sealed"
    )

    @property
    def size(self) -> int:
        """Bytes of all members."""
        return sum(member.size for member in self.members)

    def content(self) -> bytes:
        """The canonical bytes that are stored, and that the digest is of."""
        return canonical_json(self.model_dump(mode="json"))

    def summary(self) -> PointSummary:
        """What a store's head lists."""
        return PointSummary(
            id=self.id,
            workload=self.workload,
            epoch=self.epoch,
            step=self.step,
            epoch_from=self.epoch_from,
            sealed_at=self.sealed_at,
            size=self.size,
            manifest=digest(self.content()),
        )


def point_id(workload: str, epoch: int, step: int) -> str:
    """The id of the point of a workload at a step: it sorts in the order of sealing."""
    return f"{workload}-e{epoch:04}-s{step:08}"
