"""Do names in a cloud's DNS and the buckets that stacks make fit what they are for?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network

from relight.estate.check import Check, doubtful, wrong
from relight.estate.model import Estate
from relight.estate.regions import is_region
from relight.estate.sites import AwsSite, GoogleSite
from relight.estate.stores import Managed, S3Store, Store
from relight.estate.topologies import ActiveActive
from relight.estate.traffic import Traffic, TrafficRecord, ttl_of
from relight.units import format_duration


def check_delivery(estate: Estate) -> Iterator[Check]:
    """Records that would not follow the work, and buckets that would not hold what they promise."""
    if estate.traffic is not None:
        yield from _check_traffic(estate, estate.traffic)
    for name, store in estate.stores.items():
        if store.managed is not None:
            yield from _check_managed(estate, f"stores.{name}.managed", name, store, store.managed)
    newer = estate.stacks.newer_regions if estate.stacks else ()
    for name, site in estate.sites.items():
        behind = estate.stores.get(site.store)
        if isinstance(site, AwsSite) and site.cache and behind and is_region("aws", site.region, newer):
            yield from _check_cache(f"sites.{name}.cache", site, behind)


def _check_traffic(estate: Estate, traffic: Traffic) -> Iterator[Check]:
    first: dict[str, str] = {}
    for name, record in traffic.records.items():
        path = f"traffic.records.{name}"
        if record.name != traffic.zone and not record.name.endswith(f".{traffic.zone}"):
            yield wrong(
                "outside-zone",
                f"{path}.name",
                f"{record.name} is not in the zone {traffic.zone}",
                "write a name in the zone",
            )
        if first.setdefault(record.name, name) != name:
            yield wrong(
                "name-twice",
                f"{path}.name",
                f"{record.name} is traffic.records.{first[record.name]} as well",
                "keep one of them",
            )
        yield from _check_record(estate, path, record)
        yield from _check_targets(path, traffic, record)
        yield from _check_latency(estate, path, traffic, record)
    if traffic.routing_controls and traffic.kind != "route53":
        yield wrong(
            "no-routing-controls",
            "traffic.routing_controls",
            "only Route 53 obeys routing controls",
            "leave it out, or write kind: route53",
        )


_OF_EXAMPLES = tuple(map(IPv4Network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))
_CLOUD_OF = {"route53": "aws", "cloud-dns": "gcp"}


def _check_latency(estate: Estate, path: str, traffic: Traffic, record: TrafficRecord) -> Iterator[Check]:
    for site in record.targets if record.policy == "latency" else ():
        if site in estate.sites and estate.sites[site].kind != _CLOUD_OF[traffic.kind]:
            yield wrong(
                "no-latency",
                f"{path}.policy",
                f'{traffic.kind} knows the latency to its own cloud\'s regions only, and "{site}" is in none',
                "write weighted or failover",
            )


def _check_record(estate: Estate, path: str, record: TrafficRecord) -> Iterator[Check]:
    workload = estate.workloads.get(record.serves)
    if workload is not None and record.ttl is not None and record.ttl > workload.objective.rto:
        rto = format_duration(workload.objective.rto)
        yield wrong(
            "ttl-longer-than-rto",
            f"{path}.ttl",
            f"clients may keep the old address for {format_duration(record.ttl)}; "
            f'the RTO of "{record.serves}" is {rto}',
            "leave it out: it is derived from the RTO",
        )
    if workload is not None:
        detected = timedelta(seconds=record.health.interval_seconds * record.health.failures)
        ttl = ttl_of(workload.objective.rto) if record.ttl is None else record.ttl
        if ttl <= workload.objective.rto < ttl + detected:
            yield wrong(
                "detection-longer-than-rto",
                f"{path}.health",
                f"a dead site is noticed after {format_duration(detected)} and kept for "
                f"{format_duration(ttl)} more; the RTO is {format_duration(workload.objective.rto)}",
                "check more often, or with fewer failures",
            )
    for site in estate.topology.members:
        if site in estate.sites and site not in record.targets:
            yield wrong(
                "no-target",
                f"{path}.targets",
                f'has no address for "{site}": the name could not be pointed there',
                f"add {site}: and its address",
            )
    if record.policy == "failover" and isinstance(estate.topology, ActiveActive):
        yield doubtful(
            "one-of-many",
            f"{path}.policy",
            "every site serves, and this name leads to one of them",
            "write weighted",
        )


def _check_google_lock(path: str, is_witness: bool, managed: Managed) -> Iterator[Check]:
    """What Cloud Storage cannot do: a retention policy would freeze the heads that every seal replaces."""
    if managed.lock == "compliance":
        yield wrong(
            "no-compliance-lock",
            f"{path}.lock",
            "Cloud Storage locks whole objects, and a locked head could never be replaced by a seal",
            "write governance: versions, and soft deletion that nobody can shorten for what is deleted",
        )
    if not is_witness and not 7 <= managed.lock_days <= 90:  # the bounds of soft deletion
        yield wrong(
            "lock-of-wrong-length",
            f"{path}.lock_days",
            f"Cloud Storage keeps what was deleted for 7 to 90 days, not {managed.lock_days}",
            "write 7 to 90",
        )


def _check_targets(path: str, traffic: Traffic, record: TrafficRecord) -> Iterator[Check]:
    """Whether the cloud's DNS can point a name at such targets."""
    addresses = {site: found for site, target in record.targets.items() if (found := _address(target))}
    hosts = [site for site in record.targets if site not in addresses]
    at_apex = record.name == traffic.zone
    if hosts and (addresses or at_apex or traffic.kind == "cloud-dns"):
        why = "beside addresses" if addresses else "at the top of its zone" if at_apex else "in Cloud DNS"
        yield wrong(
            "host-as-target",
            f"{path}.targets.{hosts[0]}",
            f"a host name cannot be the target here: {why}",
            "write the address of each site",
        )
    for site, address in addresses.items():
        if _is_private(address):
            yield wrong(
                "private-target",
                f"{path}.targets.{site}",
                f"{address} is a private address: neither clients nor health checkers reach it",
                "write the public one",
            )
    if traffic.kind == "cloud-dns" and record.health.interval_seconds < 30:
        yield wrong(
            "checked-too-often",
            f"{path}.health.interval_seconds",
            "Cloud DNS checks every 30 s at most often",
            "write interval_seconds: 30",
        )


