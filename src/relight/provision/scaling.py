"""Turns a pool's knob: the intent first, then the engine, else the cloud's own API, then patience."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from relight.errors import UsageError
from relight.estate import Estate, Pool
from relight.plan import Context, Done, Failed, Outcome, Progress, Retry, Working, concrete
from relight.provision.locks import is_alive
from relight.provision.spreading import exhausted, is_spread_of, move_on, rooms_of, spread
from relight.provision.steps import ScalePool, ScalePoolFacts
from relight.provision.surroundings import (
    Provisioning,
    read_end,
    start_work,
    still_at_it,
    without_word,
)
from relight.provision.work import Call, End
from relight.situation import Intent

_NOW, _SOON = timedelta(seconds=0.2), timedelta(seconds=2)


class ScalePoolHandler:
    """See `ScalePool`. What holds is read from the intent, so a cut-off attempt goes on where it was."""

    def __init__(self, world: Provisioning) -> None:
        self._world = world

    def attempt(self, spec: ScalePool, context: Context) -> Outcome:
        """See Handler.attempt."""
        pool = pool_of(self._world.estate, spec.site, spec.pool)
        rooms = rooms_of(pool, context.now())
        fault = _fault(spec, rooms)
        if fault:
            return fault
        intent = self._decide(spec, _first_sizes(spec, rooms), rooms, context)
        sizes = dict(intent.pools[spec.pool])
        process = context.find_process()
        if process is not None and process.running:
            return still_at_it(process, f"the engine sets the size of {spec.pool}")
        end = read_end(process) if process is not None else None
        if end is not None and end.status == "done" and end.sizes == sizes:
            facts = ScalePoolFacts(sizes=sizes, ready={}, via="engine")
            return self._wait(spec, intent, facts, context)
        if process is not None and process.attempt >= context.attempt:
            if end is None:
                return without_word(process)
            if end.sizes == sizes:
                return self._conclude(spec, intent, end, context)
        return self._start(spec, sizes, context)

    def _decide(
        self, spec: ScalePool, first: Mapping[str, int], rooms: Mapping[str, int], context: Context
    ) -> Intent:
        """The intent that this step stands for, written if it is not there."""
        intents = self._world.intents()
        there = intents.intent(spec.site)
        now = dict(there.pools.get(spec.pool, {})) if there else {}
        epoch = concrete(spec.epoch)
        wanted = sum(first.values())
        kept = now == first or (spec.nodes is not None and bool(now) and is_spread_of(wanted, now, rooms))
        if there and kept and there.epoch == epoch and there.active == spec.active:
            return there
        return self._write(spec, now if kept else first, context.token, context)

    def _write(self, spec: ScalePool, sizes: Mapping[str, int], by: str, context: Context) -> Intent:
        context.check()
        return self._world.intents().decide(
            spec.site,
            pools={spec.pool: sizes},
            active=spec.active,
            epoch=concrete(spec.epoch),
            by=by,
            at=context.now(),
        )

    def _start(self, spec: ScalePool, sizes: Mapping[str, int], context: Context) -> Outcome:
        call = Call(
            task="scale",
            root=str(self._world.project),
            stacks=(spec.site,),
            pool=spec.pool,
            sizes=dict(sizes),
        )
        start_work(self._world, call, context)
        return Working(_NOW, Progress(note=f"the engine sets {spec.pool} to {_told(sizes)}"))

    def _conclude(self, spec: ScalePool, intent: Intent, end: End, context: Context) -> Outcome:
        match end.status:
            case "locked" | "interrupted" | "unreachable" | "lost":
                if not spec.allow_direct:
                    locked = end.lock is not None and not is_alive(end.lock)
                    return Failed(end.reason, end.remedy) if locked else Retry(end.reason)
                return self._resize(spec, intent, end, context)
            case "stopped":
                return Retry(end.reason)
            case _:
                return Failed(end.reason, end.remedy)

    def _resize(self, spec: ScalePool, intent: Intent, end: End, context: Context) -> Outcome:
        """Ask the cloud itself, one rung an attempt, and put on record that the state does not know."""
        cloud = self._world.pool_sizes(spec.site)
        sizes = intent.pools[spec.pool]
        there = cloud.sizes(spec.pool)
        for rung, nodes in sizes.items():
            if there.get(rung, 0) != nodes:
                context.check()
                cloud.resize(spec.pool, rung, nodes)
                note = f"the cloud itself was asked for {nodes} of {rung}: {end.reason}"
                return Working(_NOW, Progress(note=note))
        facts = ScalePoolFacts(sizes=dict(sizes), ready={}, via="cloud-api", drift=True, why=end.reason)
        return self._wait(spec, intent, facts, context)

    def _wait(self, spec: ScalePool, intent: Intent, facts: ScalePoolFacts, context: Context) -> Outcome:
        """Done once the nodes are there; what a rung does not give in time is asked of the next."""
        sizes = facts.sizes
        pool = pool_of(self._world.estate, spec.site, spec.pool)
        rooms = rooms_of(pool, context.now())
        ready = dict(self._world.pool_sizes(spec.site).ready(spec.pool))
        lacking = {rung: n - ready.get(rung, 0) for rung, n in sizes.items() if ready.get(rung, 0) < n}
        moved = tuple(exhausted(sizes, rooms)) if spec.nodes is not None else ()
        if not lacking:
            wanted = sum(sizes.values()) if spec.nodes is None else concrete(spec.nodes)
            short = wanted - sum(sizes.values())
            return Done(facts.model_copy(update={"ready": ready, "moved": moved, "short": short}))
        since = max(intent.changed_at, context.started_at)
        if spec.nodes is not None and context.now() - since >= (spec.patience or pool.patience):
            patient = {rung.key for rung in pool.rungs if rung.capacity != "best-effort"}
            onward = move_on(sizes, ready, rooms, patient)
            if onward != sizes:
                self._write(spec, onward, f"{context.token}.{len(exhausted(onward, rooms))}", context)
                late = ", ".join(lacking)
                return Working(_NOW, Progress(note=f"{late} did not deliver: now {_told(onward)}"))
        up, wanted = sum(min(ready.get(rung, 0), n) for rung, n in sizes.items()), sum(sizes.values())
        note = f"{up} of {wanted} nodes of {spec.pool} are up; missing: {_told(lacking)}"
        return Working(_SOON, Progress(note=note, fraction=up / wanted))


def pool_of(estate: Estate, site: str, pool: str) -> Pool:
    """A declared pool. Raise UsageError where the estate has none of that name."""
    if site not in estate.sites:
        raise UsageError(f"the estate declares no site {site!r}", f"it has {', '.join(estate.sites)}")
    pools: Mapping[str, Pool] = getattr(estate.sites[site], "pools", {})
    if pool not in pools:
        raise UsageError(f"the site {site} has no pool {pool!r}", f"it has {', '.join(pools) or 'none'}")
    return pools[pool]


def _fault(spec: ScalePool, rooms: Mapping[str, int]) -> Failed | None:
    wrong = sorted(set(spec.sizes) - set(rooms))
    if wrong:
        return Failed(f"the pool {spec.pool} has no rung {', '.join(wrong)}", "name rungs of the estate")
    large = sorted(rung for rung, nodes in spec.sizes.items() if nodes > rooms[rung])
    if large:
        return Failed(f"{', '.join(large)} of {spec.pool} cannot give that many now", _told(rooms))
    return None


def _first_sizes(spec: ScalePool, rooms: Mapping[str, int]) -> dict[str, int]:
    if spec.nodes is None:
        return {rung: spec.sizes.get(rung, 0) for rung in rooms}
    return spread(concrete(spec.nodes), rooms)


def _told(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{rung} {nodes}" for rung, nodes in sizes.items() if nodes) or "nothing"
