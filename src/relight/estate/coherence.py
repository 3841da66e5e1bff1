"""Do the numbers and places fit each other?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from relight.estate.check import Check, doubtful, wrong
from relight.estate.model import Estate
from relight.estate.names import DnsName
from relight.estate.sites import CloudSite, OwnNodes
from relight.estate.topologies import ActiveActive, CloudBurst, Topology
from relight.estate.workloads import Workload
from relight.units import format_duration


def check_coherence(estate: Estate) -> Iterator[Check]:
    """Everything that contradicts something else in the estate."""
    yield from _check_topology(estate)
    yield from _check_observers(estate)
    for name, workload in estate.workloads.items():
        yield from _check_cadence(f"workloads.{name}", workload)
        yield from _check_place(estate, f"workloads.{name}", workload)
    yield from _check_room(estate)
    yield from _check_dns(estate)
    if estate.approvals is not None and not estate.approvals.valid_for:
        yield wrong(
            "no-validity",
            "approvals.valid_for",
            "a signature that holds for 0s is never believed",
            'write "1h", say',
        )


def _check_topology(estate: Estate) -> Iterator[Check]:
    yield from _check_members(estate.topology)
    for name, site in estate.sites.items():
        store = estate.stores.get(site.store)
        if store is not None and store.site != name:
            where = f'stands in "{store.site}"' if store.site else "stands apart"
            yield wrong(
                "store-elsewhere",
                f"sites.{name}.store",
                f'the store "{site.store}" {where}',
                f"write site: {name} in stores.{site.store}, or name the store that stands here",
            )


def _check_members(topology: Topology) -> Iterator[Check]:
    """Whether a site stands in for itself."""
    if isinstance(topology, ActiveActive):
        for index, site in enumerate(topology.sites):
            if site in topology.sites[:index]:
                path, remedy = f"topology.sites.{index}", "name each site once"
                yield wrong("site-twice", path, f'"{site}" is there already', remedy)
        for site in topology.weights:
            if site not in topology.sites:
                path = f"topology.weights.{site}"
                yield wrong(
                    "weight-of-none", path, f'"{site}" is not in sites', "add it there, or leave it out"
                )
        if topology.weights and not any(topology.weight(site) for site in topology.sites):
            yield wrong("no-weight", "topology.weights", "no site gets any traffic", "give one more than 0")
        return
    if isinstance(topology, CloudBurst):
        for index, site in enumerate(topology.ladder):
            if site == topology.primary or site in topology.ladder[:index]:
                path, remedy = f"topology.ladder.{index}", "name each site once"
                yield wrong("site-twice", path, f'"{site}" is there already', remedy)
        return
    if topology.primary == topology.standby:
        yield wrong(
            "standby-is-primary",
            "topology.standby",
            f'"{topology.standby}" would take over from itself',
            "name another site as the standby",
        )


def _check_observers(estate: Estate) -> Iterator[Check]:
    count = len(estate.observers)
    if count == 1:
        yield doubtful(
            "one-observer",
            "observers",
            "one observer cannot tell a dead site from a broken way to it",
            "add two more, in other places",
        )
    elif count % 2 == 0:
        yield wrong(
            "even-observers",
            "observers",
            f"{count} observers can be split into halves, and then none has a majority",
            "add one in another place, or take one away",
        )


def _check_cadence(path: str, workload: Workload) -> Iterator[Check]:
    rpo, every = workload.objective.rpo, workload.checkpoint_every
    if every is not None and workload.writes and rpo < every:
        yield wrong(
            "objective-tighter-than-cadence",
            f"{path}.checkpoint_every",
            f"a checkpoint every {format_duration(every)} loses more than the RPO of {format_duration(rpo)}",
            f"write {format_duration(rpo)} or less, or loosen objective.rpo",
        )
    if every == timedelta(0):
        yield wrong(
            "no-cadence", f"{path}.checkpoint_every", "a checkpoint every 0s is none", 'write "30m", say'
        )
    if workload.writes and every is None:
        yield doubtful(
            "no-cadence",
            f"{path}.writes",
            "writes recovery points, and nothing says how often: its RPO cannot be checked",
            "add checkpoint_every",
        )
    if every is not None and not workload.writes:
        yield doubtful(
            "writes-nowhere",
            f"{path}.checkpoint_every",
            "says how often it writes recovery points, and not where",
            "name its stores in writes, or leave checkpoint_every out",
        )
    if workload.kind == "training" and not workload.writes:
        yield doubtful(
            "nothing-to-restore",
            path,
            f"has an RPO of {format_duration(rpo)}, and writes no recovery points: all of it would be lost",
            "name its stores in writes",
        )


def _check_place(estate: Estate, path: str, workload: Workload) -> Iterator[Check]:
    topology = estate.topology
    if workload.runs_on in estate.sites and workload.runs_on not in topology.members:
        yield doubtful(
            "outside-topology",
            f"{path}.runs_on",
            f'"{workload.runs_on}" is not in the topology: nothing takes its work over',
            f"run it on {' or '.join(topology.members)}",
        )
    source = estate.workloads.get(workload.reads or "")
    if source is not None and not source.writes:
        yield wrong(
            "reads-nothing",
            f"{path}.reads",
            f'"{workload.reads}" writes no recovery points, so there is nothing to load',
            f"name a store in workloads.{workload.reads}.writes, or read from another workload",
        )
    here = workload.runs_on
    if _is_counted(estate, here) and workload.gpus > estate.gpus_at(here):
        yield wrong(
            "too-large-for-site",
            f"{path}.gpus",
            f'needs {workload.gpus} GPUs; "{here}" has {estate.gpus_at(here)}',
            "run it on fewer, or declare more nodes",
        )
    standby = topology.standby
    if _is_counted(estate, standby) and here == topology.primary and workload.gpus > estate.gpus_at(standby):
        yield doubtful(
            "too-large-for-standby",
            f"{path}.gpus",
            f'needs {workload.gpus} GPUs; the standby "{standby}" has {estate.gpus_at(standby)}',
            "declare more nodes there, or accept that it stays down",
        )


def _check_room(estate: Estate) -> Iterator[Check]:
    """Whether all the work fits: on each site in quiet times, and on the standby when it takes over."""
    needed = dict.fromkeys(estate.sites, 0)
    kept = dict.fromkeys(estate.sites, 0)
    for workload in estate.workloads.values():
        if workload.runs_on in needed:
            needed[workload.runs_on] += workload.gpus
            kept[workload.runs_on] += 0 if workload.may_be_stopped else workload.gpus
    for name in estate.sites:
        if _is_counted(estate, name) and needed[name] > estate.gpus_at(name):
            yield doubtful(
                "site-too-small",
                _room_path(estate, name),
                f"has {estate.gpus_at(name)} GPUs; the workloads that run on it need {needed[name]}",
                "declare more nodes, or run less on it",
            )
    if isinstance(estate.topology, ActiveActive):
        yield from _check_headroom(estate, estate.topology, kept)
        return
    primary, standby = estate.topology.primary, estate.topology.standby
    if primary == standby or primary not in needed or not _is_counted(estate, standby):
        return
    wanted = needed[primary] + kept[standby]
    if wanted > estate.gpus_at(standby):
        yield doubtful(
            "standby-too-small",
            _room_path(estate, standby),
            f'has {estate.gpus_at(standby)} GPUs; with all the work of "{primary}" it would need {wanted}',
            "declare more nodes, or say what may_be_stopped; else low priorities stay down",
        )


def _check_headroom(estate: Estate, topology: ActiveActive, kept: dict[str, int]) -> Iterator[Check]:
    """Whether the others hold what each of the sites may leave behind."""
    members = [site for site in topology.members if site in estate.sites]
    if not all(_is_counted(estate, site) for site in members):
        return
    wanted = sum(kept[site] for site in members)
    for lost in members:
        left = sum(estate.gpus_at(site) for site in members if site != lost)
        if len(members) > 1 and wanted > left:
            yield doubtful(
                "no-headroom",
                "topology.sites",
                f'without "{lost}" {left} GPUs are left; the work of all sites needs {wanted}',
                "declare more nodes in the pools, or say what may_be_stopped",
            )


def _is_counted(estate: Estate, site: str) -> bool:
    """Whether it is known how many GPUs a site has: that of a machine is told elsewhere."""
    declared = estate.sites.get(site)
    if isinstance(declared, CloudSite):
        return all(pool.gpus_each for pool in declared.pools.values())
    return declared is not None


def _room_path(estate: Estate, site: str) -> str:
    own = isinstance(estate.sites[site], OwnNodes)
    return f"sites.{site}.{'nodes' if own else 'pools'}"


def _check_dns(estate: Estate) -> Iterator[Check]:
    first: dict[str, str] = {}
    for name, declared in estate.dns.names.items():
        path = f"dns.names.{name}"
        yield from _check_name(path, declared)
        other = first.setdefault(declared.name, name)
        if other != name:
            yield wrong(
                "name-twice",
                f"{path}.name",
                f"{declared.name} is dns.names.{other} as well",
                "keep one of them",
            )
        workload = estate.workloads.get(declared.serves)
        if workload is not None and declared.ttl > workload.objective.rto:
            rto = format_duration(workload.objective.rto)
            yield wrong(
                "ttl-longer-than-rto",
                f"{path}.ttl",
                f"clients may keep the old address for {format_duration(declared.ttl)}; "
                f'the RTO of "{declared.serves}" is {rto}',
                f"write {rto} or less, well below it",
            )
        for site in estate.topology.members:
            if site in estate.sites and site not in declared.targets:
                yield wrong(
                    "no-target",
                    f"{path}.targets",
                    f'has no address for "{site}": the name could not be pointed there',
                    f"add {site}: and its address",
                )


def _check_name(path: str, declared: DnsName) -> Iterator[Check]:
    if declared.name != declared.zone and not declared.name.endswith(f".{declared.zone}"):
        yield wrong(
            "outside-zone",
            f"{path}.name",
            f"{declared.name} is not in the zone {declared.zone}",
            "write the zone that holds the name",
        )
    if declared.check is None:
        return
    try:
        host = urlsplit(declared.check).hostname or ""
    except ValueError:  # as in "http://[": not a URL after all
        host = ""
    if f"{host.rstrip('.')}." != declared.name:
        yield wrong(
            "check-elsewhere",
            f"{path}.check",
            f"asks {host or 'no host'}, so it proves nothing about {declared.name}",
            f"ask {declared.name.rstrip('.')}",
        )