def _address(target: str) -> IPv4Address | None:
    try:
        return IPv4Address(target)
    except ValueError:
        return None


def _is_private(address: IPv4Address) -> bool:
    """Private to a network, and no address of examples (RFC 5737)."""
    return address.is_private and not any(address in network for network in _OF_EXAMPLES)


def _check_managed(estate: Estate, path: str, name: str, store: Store, managed: Managed) -> Iterator[Check]:
    site = estate.sites.get(store.site or "")
    fits = AwsSite if isinstance(store, S3Store) else GoogleSite
    if site is not None and site.kind in ("aws", "gcp") and not isinstance(site, fits):
        yield wrong(
            "store-of-another-cloud",
            path,
            f'"{store.site}" is a site of kind {site.kind}, and the store of kind {store.kind}',
            "let it stand in a site of its cloud",
        )
    elif site is not None and site.kind not in ("aws", "gcp"):
        yield wrong(
            "nobody-makes-it",
            path,
            f"no stack of a site of kind {site.kind} makes a bucket",
            "leave managed out, or let it stand in a cloud",
        )
    if not isinstance(store, S3Store):
        yield from _check_google_lock(path, name == estate.witness.store, managed)
    if isinstance(store, S3Store) and store.endpoint is not None:
        yield wrong(
            "endpoint-of-a-managed-store",
            f"stores.{name}.endpoint",
            "what a stack makes is Amazon's own",
            "leave endpoint out, or managed",
        )
    if isinstance(site, AwsSite) and isinstance(store, S3Store):
        yield from _check_region(estate, f"stores.{name}.region", store, site)
    if name == estate.witness.store and store.site is not None:
        return  # the survival check says it
    if managed.replicate_to is not None:
        yield from _check_copy(estate, f"{path}.replicate_to", name, store, managed)


def _check_cache(path: str, site: AwsSite, store: Store) -> Iterator[Check]:
    """Whether FSx can be filled; that a managed bucket is made in another region is told of the bucket."""
    fits = isinstance(store, S3Store) and store.endpoint is None
    elsewhere = isinstance(store, S3Store) and store.managed is None and store.region != site.region
    if not fits or elsewhere:
        yield wrong(
            "cache-without-source",
            path,
            f'FSx is filled from a bucket of Amazon S3 in the site\'s region, and "{site.store}" is none',
            "name such a store in store:, or leave the cache out",
        )


def _check_region(estate: Estate, path: str, store: S3Store, site: AwsSite) -> Iterator[Check]:
    """Whether the stack of the site can make the bucket; a region that there is not is told elsewhere."""
    newer = estate.stacks.newer_regions if estate.stacks else ()
    if store.region != site.region and all(is_region("aws", r, newer) for r in (store.region, site.region)):
        yield wrong(
            "store-in-another-region",
            path,
            f'"{store.site}" stands in {site.region}',
            f"write region: {site.region}",
        )


def _check_copy(estate: Estate, path: str, name: str, store: Store, managed: Managed) -> Iterator[Check]:
    target = estate.stores.get(managed.replicate_to or "")
    if target is None:
        return
    if not (isinstance(store, S3Store) and isinstance(target, S3Store)) or managed.replicate_to == name:
        yield wrong(
            "no-replication",
            path,
            f'the cloud does not copy from "{name}" to "{managed.replicate_to}"',
            "leave it out: across clouds Relight copies points itself",
        )
    elif store.prefix != target.prefix:
        yield wrong(
            "copies-differ",
            path,
            f'"{managed.replicate_to}" keeps its points under another prefix; S3 copies names as they are',
            "write the same prefix in both",
        )
    elif target.managed is None:
        yield doubtful(
            "replicates-into-the-unknown",
            path,
            f'"{managed.replicate_to}" is not managed: its versioning and its policy must allow it',
            "let its stack make it",
        )
    elif target.managed.lock_days < managed.lock_days:
        yield doubtful(
            "copy-locked-shorter",
            path,
            f'the copy in "{managed.replicate_to}" is locked for {target.managed.lock_days} days only',
            f"write lock_days: {managed.lock_days} there",
        )
