"""How large each pool of a site should be now: what the intent says, else what the topology holds quietly.

The intent stands in the witness, above any config in git. A program that cannot give an active site what was
decided for it changes nothing, and says why: an update from a stale checkout in the middle of a disaster must
never shrink what carries the work. A pool that was set back to its quiet size follows the
estate again, but at a site that works all the time only upwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from relight.errors import Reason, Refused, UsageError
from relight.estate import CloudSite, Estate, Pool
from relight.provision import rooms_of, spread
from relight.situation import Intent
from relight.topology.frame import Sizes


def sizes_of(
    estate: Estate,
    site: str,
    intent: Intent | None,
    now: datetime,
    configured: Mapping[str, int] | None = None,
) -> Sizes:
    """Nodes by pool and rung.

    `configured` are quiet sizes by pool, from a stack's config, in place of the topology's. Raise UsageError
    where they are no pool's, and Refused with every reason where the estate at hand cannot hold what was
    decided for the site.
    """
    declared = estate.sites[site]
    pools: Mapping[str, Pool] = declared.pools if isinstance(declared, CloudSite) else {}
    wrong = _unknown(pools, configured or {})
    if wrong:
        raise UsageError(
            f"relight:pools in the config of {site} does not fit the estate",
            f"correct it in the stack's config file, Pulumi.{site}.yaml",
            reasons=tuple(wrong),
        )
    stale = _stale(pools, intent)
    if intent and stale:
        raise Refused(
            f"{site} is not what this estate declares since {intent.changed_at:%Y-%m-%d %H:%M}Z "
            f"(epoch {intent.epoch}), so nothing was changed",
            "update your checkout of the estate, as what was decided for the site is newer; if it is meant, "
            "set the pool back before (pool-scale, with the estate as it was)",
            reasons=tuple(stale),
        )
    return {
        name: _size(pool, name, intent, now, _quiet(estate, site, name, pool, configured or {}))
        for name, pool in pools.items()
    }


def read_sizes(configured: object) -> Mapping[str, int]:
    """Quiet sizes by pool, as a stack's config has them; None: it has none. Raise UsageError."""
    if configured is None:
        return {}
    if isinstance(configured, dict) and all(type(nodes) is int for nodes in configured.values()):
        return configured
    raise UsageError(
        f"relight:pools in the stack's config is {configured!r}, no table of pools and numbers of nodes",
        "write it as {train: 2, serve: 1}",
    )


def quiet_sizes(estate: Estate, site: str, now: datetime) -> Sizes:
    """Nodes by pool and rung in quiet times."""
    return sizes_of(estate, site, None, now)


def full_sizes(estate: Estate, site: str, now: datetime) -> Sizes:
    """Nodes by pool and rung while the site carries all that it is meant to carry."""
    declared = estate.sites[site]
    if not isinstance(declared, CloudSite):
        return {}
    return {
        name: spread(estate.topology.full_nodes(site, pool.nodes), rooms_of(pool, now))
        for name, pool in declared.pools.items()
    }


def _quiet(estate: Estate, site: str, name: str, pool: Pool, configured: Mapping[str, int]) -> int:
    if name in configured:
        return configured[name]
    return estate.quiet_nodes(site, pool.nodes)


def _size(pool: Pool, name: str, intent: Intent | None, now: datetime, quiet: int) -> Mapping[str, int]:
    if intent is None or name not in intent.pools:
        return spread(quiet, rooms_of(pool, now))
    decided = intent.pools[name]
    if name in intent.quiet and (not intent.active or quiet >= sum(decided.values())):
        return spread(quiet, rooms_of(pool, now))
    return {rung.key: min(decided.get(rung.key, 0), rung.nodes) for rung in pool.rungs}


def _stale(pools: Mapping[str, Pool], intent: Intent | None) -> list[Reason]:
    """What was decided and does not fit what is declared; a standby's quiet pools follow the estate."""
    reasons = []
    for name, decided in intent.pools.items() if intent else ():
        pool = pools.get(name)
        if intent and not intent.active and name in intent.quiet:
            continue
        if pool is None:
            if sum(decided.values()):
                reasons.append(Reason(f"pool {name} has {sum(decided.values())} nodes, and is not declared"))
            continue
        for key, nodes in decided.items():
            rung = pool.rung(key)
            if nodes and rung is None:
                reasons.append(Reason(f"pool {name} has {nodes} nodes of {key}, which is not declared"))
            elif rung is not None and nodes > rung.nodes:
                reasons.append(
                    Reason(f"pool {name} has {nodes} nodes of {key}; the estate allows {rung.nodes}")
                )
    return reasons


def _unknown(pools: Mapping[str, Pool], configured: Mapping[str, int]) -> list[Reason]:
    """Quiet sizes in the config that no pool can have."""
    reasons = []
    for name, nodes in configured.items():
        if name not in pools:
            reasons.append(Reason(f"the config has a size for pool {name}, which is not declared"))
        elif not 0 <= nodes <= pools[name].most_nodes:
            most = pools[name].most_nodes
            reasons.append(
                Reason(f"the config gives pool {name} {nodes} nodes; its rungs give {most} at most")
            )
    return reasons
