"""Turns a pool's knob: the intent first, then the engine, else the cloud's own API, then patience."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from relight.errors import Conflict, RelightError, Unreachable, UsageError
from relight.estate import Estate, Pool
from relight.plan import Context, Done, Failed, Outcome, Process, Progress, Retry, Working, concrete
from relight.provision.locks import is_alive
from relight.provision.spreading import comes_with_pods, exhausted, is_spread_of, move_on, rooms_of, spread
from relight.provision.steps import ScalePool, ScalePoolFacts
from relight.provision.surroundings import (
    Provisioning,
    prepare_work,
    read_end,
    still_at_it,
    without_word,
)
from relight.provision.work import Call, End
from relight.situation import Intent

_NOW, _SOON = timedelta(seconds=0.2), timedelta(seconds=2)
_PASSING = ("locked", "interrupted", "unreachable", "lost")
_LONGEST_SAID = 500


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
        end = _end_of(process, sizes) if process is not None else None
        if end is not None and end.status == "done" and end.sizes == sizes:
            return self._after_engine(spec, intent, end, context)
        if process is not None and process.attempt >= context.attempt:
            if end is None:
                return without_word(process)
            if end.sizes == sizes:
                return self._conclude(spec, intent, end, context)
        return self._start(spec, intent, context)

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
        holds = there and there.active == spec.active and (spec.pool in there.quiet) == spec.quiet
        if there and kept and holds and there.epoch == epoch:
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
            quiet=spec.quiet,
        )

    def _start(self, spec: ScalePool, intent: Intent, context: Context) -> Outcome:
        sizes = dict(intent.pools[spec.pool])
        call = Call(
            task="scale", root=str(self._world.project), stacks=(spec.site,), pool=spec.pool, sizes=sizes
        )
        try:
            work = prepare_work(self._world, call)
        except RelightError as error:
            end = End(status="failed", reason=error.what, remedy=error.remedy, sizes=sizes)
            return self._conclude(spec, intent, end, context)
        context.check()
        context.start_process(work.command, work.environment, work.folder)
        return Working(_NOW, Progress(note=f"the engine sets {spec.pool} to {_told(sizes)}"))

    def _after_engine(self, spec: ScalePool, intent: Intent, end: End, context: Context) -> Outcome:
        """The state has the sizes; what the cloud has beside it is put right, and is no drift then."""
        unlike = self._unlike(spec, end.sizes)
        if not unlike:
            facts = ScalePoolFacts(sizes=end.sizes, ready={}, via="engine")
            return self._wait(spec, intent, facts, end, context)
        has = ", ".join(f"{rung} {nodes}" for rung, nodes in unlike.items())
        if not spec.allow_direct:
            return Failed(
                f"the stack has the sizes of {spec.pool} that were decided, and the cloud has {has}",
                f"who else sizes it? relight stacks drift {spec.site}",
            )
        engine = f"it was done, and the cloud has {has}"
        return self._resize(spec, intent, end.model_copy(update={"reason": engine}), context)

    def _conclude(self, spec: ScalePool, intent: Intent, end: End, context: Context) -> Outcome:
        """What becomes of an engine that has not turned the knob: the nodes matter, drift is on record."""
        if end.status == "stopped":
            return Retry(end.reason)
        if spec.allow_direct:
            return self._resize(spec, intent, end, context)
        is_left = end.lock is not None and not is_alive(end.lock)
        if end.status in _PASSING and not is_left:
            return Retry(end.reason)
        return Failed(end.reason, end.remedy)

    def _resize(self, spec: ScalePool, intent: Intent, end: End, context: Context) -> Outcome:
        """Ask the cloud itself, one rung an attempt, and put on record that the state does not know."""
        sizes = intent.pools[spec.pool]
        context.check()
        try:
            rung = next(iter(self._unlike(spec, sizes)), None)
            if rung is not None:
                self._world.pool_sizes(spec.site).resize(spec.pool, rung, sizes[rung])
        except RelightError as error:
            both = f"{error.what}; nor could the engine: {end.reason}"
            passes = isinstance(error, Unreachable | Conflict)
            return Retry(both) if passes else Failed(both, error.remedy or end.remedy)
        if rung is not None:
            note = f"the cloud itself was asked for {sizes[rung]} of {rung}: {end.reason}"
            return Working(_NOW, Progress(note=note))
        facts = ScalePoolFacts(sizes=dict(sizes), ready={}, via="cloud-api", drift=True, why=end.reason)
        return self._wait(spec, intent, facts, end, context)

    def _unlike(self, spec: ScalePool, sizes: Mapping[str, int]) -> dict[str, int]:
        """What the cloud is asked for now, of the rungs where it is not `sizes`."""
        pool = pool_of(self._world.estate, spec.site, spec.pool)
        there = self._world.pool_sizes(spec.site).sizes(spec.pool)
        # GKE allows a flex-start pool one node at the least, whatever the knob says.
        least = dict.fromkeys(comes_with_pods(pool), 1)
        return {
            rung: there.get(rung, 0)
            for rung, nodes in sizes.items()
            if there.get(rung, 0) not in (nodes, max(nodes, least.get(rung, 0)))
        }

    def _wait(
        self, spec: ScalePool, intent: Intent, facts: ScalePoolFacts, end: End, context: Context
    ) -> Outcome:
        """Done once the nodes are there; what a rung does not give in time is asked of the next."""
        sizes = facts.sizes
        pool = pool_of(self._world.estate, spec.site, spec.pool)
        rooms = rooms_of(pool, context.now())
        for_pods = {rung: sizes[rung] for rung in comes_with_pods(pool) if sizes.get(rung)}
        seen = dict(self._world.pool_sizes(spec.site).ready(spec.pool))
        ready = {**seen, **for_pods}
        lacking = {rung: n - ready.get(rung, 0) for rung, n in sizes.items() if ready.get(rung, 0) < n}
        moved = tuple(exhausted(sizes, rooms)) if spec.nodes is not None else ()
        if not lacking:
            wanted = sum(sizes.values()) if spec.nodes is None else concrete(spec.nodes)
            short = wanted - sum(sizes.values())
            reached = {"ready": seen, "moved": moved, "short": short, "for_pods": for_pods}
            return Done(facts.model_copy(update=reached))
        since = max(intent.changed_at, context.started_at, end.ended_at or context.started_at)
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


def _end_of(process: Process, sizes: Mapping[str, int]) -> End | None:
    """What came of a process; that it broke, too, by itself. None: it was cut off, without a word."""
    end = read_end(process)
    if end is not None or process.is_stopped or not process.exit_status or process.exit_status < 0:
        return end
    last = (process.output.strip().splitlines() or ["it said nothing"])[-1]
    reason = f"the update's process broke (exit status {process.exit_status}): {last[:_LONGEST_SAID]}"
    return End(status="failed", reason=reason, sizes=dict(sizes))


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
