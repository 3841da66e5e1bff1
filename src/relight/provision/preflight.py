"""What is tried of provisioning: is the engine here, each state readable and free, does each cloud answer?"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Protocol

from relight.errors import NotFound, RelightError
from relight.estate import CloudSite, Estate, Pool
from relight.plan import Spec
from relight.provision.port import Capacity, LockUnknown, PoolSizes, Stacks
from relight.provision.steps import CapacityCheck, ScalePool, StackDrift, StackUp
from relight.situation import PreflightCheck


class Trying(Protocol):
    """Where engine and clouds come from."""

    def stacks(self, stack: str) -> Stacks:
        """The engine, for one stack."""

    def pool_sizes(self, site: str) -> PoolSizes:
        """The sizes of a site's pools, by its cloud's own API."""

    def capacity(self, site: str) -> Capacity:
        """Room for a site's pools, as far as its cloud tells."""


def preflight(estate: Estate, world: Trying) -> Iterator[PreflightCheck]:
    """The engine; then per site with pools its state, its groups, and the guaranteed part of each pool."""
    grown = {name: site for name, site in estate.sites.items() if isinstance(site, CloudSite) and site.pools}
    if estate.stacks is None or not grown:
        return
    yield PreflightCheck("the pulumi command is here", ("engine",), _engine)
    for name, site in grown.items():
        yield PreflightCheck(
            f"the state of stack {name} can be read, and nobody holds it",
            (f"stack:{name}",),
            partial(_state, world, name),
        )
        yield PreflightCheck(
            f"the cloud of {name} shows its pools",
            (f"pools:{name}",),
            partial(_pools, world, name, tuple(site.pools)),
        )
        for pool_name, pool in site.pools.items():
            if pool.guaranteed_nodes:
                yield PreflightCheck(
                    f"pool {pool_name} at {name} would get what is guaranteed",
                    (f"capacity:{name}",),
                    partial(_capacity, world, estate, name, pool_name, pool),
                )


def needs(specs: Iterable[Spec], estate: Estate) -> Iterator[str]:
    """What steps need of this room."""
    del estate
    for spec in specs:
        match spec:
            case ScalePool():
                yield from ("engine", f"stack:{spec.site}", f"pools:{spec.site}", f"capacity:{spec.site}")
            case StackUp():
                yield from ("engine", f"stack:{spec.stack}")
            case StackDrift():
                yield from ("engine", *(f"stack:{stack}" for stack in spec.stacks))
            case CapacityCheck():
                yield f"pools:{spec.site}"


def _engine() -> str:
    found = shutil.which("pulumi")
    if found is None:
        raise RelightError("there is no pulumi on PATH", "see https://www.pulumi.com/docs/install/")
    return found


def _state(world: Trying, stack: str) -> str:
    stacks = world.stacks(stack)
    told = "it is readable and free"
    try:
        lock = stacks.lock(stack)
    except LockUnknown as unknown:
        lock, told = None, f"it is readable; {unknown.what}"
    if lock is not None:
        raise RelightError(
            f"the stack {stack} is held: {lock}", "is that update alive? A dead one's lock is in the way"
        )
    try:
        outputs = stacks.outputs(stack)
    except NotFound:
        raise RelightError(
            f"the stack {stack} was never brought up", f"relight stacks preview {stack} -o plan.json"
        ) from None
    if "pools" not in outputs:
        raise RelightError(
            f"the stack {stack} has no pools in its state", f"relight stacks preview {stack} -o plan.json"
        )
    return told


def _pools(world: Trying, site: str, pools: tuple[str, ...]) -> str:
    cloud = world.pool_sizes(site)
    return ", ".join(f"{pool} {sum(cloud.sizes(pool).values())}" for pool in pools)


def _capacity(world: Trying, estate: Estate, site: str, name: str, pool: Pool) -> str:
    """Whether the guaranteed rungs have free what the pool's growth asks of them."""
    capacity, has = world.capacity(site), world.pool_sizes(site).sizes(name)
    left = estate.topology.full_nodes(site, pool.nodes)
    told = []
    for rung in pool.rungs:
        wanted = min(left, rung.nodes)
        left -= wanted
        missing = wanted - has.get(rung.key, 0)
        if rung.capacity != "guaranteed" or missing <= 0:
            continue
        free = capacity.free(name, rung.key)
        if free.nodes is None:
            raise RelightError(f"{rung.key} of {name}: {free.reason}", "ask the cloud's console")
        if free.nodes < missing:
            raise RelightError(
                f"{rung.key} of {name} has {free.nodes} nodes free, {missing} would be needed",
                "who uses the reservation? It is no guarantee then",
            )
        told.append(f"{rung.key} has {free.nodes} free for {missing}")
    return ", ".join(told) or "it is at full size"
