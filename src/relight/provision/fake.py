"""Stacks and clouds in memory, for tests and demos; they keep the promises of the ports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from relight.canonical import digest_of
from relight.errors import Conflict, NotFound, Refused, Unreachable
from relight.provision.approval import deviations, fingerprint
from relight.provision.locks import is_alive
from relight.provision.port import (
    Approved,
    Change,
    Deviates,
    Drift,
    Free,
    Interrupted,
    Lock,
    Locked,
    OnProgress,
    PendingCreate,
    Preview,
    Update,
    UpdateFailed,
)
from relight.provision.sizes import sizes_in
from relight.provision.wording import verb_of
from relight.situation import Intent, quiet_pools

Resources = Mapping[str, Mapping[str, object]]
"""Per logical name what the program gives it: inputs, of which "type" says what it is."""

_TYPE = "standin:index:Pool"


@dataclass
class _Stack:
    """One stack: what its state has, per name, and what hinders its updates."""

    state: dict[str, dict[str, object]] = field(default_factory=dict)
    pending: list[PendingCreate] = field(default_factory=list)
    lock: Lock | None = None


class FakeStacks:
    """Stacks whose program is a function of the stack's name, and whose cloud is `cloud`: name to inputs.

    `fails` names resources that the cloud refuses, with its message; `is_away` makes every call Unreachable.
    """

    def __init__(
        self, program: Callable[[str], Resources], outputs: Mapping[str, object] | None = None
    ) -> None:
        self.program = program
        self.cloud: dict[str, dict[str, dict[str, object]]] = {}
        self.fails: dict[str, str] = {}
        self.is_away = False
        self.exports_nodes = True
        self.updates = 0
        self._outputs = outputs or {}
        self._stacks: dict[str, _Stack] = {}

    def lock_it(self, stack: str, lock: Lock | None) -> None:
        """Have somebody else hold a stack, or give it back."""
        self._there(stack, make=True).lock = lock

    def cut_off(self, stack: str, *names: str) -> None:
        """Leave a stack as an update does that was killed while it created these."""
        there = self._there(stack, make=True)
        there.state = {name: inputs for name, inputs in there.state.items() if name not in names}
        there.pending = [
            PendingCreate(
                urn=urn_of(stack, name),
                type=_type_of(self.program(stack)[name]),
                name=name,
                inputs=dict(self.program(stack)[name]),
                begun_at=datetime.now(UTC),
            )
            for name in names
        ]

    def preview(self, stack: str, targets: tuple[str, ...] = ()) -> Preview:
        """See Stacks.preview."""
        there, wanted = self._there(stack, make=True), self.program(stack)
        if there.pending:
            raise Interrupted(stack, tuple(there.pending))
        changes = tuple(change for change in _compare(stack, there.state, wanted) if _is_in(change, targets))
        digest = digest_of([change.model_dump(mode="json") for change in changes])
        sizes = sizes_in(self._exported(wanted)) if self.exports_nodes else {}
        return Preview(
            stack=stack, changes=changes, same=len(wanted) - len(changes), digest=digest, sizes=sizes
        )

    def up(
        self,
        stack: str,
        targets: tuple[str, ...] = (),
        expect_digest: str | None = None,
        on_progress: OnProgress | None = None,
        approved: tuple[Approved, ...] = (),
    ) -> Update:
        """See Stacks.up."""
        there = self._there(stack, make=True)
        preview = self.preview(stack, targets)
        if expect_digest not in (None, preview.digest):
            wanted = {urn_of(stack, name): inputs for name, inputs in self.program(stack).items()}
            if deviations(approved, preview.changes, wanted):
                raise Deviates(
                    f"the stack {stack} would change in another way", "look at the preview as it is now"
                )
        if there.lock:
            raise Locked(stack, there.lock)
        self.updates += 1
        counts: dict[str, int] = {}
        for done, change in enumerate(preview.changes):
            if on_progress:
                on_progress(done, len(preview.changes), f"{verb_of(change.op)} {change.name}")
            if change.name in self.fails:
                raise UpdateFailed(
                    f"the stack {stack}: {change.name}: {self.fails[change.name]}", "correct it"
                )
            for place in (there.state, self.cloud.setdefault(stack, {})):
                if change.op == "delete":
                    place.pop(change.name, None)
                else:
                    place[change.name] = dict(self.program(stack)[change.name])
            counts[change.op] = counts.get(change.op, 0) + 1
        return Update(stack=stack, counts=counts, changes=preview.changes)

    def refresh(
        self,
        stack: str,
        adopt: Mapping[str, str] | None = None,
        on_progress: OnProgress | None = None,  # noqa: ARG002 (it is done at once)
    ) -> Update:
        """See Stacks.refresh."""
        there = self._there(stack)
        if there.lock:
            raise Locked(stack, there.lock)
        changes = self.drift(stack).changes
        cloud = self.cloud.get(stack, {})
        adopted = {create.name for create in there.pending if create.urn in (adopt or {})}
        there.state = {
            name: dict(inputs) for name, inputs in cloud.items() if name in there.state or name in adopted
        }
        there.pending = []
        return Update(stack=stack, changes=changes)

    def drift(self, stack: str) -> Drift:
        """See Stacks.drift."""
        there = self._there(stack)
        if not (there.state or there.pending):
            raise NotFound(f"the stack {stack} was never brought up", "make it with an update first")
        cloud = {name: inputs for name, inputs in self.cloud.get(stack, {}).items() if name in there.state}
        changes = tuple(_compare(stack, there.state, cloud))
        return Drift(stack=stack, changes=changes, pending=tuple(there.pending))

    def outputs(self, stack: str) -> Mapping[str, object]:
        """See Stacks.outputs."""
        self._there(stack)
        return self._outputs

    def _exported(self, wanted: Resources) -> dict[str, object]:
        """The outputs, each rung's `nodes` being what the program gives the resource of its `urn`."""
        sized = {
            name: inputs["desiredCapacity"] for name, inputs in wanted.items() if "desiredCapacity" in inputs
        }
        pools: Any = self._outputs.get("pools") or {}
        return {
            "pools": {
                pool: {
                    rung: {**said, "nodes": sized.get(str(said.get("urn")).rpartition("::")[2])}
                    for rung, said in rungs.items()
                }
                for pool, rungs in pools.items()
            }
        }

    def lock(self, stack: str) -> Lock | None:
        """See Stacks.lock."""
        return self._there(stack).lock

    def cancel(self, stack: str, lock: str) -> None:
        """See Stacks.cancel."""
        there = self._there(stack)
        if there.lock and there.lock.id != lock:
            raise Conflict(f"the stack {stack} has another lock now: {there.lock}", "look who holds it")
        if there.lock and is_alive(there.lock):
            raise Locked(stack, there.lock)
        there.lock = None

    def _there(self, stack: str, *, make: bool = False) -> _Stack:
        if self.is_away:
            raise Unreachable(f"the state of the stack {stack} is out of reach")
        if not make and stack not in self._stacks:
            raise NotFound(f"there is no stack {stack}", "make it with an update first")
        return self._stacks.setdefault(stack, _Stack())


