"""Room in a Kubernetes cluster: GPUs of the pool's nodes that no pod has asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from relight.errors import NotFound
from relight.estate import ClusterPool, ClusterSite
from relight.provision.adapters.kubernetes.access import TIMEOUT, ClusterAccess
from relight.provision.port import Free

_PAGE = 500
_SURE = ("own-metal", "reservation")


class ClusterCapacity:
    """See `Capacity`. Pods of every namespace count, whatever their priority."""

    def __init__(self, site: str, declared: ClusterSite, access: ClusterAccess) -> None:
        self._site = site
        self._declared = declared
        self._access = access

    def free(self, pool: str, rung: str) -> Free:
        """See Capacity.free: whole nodes that are free of GPU work; only nodes that are there count."""
        declared = self._declared.pools.get(pool)
        given = declared.rung(rung) if declared else None
        if declared is None or given is None:
            raise NotFound(f"{self._site} declares no {pool}-{rung}", "see its pools in the estate")
        nodes = self._nodes(declared)
        taken = self._taken(declared.resource, set(nodes))
        free = sum(has - taken[name] >= declared.gpus_each for name, has in nodes.items())
        said = f"{free} of {len(nodes)} nodes that are ready have {declared.gpus_each} GPUs free"
        if given.kind not in _SURE:
            return Free(nodes=None, reason=f"{said}; whether more would come nobody can know")
        return Free(nodes=min(free, given.nodes), reason=said)

    def _nodes(self, declared: ClusterPool) -> dict[str, int]:
        """GPUs of each node that pods of the pool may go to."""
        selector = ",".join(f"{key}={value}" for key, value in declared.selector.items())
        listed = self._every("list_node", **({"label_selector": selector} if selector else {}))
        return {
            node.metadata.name: _amount((node.status.allocatable or {}).get(declared.resource))
            for node in listed
            if _takes_pods(node, declared.tolerate)
            and _amount((node.status.allocatable or {}).get(declared.resource))
        }

    def _taken(self, resource: str, nodes: set[str]) -> Counter[str]:
        """GPUs of each node that pods have asked for and not given back."""
        taken: Counter[str] = Counter()
        ended = "status.phase!=Succeeded,status.phase!=Failed"
        for pod in self._every("list_pod_for_all_namespaces", field_selector=ended):
            if pod.spec.node_name in nodes:
                taken[pod.spec.node_name] += _asked_by(pod, resource)
        return taken

    def _every(self, listing: str, **arguments: Any) -> list[Any]:
        items: list[Any] = []
        api = self._access.core()
        onward: dict[str, str] = {}
        while True:
            with self._access.translated():
                listed = getattr(api, listing)(limit=_PAGE, **arguments, **onward, _request_timeout=TIMEOUT)
            items += listed.items
            if not listed.metadata._continue:
                return items
            onward = {"_continue": listed.metadata._continue}


def _takes_pods(node: Any, tolerated: tuple[str, ...]) -> bool:
    ready = any(c.type == "Ready" and c.status == "True" for c in node.status.conditions or ())
    barred = any(
        taint.effect in ("NoSchedule", "NoExecute") and taint.key not in tolerated
        for taint in node.spec.taints or ()
    )
    return ready and not node.spec.unschedulable and not barred


def _asked_by(pod: Any, resource: str) -> int:
    """As the scheduler counts: containers together, or the largest of those that run before them."""
    together = sum(_amount(_requests(c).get(resource)) for c in pod.spec.containers)
    before = max((_amount(_requests(c).get(resource)) for c in pod.spec.init_containers or ()), default=0)
    return max(together, before)


def _requests(container: Any) -> Mapping[str, str]:
    resources = container.resources
    return {**(resources.limits or {}), **(resources.requests or {})} if resources else {}


def _amount(quantity: str | None) -> int:
    return int(quantity or 0)  # extended resources are whole numbers
