"""The head of a workload in one store: the epoch it takes seals in, and the points that exist.

Pure: a head is a value, and every change makes the next one. The adapter moves it by conditional write.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationError

from relight.canonical import Frozen, canonical_json
from relight.errors import Damaged, Refused
from relight.situation import PointSummary
from relight.vault.lineage import age, lineage
from relight.vault.manifest import MANIFEST_VERSION, Manifest

LISTED_POINTS = 64
"""How many points a head lists at most. Provisional: a head is read and written whole at every seal, so it
must stay small, and nothing older is of use to a failover. What the bytes of unlisted points become is a
matter of retention, which comes with the vault's own format."""


class Head(Frozen):
    """What a store says of one workload."""

    version: Literal["provisional-1"] = MANIFEST_VERSION
    epoch: int = Field(default=0, ge=0)
    points: tuple[PointSummary, ...] = ()

    def content(self) -> bytes:
        """The bytes that are stored."""
        return canonical_json(self.model_dump(mode="json"))

    def listed(self, manifest: Manifest) -> PointSummary | None:
        """The point that a manifest's id, or its epoch and step, already stand for; None: neither does."""
        for point in self.points:
            if point.id == manifest.id or (point.epoch, point.step) == (manifest.epoch, manifest.step):
                return point
        return None

    def raised(self, epoch: int) -> Head:
        """The head that takes seals from `epoch` on; never lowers it."""
        return self.model_copy(update={"epoch": max(self.epoch, epoch)})

    def sealed(self, point: PointSummary) -> Head:
        """The head with one point more. Raise Refused if it may not be listed."""
        if point.epoch < self.epoch:
            raise Refused(
                f"{point.id} is of epoch {point.epoch}, the store takes seals of epoch {self.epoch}",
                "the writer was fenced: another site writes now; stop it",
            )
        points = (*self.points, point)
        # What is no longer in the lineage goes first, then the oldest.
        holding = set(lineage(points))
        kept = sorted(points, key=lambda p: (p in holding, age(p)))[-LISTED_POINTS:]
        if point not in kept:
            raise Refused(
                f"{point.id} is older than the {LISTED_POINTS} points that the store lists",
                "a seal goes on from the newest point",
            )
        return Head(epoch=max(self.epoch, point.epoch), points=tuple(sorted(kept, key=age)))


def read_head(content: bytes, name: str) -> Head:
    """A head from its stored bytes; `name` is how the error calls it. Raise Damaged."""
    try:
        return Head.model_validate_json(content)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        at = ".".join(str(part) for part in fault["loc"])
        raise Damaged(
            f"{name} is no head that this version reads: {at}: {fault['msg']}",
            "was it written by another version of relight, or by hand?",
        ) from None
