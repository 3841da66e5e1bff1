"""Where something of Google Cloud stands, and what it is called from there: paths, names that fit.

Names are built from the estate alone, so that the cloud's own API finds them with no state at hand.
"""

from __future__ import annotations

from relight.errors import Reason, UsageError
from relight.estate import CLUSTER_NAME, GROUP_NAME, GoogleProject, GoogleSite, MetalSite
from relight.topology.frame import Frame

ACCOUNT_ID = 30  # the most characters of a service account's id (IAM)
RESOURCE_NAME = 63  # of what RFC 1035 names in Compute Engine

NAMESPACE = "relight"
"""Where the workloads run in the site's cluster."""


def site_of(frame: Frame) -> GoogleSite:
    """The site of the stack. Raise UsageError where it is none in Google Cloud."""
    site = frame.estate.sites.get(frame.stack)
    if not isinstance(site, GoogleSite):
        raise UsageError(f"{frame.stack} is no site in Google Cloud", "name one that is")
    return site


def stack_project(frame: Frame) -> GoogleSite | GoogleProject:
    """Where the stack stands: its site, what a cloud holds for it, or for the global stack what is outside.

    Raise UsageError where that is not Google Cloud.
    """
    estate = frame.estate
    here = estate.sites.get(frame.stack)
    if here is None and estate.stacks is not None and isinstance(estate.stacks.outside, GoogleProject):
        return estate.stacks.outside
    if isinstance(here, MetalSite) and isinstance(here.cloud, GoogleProject):
        return here.cloud
    if isinstance(here, GoogleSite):
        return here
    raise UsageError(
        f'the stack "{frame.stack}" does not stand in Google Cloud',
        "declare a site of kind gcp, or stacks.outside",
    )


def network_path(site: GoogleSite, name: str) -> str:
    """A VPC network by its name."""
    return f"projects/{site.project}/global/networks/{name}"


def subnetwork_path(site: GoogleSite, name: str) -> str:
    """A subnetwork of the site's region by its name."""
    return f"projects/{site.project}/regions/{site.region}/subnetworks/{name}"


def cluster_path(site: GoogleSite, name: str) -> str:
    """A cluster of the site's region by its name."""
    return f"projects/{site.project}/locations/{site.region}/clusters/{name}"


def cluster_name(frame: Frame, site: GoogleSite) -> str:
    """What the site's cluster is called, its own or an adopted one."""
    return site.adopt.cluster or frame.name()


def linked_networks(frame: Frame) -> tuple[str, ...]:
    """Networks of the sites that a declared link joins with this one, in the order of the links."""
    ends = [link.between for link in frame.estate.links.values() if frame.stack in link.between]
    far = [site for pair in ends for site in pair if site != frame.stack]
    found = [cidr for name in far for cidr in getattr(frame.estate.sites[name], "cidrs", ())]
    return tuple(dict.fromkeys(found))


def has_link(frame: Frame) -> bool:
    """Whether a declared link touches the site."""
    return any(frame.stack in link.between for link in frame.estate.links.values())


def require_names_that_fit(frame: Frame, site: GoogleSite) -> None:
    """Return if the cloud takes every name that things are found by. Raise UsageError with every other."""
    names = [
        (frame.name(f"{pool}-{rung.key}"), GROUP_NAME, "instance group")
        if declared.form == "instances"
        else (f"{pool}-{rung.key}", CLUSTER_NAME, "node pool")
        for pool, declared in site.pools.items()
        if pool not in site.adopt.node_pools
        for rung in declared.rungs
    ]
    if needs_cluster(site):
        names.append((frame.name(), CLUSTER_NAME, "cluster"))
    every = [name for name, _, _ in names]
    reasons = [
        Reason(f'the {kind} "{name}" has {len(name)} characters; {most} is the most')
        for name, most, kind in names
        if len(name) > most
    ] + [Reason(f'two rungs would be called "{name}"') for name in sorted({*every}) if every.count(name) > 1]
    if reasons:
        raise UsageError(
            f"Google Cloud cannot take the names of {frame.stack}",
            "change the names of estate, site, pool or rung",
            reasons=tuple(reasons),
        )


def needs_cluster(site: GoogleSite) -> bool:
    """Whether the stack makes a cluster: some pool is of nodes in one, and none is adopted."""
    return site.adopt.cluster is None and any(pool.form == "cluster" for pool in site.pools.values())
