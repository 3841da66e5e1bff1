"""How large each pool of a site should be now: what the intent says, else what the topology holds quietly.

The intent stands in the witness, above any config in git. A program that cannot give an active site what was
decided for it changes nothing, and says why: an update from a stale checkout in the middle of a disaster must
never shrink what carries the work.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from relight.errors import Reason, Refused
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

    `configured` are quiet sizes by pool, from a stack's config, in place of the topology's. Raise Refused
    with every reason where the estate at hand cannot hold what was decided for an active site.
    """
    declared = estate.sites[site]
    pools: Mapping[str, Pool] = declared.pools if isinstance(declared, CloudSite) else {}
    reasons = list(_stale(pools, intent)) + list(_unknown(pools, configured or {}))
    if reasons:
        since = f" since {intent.changed_at:%Y-%m-%d %H:%M}Z (epoch {intent.epoch})" if intent else ""
        raise Refused(
            f"{site} is not what this estate declares{since}, so nothing was changed",
            "update your checkout of the estate: what was decided for the site is newer than it",
            reasons=tuple(reasons),
        )
    return {
        name: _size(pool, name, intent, now, _quiet(estate, site, name, pool, configured or {}))
        for name, pool in pools.items()
    }


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
    if site not in estate.topology.members:
        return 0  # a site that no topology names carries nothing
    return estate.topology.quiet_nodes(site, pool.nodes)


def _size(pool: Pool, name: str, intent: Intent | None, now: datetime, quiet: int) -> Mapping[str, int]:
    if intent is None or name not in intent.pools:
        return spread(quiet, rooms_of(pool, now))
    decided = intent.pools[name]
    return {rung.key: min(decided.get(rung.key, 0), rung.nodes) for rung in pool.rungs}


def _stale(pools: Mapping[str, Pool], intent: Intent | None) -> list[Reason]:
    """What was decided for an active site and does not fit what is declared."""
    reasons = []
    for name, decided in intent.pools.items() if intent and intent.active else ():
        pool = pools.get(name)
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
