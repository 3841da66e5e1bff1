"""Kinds of step that the vault brings."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import Field

from relight.plan import Facts, Input, Interruption, Spec


class FencedStore(Facts):
    """The epoch in which the store takes seals now; 0: it did not answer, and did not have to."""

    epoch: int


class FenceStore(Spec):
    """From its success no seal of an older epoch succeeds in this store."""

    kind: ClassVar[str] = "vault.fence-store"
    proof: ClassVar[bool] = True
    summary: ClassVar[str] = "make a store refuse seals of the old epoch"
    facts: ClassVar[type[Facts]] = FencedStore
    interrupted: ClassVar[Interruption] = "repeat"
    usual: ClassVar[tuple[timedelta, timedelta]] = (timedelta(seconds=0.1), timedelta(seconds=1))

    store: str
    workload: str
    epoch: Input[int]
    if_reachable: bool = Field(
        default=False,
        description="a store that does not answer counts as Done: its later seals are of no lineage",
    )


class RestoredPoint(Facts):
    """The point that was brought back, and where it lies."""

    id: str
    step: int
    sealed_at: datetime
    size: int
    folder: str
    next_loss: float | None
    highest_loss: float = Field(description="the highest of the losses in the manifest")
    passed_over: tuple[str, ...] = Field(default=(), description="newer points that did not load, and why")


class Rehydrate(Spec):
    """Bring the newest whole point of a workload, at or above a floor, to where the work will run.

    Members are fetched in parts within the time of one call, verified by digest and kept, so that a cut-off
    attempt goes on where it was. A point that does not verify or load is passed over for the one before;
    below the floor the step fails, because people agreed to no worse.
    """

    kind: ClassVar[str] = "vault.rehydrate"
    summary: ClassVar[str] = "bring the newest whole point to the site, verified"
    facts: ClassVar[type[Facts]] = RestoredPoint
    interrupted: ClassVar[Interruption] = "probe"

    workload: str
    store: str
    folder: str = Field(description="where points of this workload are laid, one folder per point")
    floor: Input[str] = Field(description="id of the oldest point that was agreed to")
    max_epoch: int = Field(description="points of later epochs are not of this lineage")


class CopiedPoint(Facts):
    """The newest point that is now in the target store."""

    id: str
    step: int
    sealed_at: datetime


class CopyPoint(Spec):
    """Copy the newest point of a workload from one store to another, and seal it there."""

    kind: ClassVar[str] = "vault.copy-point"
    summary: ClassVar[str] = "copy the newest point to another store"
    facts: ClassVar[type[Facts]] = CopiedPoint
    interrupted: ClassVar[Interruption] = "probe"

    workload: str
    source: str = Field(description="store")
    target: str = Field(description="store")
    at_least_step: Input[int] = Field(description="wait until the source has this training step sealed")
