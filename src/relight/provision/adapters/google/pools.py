"""Pools of a site in Google Cloud: managed instance groups, and node pools of GKE.

A node pool is named "{pool}-{rung}" in the site's cluster, a group "{estate}-{site}-{pool}-{rung}" in the
pool's zone; an adopted node pool has the name that the estate gives, and stands for its pool's first rung.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from relight.errors import Conflict, NotFound, Refused
from relight.estate import CloudPool, GoogleSite
from relight.provision.adapters.google.clients import GoogleClients

_AT_ONCE = 8
_CHANGING = ("PROVISIONING", "RECONCILING", "STOPPING")


class GooglePoolSizes:
    """See `PoolSizes`; `site` is how the estate calls it."""

    def __init__(self, estate: str, site: str, declared: GoogleSite, clients: GoogleClients) -> None:
        self._site = site
        self._declared = declared
        self._clients = clients
        self._prefix = f"{estate}-{site}"
        self._cluster = (
            f"projects/{declared.project}/locations/{declared.region}/clusters/"
            f"{declared.adopt.cluster or self._prefix}"
        )

    def sizes(self, pool: str) -> Mapping[str, int]:
        """See PoolSizes.sizes: what groups are to have; of a pool that GKE sizes itself, its limit."""
        return self._of_each(pool, self._asked_of_node_pool, self._target)

    def ready(self, pool: str) -> Mapping[str, int]:
        """See PoolSizes.ready: instances that run and are not being changed."""
        return self._of_each(
            pool, lambda described: sum(map(self._count_up, _groups_of(described))), self._count_up
        )

    def resize(self, pool: str, rung: str, nodes: int) -> None:
        """See PoolSizes.resize. Raise Conflict while another change of the cluster is under way."""
        declared = self._pool(pool)
        given = declared.rung(rung)
        if given is None:
            raise NotFound(
                f"the pool {pool} of {self._site} has no rung {rung!r}", "see the pool in the estate"
            )
        if nodes > given.nodes:
            raise Refused(
                f"{nodes} nodes are more than the {given.nodes} that {pool}-{rung} of {self._site} may give",
                "ask for fewer, or declare a larger rung",
            )
        if pool in self._declared.adopt.node_pools and given != declared.rungs[0]:
            raise NotFound(
                f"the adopted node pool of {pool} is its first rung, not {rung}", "declare one rung for it"
            )
        if declared.form == "instances":
            group = self._group(pool, rung, declared)
            if self._target(group) != nodes:
                self._clients.post("compute", f"{group}/resize", size=str(nodes))
            return
        self._resize_node_pool(pool, rung, nodes)

    def _resize_node_pool(self, pool: str, rung: str, nodes: int) -> None:
        described = self._node_pool(pool, rung)
        if self._asked_of_node_pool(described) == nodes:
            return
        if described.get("status") in _CHANGING:
            raise Conflict(
                f"the node pool {described['name']} of {self._site} is {described['status'].lower()}",
                "wait until that is done",
            )
        path = f"{self._cluster}/nodePools/{described['name']}"
        if _is_sized_by_gke(described):
            # GKE takes no limit of 0: to have none, it no longer sizes the pool, which is then set to 0.
            scaling = {"enabled": True, "totalMaxNodeCount": nodes, "locationPolicy": "ANY"}
            self._clients.post(
                "container",
                f"{path}:setAutoscaling",
                {"autoscaling": scaling if nodes else {"enabled": False}},
            )
            return
        self._clients.post(
            "container", f"{path}:setSize", {"nodeCount": self._for_each_zone(nodes, described)}
        )

    def _for_each_zone(self, nodes: int, described: Mapping[str, Any]) -> int:
        zones = len(described.get("locations", ())) or 1
        if nodes % zones:
            raise Refused(
                f"{nodes} nodes do not spread evenly over the {zones} zones of {described['name']}",
                "its size is one number for each zone: keep a GPU pool in one zone",
            )
        return nodes // zones

    def _asked_of_node_pool(self, described: Mapping[str, Any]) -> int:
        if _is_sized_by_gke(described):
            return int(described["autoscaling"].get("totalMaxNodeCount", 0))
        return sum(map(self._target, _groups_of(described)))

    def _pool(self, pool: str) -> CloudPool:
        if pool not in self._declared.pools:
            raise NotFound(f"{self._site} has no pool {pool!r}", f"it has {', '.join(self._declared.pools)}")
        return self._declared.pools[pool]

    def _of_each(
        self, pool: str, of_node_pool: Callable[[Mapping[str, Any]], int], of_group: Callable[[str], int]
    ) -> dict[str, int]:
        declared = self._pool(pool)
        adopted = pool in self._declared.adopt.node_pools
        rungs = [rung.key for rung in declared.rungs][: 1 if adopted else None]

        def count(rung: str) -> int:
            if declared.form == "instances":
                return of_group(self._group(pool, rung, declared))
            return of_node_pool(self._node_pool(pool, rung))

        with ThreadPoolExecutor(_AT_ONCE) as workers:
            return dict(zip(rungs, workers.map(count, rungs), strict=True))

    def _group(self, pool: str, rung: str, declared: CloudPool) -> str:
        zone = declared.zone or self._declared.zones[0]
        return (
            f"projects/{self._declared.project}/zones/{zone}/instanceGroupManagers/"
            f"{self._prefix}-{pool}-{rung}"
        )

    def _node_pool(self, pool: str, rung: str) -> Mapping[str, Any]:
        name = self._declared.adopt.node_pools.get(pool) or f"{pool}-{rung}"
        return self._clients.get("container", f"{self._cluster}/nodePools/{name}")

    def _target(self, group: str) -> int:
        return int(self._clients.get("compute", group)["targetSize"])

    def _count_up(self, group: str) -> int:
        instances = self._clients.every(
            "compute", f"{group}/listManagedInstances", "managedInstances", method="POST"
        )
        return sum(
            instance.get("instanceStatus") == "RUNNING" and instance.get("currentAction") == "NONE"
            for instance in instances
        )


def _groups_of(node_pool: Mapping[str, Any]) -> list[str]:
    """Paths of the managed instance groups behind a node pool, one per zone, out of their URLs."""
    paths = [urlsplit(url).path.partition("/projects/")[2] for url in node_pool.get("instanceGroupUrls", ())]
    return [f"projects/{path}" for path in paths]


def _is_sized_by_gke(node_pool: Mapping[str, Any]) -> bool:
    """Whether GKE adds nodes as pods wait for them, as it does for flex-start: the knob is its limit."""
    return bool(node_pool.get("autoscaling", {}).get("enabled"))
