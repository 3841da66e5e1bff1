"""Pools of a site in a Kubernetes cluster: the sizes of the workloads that run in them.

The nodes are somebody else's: a size counts them, and becomes replicas of the pool's Deployments, and lets
its Jobs go or suspends them. All rungs of a pool share its workloads, so how many nodes each rung was asked
for is kept beside them, as an annotation, which the stack writes as well. They are changed in one order, so
that of a change that was cut off the last ones still say what was before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from operator import eq, le
from typing import Any

from relight.errors import NotFound, Refused
from relight.estate import ClusterPool, ClusterSite
from relight.provision.adapters.kubernetes.access import TIMEOUT, ClusterAccess
from relight.provision.sizes import ANNOTATION, annotate_sizes

Fitting = Callable[[str, int], Mapping[str, int]]
"""Replicas of each workload of a pool, by name, if the pool had this many nodes."""


@dataclass(frozen=True)
class Sized:
    """A Deployment or a Job of a pool, as it is."""

    name: str
    is_job: bool
    replicas: int  # that it is asked to run
    ready: int
    asked: Mapping[str, int]  # nodes by rung, as its annotation says

    @property
    def is_up(self) -> bool:
        """Whether all that it is asked to run works."""
        return self.ready >= self.replicas


class ClusterPoolSizes:
    """See `PoolSizes`; `site` is how the estate calls it."""

    def __init__(
        self, estate: str, site: str, declared: ClusterSite, access: ClusterAccess, fitting: Fitting
    ) -> None:
        self._labels = {"relight.dev/estate": estate, "relight.dev/site": site}
        self._site = site
        self._declared = declared
        self._access = access
        self._fitting = fitting

    def sizes(self, pool: str) -> Mapping[str, int]:
        """See PoolSizes.sizes: as was asked last, where that is what runs; else as the rungs' order says."""
        return self._sizes(pool, self._workloads(pool))

    def ready(self, pool: str) -> Mapping[str, int]:
        """See PoolSizes.ready: all that were asked once all pods are ready, else nodes with such pods."""
        workloads = self._workloads(pool)
        sizes = self._sizes(pool, workloads)
        wanted = self._fitting(pool, sum(sizes.values()))
        # One that an update has not come to yet is up, and too small.
        if all(each.is_up and each.replicas >= wanted.get(each.name, 0) for each in workloads):
            return sizes
        up = min(len(self._nodes_with_ready_pods(pool)), max(sum(sizes.values()) - 1, 0))
        return _fill(up, sizes)

    def resize(self, pool: str, rung: str, nodes: int) -> None:
        """See PoolSizes.resize."""
        given = self._pool(pool).rung(rung)
        if given is None:
            raise NotFound(
                f"the pool {pool} of {self._site} has no rung {rung!r}", "see the pool in the estate"
            )
        if nodes > given.nodes:
            raise Refused(
                f"{nodes} nodes are more than the {given.nodes} that {pool}-{rung} of {self._site} may give",
                "ask for fewer, or declare a larger rung",
            )
        workloads = self._workloads(pool)
        sizes = {**self._sizes(pool, workloads), rung: nodes}
        fitting = self._fitting(pool, sum(sizes.values()))
        for workload in workloads:
            replicas = fitting.get(workload.name, 0)
            if workload.asked != sizes or workload.replicas != replicas:
                self._patch(workload, replicas, sizes)

    def _pool(self, pool: str) -> ClusterPool:
        if pool not in self._declared.pools:
            raise NotFound(f"{self._site} has no pool {pool!r}", f"it has {', '.join(self._declared.pools)}")
        return self._declared.pools[pool]

    def _sizes(self, pool: str, workloads: list[Sized]) -> dict[str, int]:
        declared = self._pool(pool)
        said = workloads[-1].asked
        alike = list(takewhile(lambda workload: workload.asked == said, reversed(workloads)))
        now = {workload.name: workload.replicas for workload in alike}
        asked = {rung.key: said.get(rung.key, 0) for rung in declared.rungs}
        if said and self._compare(pool, sum(asked.values()), now, eq):
            return asked
        every = range(declared.most_nodes + 1)
        total = next((nodes for nodes in every if self._compare(pool, nodes, now, eq)), None)
        if total is None:  # somebody else has set them: for how many nodes there is enough
            enough = [nodes for nodes in every if self._compare(pool, nodes, now, le)]
            total = max(enough, default=0) or 1
        return _fill(total, {rung.key: rung.nodes for rung in declared.rungs})

    def _compare(
        self, pool: str, nodes: int, now: Mapping[str, int], holds: Callable[[int, int], bool]
    ) -> bool:
        """Whether what fits into so many nodes is (`eq`), or is no more than (`le`), what runs now."""
        fitting = self._fitting(pool, nodes)
        return all(holds(fitting.get(name, 0), replicas) for name, replicas in now.items())

    def _workloads(self, pool: str) -> list[Sized]:
        self._pool(pool)
        selector = self._selector(pool)
        found = [
            sized
            for api, listing in (
                (self._access.apps(), "list_namespaced_deployment"),
                (self._access.batch(), "list_namespaced_job"),
            )
            for sized in map(_read, self._list(api, listing, selector))
        ]
        if not found:
            raise NotFound(
                f"no workload of the pool {pool} is in the namespace {self._declared.namespace} of "
                f"{self._site}",
                f"pulumi up -s {self._site}",
            )
        return sorted(found, key=lambda workload: (workload.is_job, workload.name))

    def _selector(self, pool: str) -> str:
        wanted = {**self._labels, "relight.dev/pool": pool}
        return ",".join(f"{key}={value}" for key, value in wanted.items())

    def _list(self, api: Any, listing: str, selector: str) -> Iterator[Any]:
        with self._access.translated():
            listed = getattr(api, listing)(
                self._declared.namespace, label_selector=selector, _request_timeout=TIMEOUT
            )
        yield from listed.items

    def _nodes_with_ready_pods(self, pool: str) -> set[str]:
        pods = self._list(self._access.core(), "list_namespaced_pod", self._selector(pool))
        return {pod.spec.node_name for pod in pods if pod.spec.node_name and _is_ready(pod)}

    def _patch(self, workload: Sized, replicas: int, sizes: Mapping[str, int]) -> None:
        spec = {"suspend": not replicas} if workload.is_job else {"replicas": replicas}
        body = {
            "metadata": {"annotations": annotate_sizes(sizes)},
            "spec": spec,
        }
        api = self._access.batch() if workload.is_job else self._access.apps()
        patch = api.patch_namespaced_job if workload.is_job else api.patch_namespaced_deployment
        with self._access.translated():
            patch(workload.name, self._declared.namespace, body, _request_timeout=TIMEOUT)


