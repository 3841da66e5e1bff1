"""Can stacks build on what a site has already? Ids and names are looked at, and what belongs together."""

from __future__ import annotations

import re
from collections.abc import Iterator

from relight.estate.check import Check, wrong
from relight.estate.model import Estate
from relight.estate.sites import AwsSite, GoogleSite

_SUBNET = re.compile(r"subnet-[0-9a-f]{8,17}")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/\S+")
_EKS_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}")  # (EKS API, "CreateCluster")
_GOOGLE_NAME = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")  # RFC 1035


def check_adoption(estate: Estate) -> Iterator[Check]:
    """What is adopted and cannot be what it is said to be, or lacks what it needs."""
    for name, site in estate.sites.items():
        path = f"sites.{name}.adopt"
        if isinstance(site, AwsSite):
            yield from _check_ids(path, site)
            yield from _check_vpc(path, site)
            yield from _check_groups(f"{path}.node_groups", site, site.adopt.node_groups)
        elif isinstance(site, GoogleSite):
            yield from _check_google_names(path, site)
            yield from _check_google_network(path, site)
            yield from _check_groups(f"{path}.node_pools", site, site.adopt.node_pools)


def _check_ids(path: str, site: AwsSite) -> Iterator[Check]:
    adopt = site.adopt
    for index, subnet in enumerate(adopt.private_subnets):
        if not _SUBNET.fullmatch(subnet):
            yield wrong(
                "no-such-subnet",
                f"{path}.private_subnets.{index}",
                f'"{subnet}" is no subnet of AWS',
                'write its id, as "subnet-0123456789abcdef0"',
            )
    if adopt.node_role is not None and not _ROLE.fullmatch(adopt.node_role):
        yield wrong(
            "no-such-role",
            f"{path}.node_role",
            f'"{adopt.node_role}" is no role of AWS',
            'write its ARN: "arn:aws:iam::123456789012:role/NAME"',
        )
    if adopt.cluster is not None and not _EKS_NAME.fullmatch(adopt.cluster):
        yield wrong(
            "no-such-cluster",
            f"{path}.cluster",
            f'no EKS cluster is called "{adopt.cluster}"',
            "write its name, without the ARN before it",
        )


def _check_vpc(path: str, site: AwsSite) -> Iterator[Check]:
    adopt, zones = site.adopt, len(site.zones)
    if adopt.vpc and len(adopt.private_subnets) != zones:
        yield wrong(
            "subnets-missing",
            f"{path}.private_subnets",
            f"{len(adopt.private_subnets)} subnets for {zones} zones",
            "name one private subnet per zone, in their order",
        )
    if adopt.private_subnets and not adopt.vpc:
        yield wrong("no-vpc", f"{path}.vpc", "subnets without their VPC", "name the VPC too")
    if adopt.cluster and not adopt.vpc and not adopt.private_subnets and _joins(site, adopt.node_groups):
        yield wrong(
            "no-network",
            f"{path}.vpc",
            "what is made for the adopted cluster would stand in a VPC of its own, out of its reach",
            "name the VPC of the cluster, and its private_subnets",
        )


def _check_google_names(path: str, site: GoogleSite) -> Iterator[Check]:
    for field in ("network", "subnetwork", "router", "cluster"):
        name = getattr(site.adopt, field)
        if name is not None and not _GOOGLE_NAME.fullmatch(name):
            yield wrong(
                "no-name-of-the-cloud",
                f"{path}.{field}",
                f'"{name}" is no name of a {field} of Google Cloud',
                "write its short name, without the path before it",
            )


def _check_google_network(path: str, site: GoogleSite) -> Iterator[Check]:
    adopt = site.adopt
    if (adopt.network is None) != (adopt.subnetwork is None):
        yield wrong(
            "half-a-network", path, "network and subnetwork are adopted together", "name both, or none"
        )
    if adopt.cluster and not adopt.network and not adopt.subnetwork and site.cache is not None:
        yield wrong(
            "no-network",
            f"{path}.network",
            "the cache would stand in a VPC of its own, out of reach of the adopted cluster",
            "name network and subnetwork of the cluster",
        )


def _joins(site: AwsSite, groups: dict[str, str]) -> bool:
    """Whether a stack makes anything that must be in one network with the cluster."""
    made = [name for name, pool in site.pools.items() if pool.form == "cluster" and name not in groups]
    return bool(made) or site.cache is not None


def _check_groups(path: str, site: AwsSite | GoogleSite, groups: dict[str, str]) -> Iterator[Check]:
    for pool in groups:
        if pool not in site.pools:
            yield wrong(
                "adopted-for-no-pool",
                f"{path}.{pool}",
                f'the site has no pool "{pool}"',
                "declare it, with its size and rungs",
            )
        elif len(site.pools[pool].rungs) != 1:
            yield wrong(
                "adopted-of-many-rungs",
                f"{path}.{pool}",
                "what is adopted is one group, so its pool has one rung",
                "give the other rungs a pool of their own",
            )
    if groups and not site.adopt.cluster:
        where = path.rpartition(".")[0]
        yield wrong("no-cluster", f"{where}.cluster", "its groups without the cluster", "name the cluster")