def urn_of(stack: str, name: str, kind: str = _TYPE) -> str:
    """The URN of a resource in a fake stack."""
    return f"urn:pulumi:{stack}::fake::{kind}::{name}"


def _type_of(inputs: Mapping[str, object]) -> str:
    return str(inputs.get("type", _TYPE))


def _is_in(change: Change, targets: tuple[str, ...]) -> bool:
    return change.urn in targets if targets else True


def _compare(stack: str, old: Resources, new: Resources) -> list[Change]:
    changes = []
    for name in sorted({*old, *new}):
        was, wanted = old.get(name), new.get(name)
        if was == wanted:
            continue
        op = "create" if was is None else "delete" if wanted is None else "update"
        paths = sorted(
            key for key in {*(was or {}), *(wanted or {})} if (was or {}).get(key) != (wanted or {}).get(key)
        )
        values = {path: repr((wanted or {}).get(path)) for path in paths} if wanted else {}
        kind = _type_of(wanted or was or {})
        changes.append(
            Change(
                urn=urn_of(stack, name),
                name=name,
                type=kind,
                op=op,
                paths=tuple(paths),
                values=values,
                digest="" if wanted is None else fingerprint(wanted, ()),
            )
        )
    return changes


class FakeIntents:
    """See `Intents`; `is_away` makes every call Unreachable."""

    def __init__(self) -> None:
        self.kept: dict[str, Intent] = {}
        self.writes = 0
        self.is_away = False

    def intent(self, site: str) -> Intent | None:
        """See Intents.intent."""
        if self.is_away:
            raise Unreachable("the witness is out of reach")
        return self.kept.get(site)

    def decide(
        self,
        site: str,
        *,
        pools: Mapping[str, Mapping[str, int]],
        active: bool,
        epoch: int,
        by: str,
        at: datetime,
        quiet: bool = False,
    ) -> Intent:
        """See Intents.decide."""
        there = self.intent(site)
        if there and there.epoch > epoch:
            raise Conflict(
                f"the intent of {site} has epoch {there.epoch}, above {epoch}", "look who took over"
            )
        merged = {**(there.pools if there else {}), **{pool: dict(sizes) for pool, sizes in pools.items()}}
        follow = quiet_pools(there, pools, quiet=quiet)
        if there and (there.pools, there.quiet, there.active, there.epoch) == (merged, follow, active, epoch):
            return there
        self.writes += 1
        self.kept[site] = Intent(
            site=site,
            epoch=epoch,
            active=active,
            pools=merged,
            quiet=follow,
            changed_by=by,
            changed_at=at,
        )
        return self.kept[site]


