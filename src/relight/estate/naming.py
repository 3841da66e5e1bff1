"""Will the clouds take the names that things get? They are made of several names of the estate."""

from __future__ import annotations

from collections.abc import Iterator

from relight.estate.check import Check, wrong
from relight.estate.model import Estate
from relight.estate.pools import CloudPool
from relight.estate.sites import AwsSite, GoogleSite

CLUSTER_NAME = 40  # the most characters of a GKE cluster's and of a node pool's name (GKE API)
GROUP_NAME = 58  # of an instance group's: its instances add five characters to it


def check_naming(estate: Estate) -> Iterator[Check]:
    """Names that are too long, that a cloud keeps for itself, or that two things would share."""
    for name, site in estate.sites.items():
        if isinstance(site, (AwsSite, GoogleSite)):
            for pool_name, pool in site.pools.items():
                yield from _check_pool(estate, name, site, pool_name, pool)
            yield from _check_shared(f"sites.{name}.pools", site)
        if isinstance(site, GoogleSite):
            yield from _check_cluster(estate, name, site)
        if isinstance(site, AwsSite) and estate.name.startswith("sg-"):
            yield wrong(
                "name-not-taken",
                "name",
                f'AWS keeps "sg-" for itself: no security group of "{name}" may begin with it',
                "call the estate something else",
            )


def _check_pool(
    estate: Estate, site: str, declared: AwsSite | GoogleSite, name: str, pool: CloudPool
) -> Iterator[Check]:
    """Of Google Cloud alone: what AWS calls a group is cut to fit, and found by its tags."""
    if not isinstance(declared, GoogleSite) or name in declared.adopt.node_pools:
        return
    for index, rung in enumerate(pool.rungs):
        if pool.form == "instances":
            kind, called, most = "instance group", f"{estate.name}-{site}-{name}-{rung.key}", GROUP_NAME
        else:
            kind, called, most = "node pool", f"{name}-{rung.key}", CLUSTER_NAME
        if len(called) > most:
            yield wrong(
                "name-too-long",
                f"sites.{site}.pools.{name}.rungs.{index}",
                f'the {kind} "{called}" has {len(called)} characters; Google Cloud takes {most}',
                "shorten the pool's name, or give the rung a short name:",
            )


def _check_cluster(estate: Estate, name: str, site: GoogleSite) -> Iterator[Check]:
    called = f"{estate.name}-{name}"
    makes_one = site.adopt.cluster is None and any(pool.form == "cluster" for pool in site.pools.values())
    if makes_one and len(called) > CLUSTER_NAME:
        yield wrong(
            "name-too-long",
            f"sites.{name}",
            f'the cluster "{called}" has {len(called)} characters; Google Cloud takes {CLUSTER_NAME}',
            "shorten the estate's name, or the site's",
        )


def _check_shared(path: str, site: AwsSite | GoogleSite) -> Iterator[Check]:
    """Pool "a" with rung "b-c" and pool "a-b" with rung "c" would be one and the same."""
    first: dict[str, str] = {}
    for name, pool in site.pools.items():
        for index, rung in enumerate(pool.rungs):
            called = f"{name}-{rung.key}"
            if first.setdefault(called, name) != name:
                yield wrong(
                    "name-of-two",
                    f"{path}.{name}.rungs.{index}",
                    f'"{called}" is what a rung of pool "{first[called]}" is called already',
                    "give the rung a name: of its own",
                )
