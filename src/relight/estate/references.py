"""Do the names lead somewhere, and never in a circle?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from relight.estate.check import Check, wrong
from relight.estate.model import Estate
from relight.estate.spelling import Spelling
from relight.estate.topologies import ActiveActive, CloudBurst

_NONE: Mapping[str, Collection[str] | None] = {}


def check_names(estate: Estate, hidden: Mapping[str, Collection[str] | None] = _NONE) -> Iterator[Check]:
    """Every name that leads nowhere.

    `hidden` has, by section, names of what is declared and cannot be read; None: any name may be of these.
    """
    spelling = Spelling()
    sections: dict[str, Collection[str]] = {
        "site": estate.sites,
        "store": estate.stores,
        "workload": estate.workloads,
        "name server": estate.dns.servers,
    }
    for path, section, name in _names(estate):
        unseen = hidden.get(f"{section}s", ())
        if unseen is None:
            continue
        known = [*sections[section], *unseen] if unseen else sections[section]
        if name not in known:
            remedy = spelling.remedy(name, known, otherwise=f"declare it, or name a {section} that there is")
            yield wrong("dangling-name", path, f'there is no {section} "{name}"', remedy)


def _names(estate: Estate) -> Iterator[tuple[str, str, str]]:
    """Every use of a name: where, which section it should lead to, and the name."""
    for name, site in estate.sites.items():
        yield f"sites.{name}.store", "store", site.store
    yield from _topology_names(estate)
    for name, store in estate.stores.items():
        if store.site is not None:
            yield f"stores.{name}.site", "site", store.site
    yield "witness.store", "store", estate.witness.store
    for name, observer in estate.observers.items():
        if observer.site is not None:
            yield f"observers.{name}.site", "site", observer.site
    for name, workload in estate.workloads.items():
        yield f"workloads.{name}.runs_on", "site", workload.runs_on
        yield from ((f"workloads.{name}.writes.{i}", "store", n) for i, n in enumerate(workload.writes))
        if workload.reads is not None:
            yield f"workloads.{name}.reads", "workload", workload.reads
        for index, before in enumerate(workload.depends_on):
            yield f"workloads.{name}.depends_on.{index}", "workload", before
    yield from _dns_names(estate)
    yield from _stack_names(estate)


def _topology_names(estate: Estate) -> Iterator[tuple[str, str, str]]:
    topology = estate.topology
    if isinstance(topology, ActiveActive):
        yield from ((f"topology.sites.{i}", "site", name) for i, name in enumerate(topology.sites))
        yield from ((f"topology.weights.{name}", "site", name) for name in topology.weights)
        return
    yield "topology.primary", "site", topology.primary
    if isinstance(topology, CloudBurst):
        yield from ((f"topology.ladder.{i}", "site", name) for i, name in enumerate(topology.ladder))
    else:
        yield "topology.standby", "site", topology.standby


def _stack_names(estate: Estate) -> Iterator[tuple[str, str, str]]:
    """Names that only stacks follow."""
    if estate.stacks is not None and estate.stacks.site is not None:
        yield "stacks.site", "site", estate.stacks.site
    for name, link in estate.links.items():
        yield from ((f"links.{name}.between.{i}", "site", end) for i, end in enumerate(link.between))
    for name, store in estate.stores.items():
        if store.managed is not None and store.managed.replicate_to is not None:
            yield f"stores.{name}.managed.replicate_to", "store", store.managed.replicate_to
    for name, record in estate.traffic.records.items() if estate.traffic else ():
        yield f"traffic.records.{name}.serves", "workload", record.serves
        yield from ((f"traffic.records.{name}.targets.{site}", "site", site) for site in record.targets)


def _dns_names(estate: Estate) -> Iterator[tuple[str, str, str]]:
    for name, server in estate.dns.servers.items():
        if server.site is not None:
            yield f"dns.servers.{name}.site", "site", server.site
    for name, declared in estate.dns.names.items():
        for index, server_name in enumerate(declared.servers):
            yield f"dns.names.{name}.servers.{index}", "name server", server_name
        yield f"dns.names.{name}.serves", "workload", declared.serves
        for site_name in declared.targets:
            yield f"dns.names.{name}.targets.{site_name}", "site", site_name


def check_cycles(estate: Estate) -> Iterator[Check]:
    """Every knot of workloads that wait for each other, once."""
    before = {
        name: [n for n in (*w.depends_on, *([w.reads] if w.reads else ())) if n in estate.workloads]
        for name, w in estate.workloads.items()
    }
    for cycle in _cycles(before):
        shown = " → ".join([*cycle[:8], *(["…"] if len(cycle) > 8 else []), cycle[0]])
        yield wrong(
            "cycle",
            f"workloads.{cycle[0]}",
            f"waits for itself: {shown}",
            "take one of depends_on or reads out of the circle",
        )


def _cycles(before: dict[str, list[str]]) -> Iterator[list[str]]:
    """One cycle of each knot, found on a walk in depth that takes every edge once."""
    finished: set[str] = set()
    told: set[str] = set()
    for start in before:
        trail: list[str] = []
        position: dict[str, int] = {}
        waiting = [iter([start])]
        while waiting:
            following = next(waiting[-1], None)
            if following is None:
                waiting.pop()
                if trail:
                    finished.add(trail[-1])
                    del position[trail.pop()]
            elif following in position:
                if following not in told:
                    cycle = trail[position[following] :]
                    if told.isdisjoint(cycle):
                        yield cycle
                    told.update(cycle)
            elif following not in finished:
                position[following] = len(trail)
                trail.append(following)
                waiting.append(iter(before[following]))