class FakePools:
    """A cloud's pools: `PoolSizes` and `Capacity`. Nodes are up at once, but no more than `gives` of a rung.

    A rung that `gives` does not name gives whatever it is asked for; `is_away` makes every call Unreachable.
    """

    def __init__(
        self, pools: Mapping[str, Mapping[str, int]], gives: Mapping[str, int] | None = None
    ) -> None:
        self.pools = {pool: dict(sizes) for pool, sizes in pools.items()}
        self.gives = dict(gives or {})
        self.refuses: dict[str, str] = {}
        self.is_away = False

    def sizes(self, pool: str) -> Mapping[str, int]:
        """See PoolSizes.sizes."""
        if self.is_away:
            raise Unreachable("the cloud is out of reach")
        if pool not in self.pools:
            raise NotFound(f"the cloud has no pool {pool}", "bring the stack up first")
        return dict(self.pools[pool])

    def ready(self, pool: str) -> Mapping[str, int]:
        """See PoolSizes.ready."""
        return {rung: min(nodes, self.gives.get(rung, nodes)) for rung, nodes in self.sizes(pool).items()}

    def resize(self, pool: str, rung: str, nodes: int) -> None:
        """See PoolSizes.resize."""
        if rung not in self.sizes(pool):
            raise NotFound(f"the pool {pool} has no rung {rung}", "bring the stack up first")
        if rung in self.refuses:
            raise Refused(f"the cloud refuses {nodes} nodes of {rung}: {self.refuses[rung]}")
        self.pools[pool][rung] = nodes

    def free(self, pool: str, rung: str) -> Free:
        """See Capacity.free."""
        used = self.sizes(pool).get(rung)
        if used is None:
            raise NotFound(f"the pool {pool} has no rung {rung}")
        if rung not in self.gives:
            return Free(nodes=None, reason="no cloud tells")
        return Free(nodes=max(0, self.gives[rung] - used), reason="the reservation's free count")


class FakeFinder:
    """See `Finder`: finds what `there` has, by the tag "relight:token" or else by logical name."""

    def __init__(self, there: Mapping[str, str] | None = None) -> None:
        self.there = dict(there or {})
        self.asked: list[str] = []

    def find(self, sought: PendingCreate) -> str | None:
        """See Finder.find."""
        self.asked.append(sought.name)
        return self.there.get(sought.tags.get("relight:token", ""), self.there.get(sought.name))
