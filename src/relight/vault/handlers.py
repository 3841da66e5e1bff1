"""What carries the vault's steps out."""

from __future__ import annotations

from datetime import timedelta

from relight.errors import Refused, Unreachable
from relight.plan import Context, Done, Failed, Outcome, Progress, Working, concrete
from relight.vault.copying import copy_point
from relight.vault.lineage import newest
from relight.vault.port import Vaults
from relight.vault.rehydration import RehydrateHandler
from relight.vault.steps import CopiedPoint, CopyPoint, FencedStore, FenceStore

__all__ = ["CopyPointHandler", "FenceStoreHandler", "RehydrateHandler"]

_LOOK_AGAIN = timedelta(seconds=0.5)


class FenceStoreHandler:
    """Raises the epoch in the head of a workload."""

    def __init__(self, world: Vaults) -> None:
        self._world = world

    def attempt(self, spec: FenceStore, context: Context) -> Outcome:
        """Done once the store takes seals of the epoch, or of a later one, only."""
        try:
            return Done(FencedStore(epoch=self._fence(spec, context)))
        except Unreachable:
            if spec.if_reachable:
                return Done(FencedStore(epoch=0))
            raise

    def _fence(self, spec: FenceStore, context: Context) -> int:
        vault = self._world.vault(spec.store)
        wanted = concrete(spec.epoch)
        if vault.epoch(spec.workload) < wanted:
            context.check()
            vault.raise_epoch(spec.workload, wanted)
        return vault.epoch(spec.workload)


class CopyPointHandler:
    """Copies the newest point whole, within one call.

    An object store without multipart uploads takes a member as one write, so a member must pass within the
    store's request time-out; members that are laid already are not laid again after a cut-off.
    """

    def __init__(self, world: Vaults) -> None:
        self._world = world

    def attempt(self, spec: CopyPoint, context: Context) -> Outcome:
        """Working until the source has the training step sealed; Done once the target has that point."""
        source, target = self._world.vault(spec.source), self._world.vault(spec.target)
        wanted = concrete(spec.at_least_step)
        point = newest(source.points(spec.workload))
        if point is None or point.step < wanted:
            there = f"step {point.step}" if point else "nothing"
            note = f"{spec.source} has {there} of {spec.workload} sealed, waiting for step {wanted}"
            return Working(_LOOK_AGAIN, Progress(note=note))
        if point not in target.points(spec.workload):
            context.check()
            try:
                point = copy_point(source, target, point)
            except Refused as refused:
                return Failed(f"{spec.target} does not take {point.id}: {refused.what}", refused.remedy)
        return Done(CopiedPoint(id=point.id, step=point.step, sealed_at=point.sealed_at))