def _read(found: Any) -> Sized:
    is_job = hasattr(found.spec, "parallelism")
    return Sized(
        name=found.metadata.name,
        is_job=is_job,
        replicas=_replicas_of_job(found) if is_job else int(found.spec.replicas or 0),
        ready=_ready_of_job(found) if is_job else int(found.status.ready_replicas or 0),
        asked=_asked(found.metadata.annotations or {}),
    )


def _replicas_of_job(job: Any) -> int:
    return 0 if job.spec.suspend else int(job.spec.parallelism or 1)


def _ready_of_job(job: Any) -> int:
    return int(job.status.ready or 0) + int(job.status.succeeded or 0)


def _asked(annotations: Mapping[str, str]) -> dict[str, int]:
    try:
        written = json.loads(annotations.get(ANNOTATION, "{}"))
        return {str(rung): int(nodes) for rung, nodes in written.items()}
    except (ValueError, TypeError, AttributeError):
        return {}  # somebody else wrote it


def _is_ready(pod: Any) -> bool:
    conditions = pod.status.conditions or ()
    return any(condition.type == "Ready" and condition.status == "True" for condition in conditions)


def _fill(nodes: int, rooms: Mapping[str, int]) -> dict[str, int]:
    """Nodes spread over rungs in their order, each up to its room."""
    filled: dict[str, int] = {}
    for rung, room in rooms.items():
        filled[rung] = min(nodes, room)
        nodes -= filled[rung]
    return filled
