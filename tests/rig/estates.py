"""A small two-site estate and situations of it, for tests of what is decided from them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from relight.estate import Estate
from relight.situation import (
    Authority,
    DnsSituation,
    Known,
    Opinion,
    PointSummary,
    SiteSituation,
    Situation,
    Unknown,
    WorkloadSituation,
)

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
LOST_AT = NOW - timedelta(seconds=20)
OBSERVERS = ("east", "west", "harbour")


def an_estate(**changes: Any) -> Estate:
    sites = {
        name: {
            "kind": "sandbox",
            "agent": f"http://127.0.0.1:{port}",
            "nodes": "n[1-4]",
            "gpus_per_node": 8,
            "data": f"/data/{name}",
            "store": name,
            "probes": {"compute": f"http://127.0.0.1:{port}/health"},
        }
        for name, port in (("north", 7001), ("south", 7002))
    }
    store = {"kind": "s3", "bucket": "points", "endpoint": "http://127.0.0.1:9000"}
    key = {"name": "relight.", "secret": "env:TSIG"}
    data: dict[str, Any] = {
        "version": 1,
        "name": "rig",
        "sites": sites,
        "topology": {"kind": "active-passive", "primary": "north", "standby": "south"},
        "stores": {"north": store | {"site": "north"}, "south": store | {"site": "south"}, "witness": store},
        "witness": {"store": "witness"},
        "observers": {name: {"url": "http://127.0.0.1:7100"} for name in OBSERVERS},
        "workloads": {
            "digits": {
                "kind": "training",
                "runs_on": "north",
                "priority": 500,
                "gpus": 16,
                "writes": ["north", "south"],
                "checkpoint_every": "30s",
                "objective": {"rpo": "1m", "rto": "5m"},
            },
            "app": {"kind": "inference", "runs_on": "north", "priority": 900, "gpus": 4, "reads": "digits"},
            "notebooks": {
                "kind": "development",
                "runs_on": "south",
                "priority": 1,
                "gpus": 24,
                "may_be_stopped": True,
            },
        },
        "dns": {
            "servers": {name: {"address": "127.0.0.1", "key": key, "site": name} for name in sites},
            "names": {
                "app": {
                    "name": "app.rig.test.",
                    "zone": "rig.test.",
                    "ttl": "5s",
                    "servers": ["north", "south"],
                    "serves": "app",
                    "targets": {"north": "127.0.1.1", "south": "127.0.1.2"},
                    "check": "http://app.rig.test:8080/",
                }
            },
        },
    }
    return Estate.model_validate(data | changes)


def opinions(site: str, ups: tuple[bool, ...]) -> tuple[Opinion, ...]:
    return tuple(
        Opinion(
            observer=observer,
            site=site,
            capability="compute",
            up=up,
            since=LOST_AT,
            last_up=NOW if up else LOST_AT,
            reason="" if up else "connection refused",
            progress={"digits": 130} if site == "north" else {},
        )
        for observer, up in zip(OBSERVERS, ups, strict=True)
    )


def a_point(step: int, epoch: int = 1, age: float = 0.0) -> PointSummary:
    """A point sealed `age` seconds before the loss."""
    return PointSummary(
        id=f"digits-e{epoch:04}-s{step:08}",
        workload="digits",
        epoch=epoch,
        step=step,
        epoch_from=0,
        sealed_at=LOST_AT - timedelta(seconds=age),
        size=10_000_000,
        manifest="sha256:0",
    )


def a_situation(estate: Estate, **changes: Any) -> Situation:
    """North is lost: every observer says so; south holds two points, the newest 10 s older than the loss."""
    data: dict[str, Any] = {
        "now": NOW,
        "estate_digest": estate.digest,
        "sites": {
            "north": SiteSituation(
                opinions=opinions("north", (False, False, False)),
                free_gpus=Unknown(reason="connection refused"),
            ),
            "south": SiteSituation(
                opinions=opinions("south", (True, True, True)),
                free_gpus=Known(value=8),
                running=Known(value=("notebooks",)),
            ),
        },
        "workloads": {
            "digits": WorkloadSituation(
                authority=Known(
                    value=Authority(
                        workload="digits", epoch=1, active="north", changed_by="init", changed_at=LOST_AT
                    )
                ),
                points={
                    "north": Unknown(reason="connection refused"),
                    "south": Known(value=(a_point(60, age=40), a_point(120, age=10))),
                },
            )
        },
        "dns": {
            "app": DnsSituation(
                addresses={"north": Unknown(reason="connection refused"), "south": Known(value="127.0.1.1")}
            )
        },
    }
    return Situation(**(data | changes))
