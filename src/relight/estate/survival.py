"""The dead-site check: for each site of the topology, what would be left if it were gone?

Nothing that bringing the work back needs may live only on the site that died.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from relight.estate.check import Check, wrong
from relight.estate.model import Estate


def check_survival(estate: Estate) -> Iterator[Check]:
    """Everything that a site of the topology would take with it, and that is needed after it."""
    for site in estate.topology.members:
        if site in estate.sites:
            yield from _check_witness(estate, site)
            yield from _check_observers(estate, site)
            yield from _check_points(estate, site)
            yield from _check_names(estate, site)


def _check_witness(estate: Estate, site: str) -> Iterator[Check]:
    store = estate.stores.get(estate.witness.store)
    if store is not None and store.site == site:
        yield wrong(
            "dead-site-witness",
            "witness.store",
            f'"{estate.witness.store}" dies with "{site}", which the witness is to judge',
            "keep the witness in a store outside every site",
        )


def _check_observers(estate: Estate, site: str) -> Iterator[Check]:
    count = len(estate.observers)
    elsewhere = sum(observer.site != site for observer in estate.observers.values())
    if elsewhere <= count // 2:
        yield wrong(
            "dead-site-observers",
            "observers",
            f'without "{site}" {elsewhere} of {count} observers are left: no majority could call it lost',
            "put more of them outside of it",
        )


def _check_points(estate: Estate, site: str) -> Iterator[Check]:
    doomed = {name for name, w in estate.workloads.items() if _is_only_on(estate, w.writes, site)}
    for name, workload in estate.workloads.items():
        if name in doomed and workload.runs_on == site:
            yield wrong(
                "dead-site-points",
                f"workloads.{name}.writes",
                f'every store with its recovery points dies with "{site}", where it runs',
                "write to a store outside of it too",
            )
        needed = [("reads", workload.reads)] if workload.reads else []
        needed += [(f"depends_on.{i}", before) for i, before in enumerate(workload.depends_on)]
        for field, before in needed:
            if before in doomed:
                yield wrong(
                    "dead-site-dependency",
                    f"workloads.{name}.{field}",
                    f'every recovery point of "{before}" dies with "{site}"',
                    f"let {before} write to a store outside of it too",
                )


def _is_only_on(estate: Estate, stores: Iterable[str], site: str) -> bool:
    """Whether there are stores, and all of them die with the site."""
    sites = [estate.stores[name].site for name in stores if name in estate.stores]
    return bool(sites) and all(there == site for there in sites)


def _check_names(estate: Estate, site: str) -> Iterator[Check]:
    for name, declared in estate.dns.names.items():
        servers = [estate.dns.servers[s] for s in declared.servers if s in estate.dns.servers]
        if servers and all(server.site == site for server in servers):
            yield wrong(
                "dead-site-dns",
                f"dns.names.{name}.servers",
                f'every name server of {declared.name} dies with "{site}"',
                "add a server outside of it",
            )
