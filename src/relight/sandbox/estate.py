"""The sandbox as an estate: the file that `relight check` and every plan start from."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from relight.sandbox.credentials import declared_store
from relight.sandbox.layout import (
    GPUS,
    GPUS_PER_NODE,
    KEY_NAME,
    KINDS,
    NAME,
    NODES,
    OBSERVERS,
    SERVED,
    SERVICE_ADDRESSES,
    SITES,
    STORES,
    TSIG_KEY,
    TTL_SECONDS,
    ZONE,
    Layout,
    probes,
)
from relight.units import format_duration

_HEADER = """\
# The estate of this sandbox, written when it was started. An estate of your own looks the same:
# only kinds of sites, addresses and secrets differ.

"""


def write_estate(layout: Layout) -> Path:
    """Write `estate.yaml`, and return its path."""
    path = layout.folder / "estate.yaml"
    content = yaml.safe_dump(_estate(layout), sort_keys=False, allow_unicode=True, width=100)
    path.write_text(_HEADER + content, encoding="utf-8")
    return path


def _estate(layout: Layout) -> dict[str, Any]:
    estate: dict[str, Any] = {
        "version": 1,
        "name": "demo",
        "sites": {site: _site(layout, site) for site in SITES},
        "topology": {"kind": "active-passive", "primary": "north", "standby": "south"},
        "stores": {store: _store(layout, store) for store in STORES},
        "witness": {"store": "witness"},
        "observers": {name: {"url": layout.observer(name)} for name in OBSERVERS},
        "workloads": _workloads(layout),
        "dns": _dns(layout),
    }
    if layout.approvers:
        estate["approvers"] = list(layout.approvers)
    return estate


def _site(layout: Layout, site: str) -> dict[str, Any]:
    return {
        "kind": "sandbox",
        "agent": layout.agent(site),
        "nodes": NODES,
        "gpus_per_node": GPUS_PER_NODE,
        "data": str(layout.data(site)),
        "store": site,
        "probes": probes(layout, site),
    }


def _store(layout: Layout, store: str) -> dict[str, Any]:
    return declared_store(layout, store).model_dump(mode="json", exclude_defaults=True)


def _workloads(layout: Layout) -> dict[str, Any]:
    checkpoint = format_duration(timedelta(seconds=layout.checkpoint_every))
    return {
        SERVED: {
            "kind": KINDS[SERVED],
            "runs_on": "north",
            "priority": 500,
            "objective": {"rpo": "15s", "rto": "60s"},
            "gpus": GPUS[SERVED],
            "writes": list(SITES),
            "checkpoint_every": checkpoint,
        },
        "app": {
            "kind": KINDS["app"],
            "runs_on": "north",
            "priority": 900,
            "objective": {"rpo": "60s", "rto": "60s"},
            "gpus": GPUS["app"],
            "reads": SERVED,
            "depends_on": [SERVED],
        },
        "notebooks": {
            "kind": KINDS["notebooks"],
            "runs_on": "south",
            "priority": 10,
            "gpus": GPUS["notebooks"],
            "may_be_stopped": True,
        },
    }


def _dns(layout: Layout) -> dict[str, Any]:
    return {
        "servers": {
            site: {
                "address": "127.0.0.1",
                "port": layout.ports[f"dns-{site}"],
                "key": {"name": KEY_NAME, "algorithm": "hmac-sha256", "secret": f"file:{TSIG_KEY}"},
                "site": site,
            }
            for site in SITES
        },
        "names": {
            "app": {
                "name": NAME,
                "zone": ZONE,
                "ttl": f"{TTL_SECONDS}s",
                "servers": list(SITES),
                "serves": "app",
                "targets": dict(SERVICE_ADDRESSES),
                "check": f"http://{NAME.rstrip('.')}:{layout.ports['app']}/predict",
            }
        },
    }
