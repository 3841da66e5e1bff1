"""What AWS would refuse halfway through an update, or understand differently: found before it starts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain

from relight.errors import Reason, UsageError
from relight.estate import AwsSite, CloudPool, Estate, S3Store, machine_of
from relight.topology.aws.pools import warm_rung
from relight.topology.aws.subnets import plan_subnets
from relight.topology.aws.transit import is_linked
from relight.topology.frame import Frame, Sizes

_RESERVATION = re.compile(r"cr-[0-9a-f]{8,17}")
_IMAGE = re.compile(r"ami-[0-9a-f]{8,17}")
_PRIVATE_ASNS = (
    range(64_512, 65_535),
    range(4_200_000_000, 4_294_967_295),
)  # what a transit gateway may have
_RUNGS = ("reservation", "capacity-block", "on-demand", "spot")


def require_buildable(frame: Frame, sizes: Sizes) -> AwsSite:
    """The site of the stack, if AWS can build it at these sizes. Raise UsageError with every reason."""
    site = frame.estate.sites.get(frame.stack)
    if not isinstance(site, AwsSite):
        raise UsageError(f'"{frame.stack}" is no site in AWS', "name a site of kind aws")
    faults = tuple(
        chain(
            _network_faults(frame, site),
            _store_faults(frame.estate, frame.stack, site),
            _size_faults(site, sizes),
            *(_pool_faults(site, name, pool) for name, pool in site.pools.items()),
            _name_faults(site),
        )
    )
    if faults:
        raise UsageError(f'the site "{frame.stack}" cannot be built in AWS', reasons=faults)
    return site


def _network_faults(frame: Frame, site: AwsSite) -> Iterator[Reason]:
    adopt = site.adopt
    if frame.name().startswith("sg-"):
        yield Reason(
            'names of security groups cannot begin with "sg-"', "give the estate another name", path="name"
        )
    for zone in site.zones:
        if not zone.startswith(site.region):
            yield Reason(f"{zone} is no zone of {site.region}", "name zones of the region", path="zones")
    if adopt.vpc is not None and len(adopt.private_subnets) != len(site.zones):
        yield Reason(
            f"{len(adopt.private_subnets)} adopted subnets for {len(site.zones)} zones",
            "name one private subnet for each zone, in their order",
            path="adopt.private_subnets",
        )
    if adopt.vpc is None and adopt.private_subnets:
        yield Reason("subnets without their VPC", "name the VPC too", path="adopt.vpc")
    if is_linked(frame.estate, frame.stack) and not any(site.asn in numbers for numbers in _PRIVATE_ASNS):
        yield Reason(
            f"a transit gateway cannot have the number {site.asn}",
            "write one of 64512 to 65534, or of 4200000000 to 4294967294",
            path="asn",
        )
    if adopt.vpc is not None:
        return
    try:
        plan = plan_subnets(site.cidr, site.zones)
    except UsageError as error:
        yield Reason(error.what, error.remedy, path="cidr")
        return
    for subnet in plan:
        here = (pool for pool in site.pools.values() if (pool.zone or site.zones[0]) == subnet.zone)
        most = sum(pool.most_nodes for pool in here)
        if most > subnet.room:
            yield Reason(
                f"{most} nodes may stand in {subnet.zone}, and its subnet {subnet.private} has {subnet.room} "
                "addresses",
                "write a larger cidr, or smaller rungs",
                path="cidr",
            )


def _store_faults(estate: Estate, name: str, site: AwsSite) -> Iterator[Reason]:
    for key, store in estate.stores.items():
        if not isinstance(store, S3Store) or store.site != name or store.managed is None:
            continue
        if store.endpoint is not None:
            yield Reason(
                "a bucket that a stack makes is Amazon's own", "leave endpoint out", path=f"stores.{key}"
            )
        elif store.region != site.region:
            yield Reason(
                f"declared in {store.region}, and its site stands in {site.region}",
                f"write region: {site.region}",
                path=f"stores.{key}.region",
            )
    if site.cache is None:
        return
    behind = estate.stores.get(site.store)
    if not isinstance(behind, S3Store) or behind.endpoint is not None or behind.region != site.region:
        yield Reason(
            f'FSx is filled from a bucket of Amazon S3 in {site.region}, and "{site.store}" is none',
            "name such a store in store:, or leave the cache out",
            path="cache",
        )


def _size_faults(site: AwsSite, sizes: Sizes) -> Iterator[Reason]:
    for name in sizes.keys() - site.pools.keys():
        yield Reason(f'a size for "{name}", and there is no such pool', path=f"pools.{name}")
    for name, pool in site.pools.items():
        given: Mapping[str, int] = sizes.get(name, {})
        rungs = {rung.key: rung.nodes for rung in pool.rungs}
        for key in given.keys() - rungs.keys():
            yield Reason(f'a size for "{key}", and there is no such rung', path=f"pools.{name}.{key}")
        for key, most in rungs.items():
            nodes = given.get(key)
            if nodes is None:
                yield Reason("there is no size for it", path=f"pools.{name}.{key}")
            elif not 0 <= nodes <= most:
                yield Reason(
                    f"{nodes} nodes, and it gives 0 to {most}",
                    "declare a larger rung, or ask for fewer",
                    path=f"pools.{name}.{key}",
                )


def _pool_faults(site: AwsSite, name: str, pool: CloudPool) -> Iterator[Reason]:
    path = f"pools.{name}"
    machine = machine_of(pool.machine)
    if machine is not None and machine.cloud != "aws":
        yield Reason(f"{pool.machine} is no machine of AWS", "name one of EC2's", path=f"{path}.machine")
    if pool.zone is not None and pool.zone not in site.zones:
        yield Reason(f"{pool.zone} is no zone of the site", "name one of its zones", path=f"{path}.zone")
    if pool.image is None and pool.form == "instances":
        yield Reason("machines start from an image", "write image: ami-…", path=f"{path}.image")
    if pool.image is not None and not _IMAGE.fullmatch(pool.image):
        yield Reason(f"{pool.image} is no image of EC2", "write image: ami-…", path=f"{path}.image")
    if pool.warm and (pool.form != "instances" or warm_rung(pool) is None):
        yield Reason(
            "only machines (form: instances) reserved or on demand can be kept warm",
            "leave warm out",
            path=f"{path}.warm",
        )
    for rung in pool.rungs:
        if rung.kind not in _RUNGS:
            yield Reason(f"AWS has no {rung.kind}", f"one of {', '.join(_RUNGS)}", path=f"{path}.{rung.key}")
        if rung.id is not None and not _RESERVATION.fullmatch(rung.id):
            yield Reason(
                f"{rung.id} is no reservation of EC2", "write id: cr-…", path=f"{path}.{rung.key}.id"
            )
        if rung.kind == "capacity-block" and machine is not None and not machine.is_block:
            yield Reason(
                f"no capacity blocks of {pool.machine} are sold", "reserve it", path=f"{path}.{rung.key}"
            )
    if name in site.adopt.node_groups and (
        pool.form != "cluster" or len(pool.rungs) != 1 or site.adopt.cluster is None
    ):
        yield Reason(
            "an adopted node group is the one rung of a pool in an adopted cluster",
            "adopt the cluster too, and declare one rung",
            path=f"adopt.node_groups.{name}",
        )


def _name_faults(site: AwsSite) -> Iterator[Reason]:
    """Pool "a" with rung "b-c" and pool "a-b" with rung "c" would be one and the same."""
    seen: dict[str, str] = {}
    for name, pool in site.pools.items():
        for rung in pool.rungs:
            whole = f"{name}-{rung.key}"
            if whole in seen:
                yield Reason(
                    f"{whole} is what {seen[whole]} is called already",
                    "give the rung a name of its own",
                    path=f"pools.{name}.{rung.key}",
                )
            seen[whole] = f"rung {rung.key} of {name}"
