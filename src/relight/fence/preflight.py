"""What the fence tries before a disaster: the witness, the observers, and whether their clocks are right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

from relight.errors import NotFound, RelightError
from relight.estate import Estate
from relight.fence.adapters.anchors import ANCHORS_FOLDER
from relight.fence.adapters.claims import CLAIMS_KEY
from relight.fence.adapters.witness import authority_key
from relight.fence.handlers import Lookouts, Witnesses
from relight.fence.steps import ConfirmVerdict, RaiseEpoch
from relight.objects import ObjectStore, prove_right_to_move, prove_writes
from relight.plan import Spec
from relight.situation import PreflightCheck
from relight.units import format_duration

_SKEW = timedelta(seconds=5)
"""How far an observer's clock may be off: when a site was last seen up, and so what was lost, is counted by
it. A `Date` header has whole seconds only."""


class FenceWorld(Lookouts, Witnesses, Protocol):
    """Where the witness, its store and the observers come from."""

    def objects(self, store: str) -> ObjectStore:
        """The bytes of a declared store."""


def preflight(estate: Estate, world: FenceWorld) -> Iterator[PreflightCheck]:
    """The witness's store, each writer's authority, and each observer and its clock."""
    writers = [name for name, workload in estate.workloads.items() if workload.writes]
    yield PreflightCheck(
        "the witness takes conditional writes, and those of claims, epochs and journal heads",
        ("witness",),
        partial(_write, world, estate.witness.store, tuple(writers)),
    )
    for name in writers:
        yield PreflightCheck(
            f"the witness knows who may write for {name}",
            (f"authority:{name}",),
            partial(_authority, world, name),
        )
    for name in estate.observers:
        things = (f"observer:{name}",)
        yield PreflightCheck(f"observer {name} sees every site", things, partial(_sight, world, estate, name))
        yield PreflightCheck(f"the clock of observer {name} is right", things, partial(_clock, world, name))


def needs(specs: Iterable[Spec], estate: Estate) -> Iterator[str]:
    """What steps need of this room."""
    for spec in specs:
        match spec:
            case ConfirmVerdict():
                yield from (f"observer:{name}" for name in estate.observers)
            case RaiseEpoch():
                yield from ("witness", f"authority:{spec.workload}")


def _write(world: FenceWorld, store: str, writers: tuple[str, ...]) -> str:
    objects = world.objects(store)
    prove_writes(objects, datetime.now(UTC))
    heads = objects.list(ANCHORS_FOLDER)[-1:]
    documents = [CLAIMS_KEY, *(authority_key(name) for name in writers), *heads]
    moved = [key for key in documents if prove_right_to_move(objects, key)]
    return f"writes are taken, to {', '.join(moved)} too" if moved else "writes are taken"


def _authority(world: Witnesses, workload: str) -> str:
    authority = world.witness().authority(workload)
    if authority is None:
        raise NotFound(f"the witness has no authority of {workload}", "it is declared at first start")
    return f"{authority.active}, in epoch {authority.epoch}"


def _sight(world: Lookouts, estate: Estate, observer: str) -> str:
    lookout = world.lookouts()[observer]
    blind = []
    for site, declared in estate.sites.items():
        seen = {opinion.capability for opinion in lookout.opinions(site)}
        blind += [f"{capability} of {site}" for capability in declared.probes if capability not in seen]
    if blind:
        raise RelightError(
            f"observer {observer} says nothing about {', '.join(blind)}", "does it watch what is declared?"
        )
    return f"it sees {', '.join(estate.sites)}"


def _clock(world: Lookouts, observer: str) -> str:
    before = datetime.now(UTC)
    shown = world.lookouts()[observer].clock()
    after = datetime.now(UTC)
    if shown is None:
        return "it does not say what time it is"
    # Its time was somewhere within the second that it named, while ours went from `before` to `after`.
    ahead, behind = shown - after, before - (shown + timedelta(seconds=1))
    off = max(ahead, behind, timedelta(0))
    if off > _SKEW:
        side = "ahead of" if ahead > behind else "behind"
        raise RelightError(
            f"the clock of observer {observer} is {format_duration(off)} {side} the clock here",
            "set the clocks here and there: what was lost is counted by them",
        )
    return f"within {format_duration(_SKEW)} of the clock here"
