"""How long an estate of 10,000 nodes takes to load and check, with every place kept.

The peer reads the same files in the same run the plain way: PyYAML's SafeLoader, then the same models; it
keeps no places, follows no names, and takes 12:30 for 750.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import yaml

from benchmarks.table import median_seconds, row
from relight.estate import Estate, check_estate, load_estate

NODES = 10_000


def large_estate(sites: int, workloads: int, *, one_by_one: bool = False) -> dict[str, Any]:
    """10,000 nodes over some sites, node sets in short or node by node, and workloads on the first site."""
    names = [f"site-{number:02}" for number in range(sites)]
    per_site = NODES // sites
    store = {"kind": "s3", "bucket": "points", "endpoint": "http://127.0.0.1:9000"}
    return {
        "version": 1,
        "name": "large",
        "sites": {name: _site(name, per_site, one_by_one) for name in names},
        "topology": {"kind": "active-passive", "primary": names[0], "standby": names[1]},
        "stores": {name: store | {"site": name} for name in names} | {"outside": store},
        "witness": {"store": "outside"},
        "observers": {f"o{number}": {"url": "http://127.0.0.1:7099"} for number in range(3)},
        "workloads": {f"work-{number:04}": _workload(number, names) for number in range(workloads)},
    }


def _site(name: str, nodes: int, one_by_one: bool) -> dict[str, Any]:
    listed = ",".join(f"{name}-gpu{number:05}" for number in range(1, nodes + 1))
    return {
        "kind": "sandbox",
        "agent": "http://127.0.0.1:7070",
        "nodes": listed if one_by_one else f"{name}-gpu[00001-{nodes:05}]",
        "gpus_per_node": 8,
        "data": f"/srv/{name}",
        "store": name,
        "probes": {"compute": "http://127.0.0.1:7070/health"},
    }


def _workload(number: int, sites: list[str]) -> dict[str, Any]:
    before = [f"work-{number - back:04}" for back in (1, 2) if number >= back]
    return {
        "kind": "training",
        "runs_on": sites[number % 2],
        "priority": number % 1000,
        "gpus": 0,
        "writes": sites[:2],
        "checkpoint_every": "30m",
        "objective": {"rpo": "1h", "rto": "4h"},
        "depends_on": before,
    }


def main() -> None:
    cases = {
        "2 sites, 20 workloads": large_estate(2, 20),
        "2 sites, 20 workloads, node by node": large_estate(2, 20, one_by_one=True),
        "50 sites, 2,000 workloads": large_estate(50, 2_000),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "estate.yaml"
        for what, estate in cases.items():
            path.write_text(yaml.safe_dump(estate, sort_keys=False), encoding="utf-8")
            ours = median_seconds(lambda: check_estate(load_estate(path)))
            plain = median_seconds(
                lambda: Estate.model_validate(yaml.load(path.read_bytes(), yaml.SafeLoader))
            )
            size = f"{path.stat().st_size / 1000:,.0f} kB"
            row(
                f"10,000 nodes, {what}, {size}: load and check",
                f"{ours:.3f} s",
                f"SafeLoader and models {plain:.3f} s, {plain / ours:.1f} x",
            )
