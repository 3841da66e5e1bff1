"""An estate with a site in Google Cloud, and the graph of its stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pulumi

from relight.estate import Estate, GoogleSite
from relight.topology.frame import Frame, SiteArgs
from relight.topology.google import Site
from relight.topology.graph import Graph, run_under_mocks
from rig.estates import an_estate

PROJECT = "acme-dr"
ZONES = ("us-east1-b", "us-east1-c")
RESERVED = {"kind": "reservation", "nodes": 2, "id": "acme-h100"}
ON_DEMAND = {"kind": "on-demand", "nodes": 4}
SPOT = {"kind": "spot", "nodes": 8}
FLEX = {"kind": "flex-start", "nodes": 8}
TRAIN = {"machine": "a3-highgpu-8g", "nodes": 2, "rungs": [RESERVED, ON_DEMAND, SPOT, FLEX]}
MACHINES = {
    "machine": "a3-highgpu-8g",
    "nodes": 2,
    "rungs": [RESERVED, ON_DEMAND, SPOT],
    "form": "instances",
} | {"image": "projects/acme-dr/global/images/gpu-2026-11"}
VAULT = {
    "kind": "gcs",
    "bucket": "acme-vault",
    "location": "us-central1+us-east1",
    "site": "south",
    "managed": {"lock_days": 30},
}


def a_google_site(**changes: Any) -> dict[str, Any]:
    """A site as an estate file declares it."""
    return {
        "kind": "gcp",
        "project": PROJECT,
        "region": "us-east1",
        "zones": list(ZONES),
        "cidr": "10.20.0.0/20",
        "pods": "10.24.0.0/16",
        "services": "10.21.0.0/20",
        "control_plane": "10.22.0.0/28",
        "credentials": {"environment": True},
        "pools": {"train": TRAIN},
        "store": "south",
        "probes": {"compute": "http://127.0.0.1:7002/health"},
    } | changes


def a_google_estate(
    site: Mapping[str, Any] | None = None, vault: Mapping[str, Any] | None = None, **changes: Any
) -> Estate:
    """The rig's estate with its southern site in Google Cloud; `site` and `vault` change what they name."""
    base = an_estate().model_dump(mode="json", by_alias=True)
    sites = base["sites"] | {"south": a_google_site(**(site or {}))}
    stores = base["stores"] | {"south": VAULT | dict(vault or {})}
    stacks = {"backend": "s3://acme-state?region=eu-north-1", "owner": "ops@acme.test"}
    return an_estate(**{"sites": sites, "stores": stores, "stacks": stacks} | changes)


def sizes(estate: Estate, nodes: int = 1) -> dict[str, dict[str, int]]:
    """So many nodes for every rung of the southern site."""
    site = estate.sites["south"]
    pools = site.pools if isinstance(site, GoogleSite) else {}
    return {name: {rung.key: nodes for rung in pool.rungs} for name, pool in pools.items()}


def graph_of(
    estate: Estate, nodes: int = 1, resolve: Callable[[str], str] | None = None, given: Any = None
) -> Graph:
    """What the stack of the southern site declares; the site's outputs are the stack's."""
    frame = Frame(estate, "south", resolve) if resolve else Frame(estate, "south")

    def program() -> None:
        for name, value in Site("south", SiteArgs(frame, given or sizes(estate, nodes))).outputs.items():
            pulumi.export(name, value)

    return run_under_mocks(program)
