"""Network policies: what may speak to the workloads, and whom they may speak to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import pulumi
import pulumi_kubernetes as k8s

from relight.estate import ClusterSite, Estate
from relight.topology.frame import Frame
from relight.topology.kubernetes.placement import Placed

_Port = k8s.networking.v1.NetworkPolicyPortArgs
_Peer = k8s.networking.v1.NetworkPolicyPeerArgs
_DNS = (_Port(port=53, protocol="UDP"), _Port(port=53, protocol="TCP"))
_NODE_LOCAL_DNS = "169.254.20.10/32"  # where the DNS cache of a node listens, if a cluster has one
_LINK_LOCAL = "169.254.0.0/16"  # metadata services of clouds hand out the node's own rights there


@dataclass(frozen=True)
class BoundariesArgs:
    """The site and what runs in it."""

    frame: Frame
    site: ClusterSite
    placed: Sequence[Placed]


class Boundaries(pulumi.ComponentResource):
    """Everything is denied, both ways, but what stands here.

    - DNS of the cluster (`kube-system`, and the node's cache).
    - The own namespace, on every port: collectives choose theirs as they like.
    - Into a workload with a port: from `reachable_from`, on that port. A policy sees the address that
      arrives: of an ingress or gateway in the cluster that is its pod's, so declare the pods' network.
    - Out to object stores: TCP 443, and the ports of the declared endpoints, to any address but link-local.
      Stores have no stable addresses, and private ones where a cloud offers endpoints for them; what is
      behind is held by credentials. Metadata services stay shut, so that a workload never acts as its
      node: on GKE, workload identity needs one more policy, of the cluster's owner.

    In an adopted namespace they hold for the estate's own pods only.
    A cluster enforces them only if its network plug-in does; the kubelet's probes and pulls of images pass.
    Billed while asleep: nothing.
    """

    def __init__(self, name: str, args: BoundariesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:kubernetes:Boundaries", name, None, opts)
        self._args = args
        own = [_Peer(pod_selector=k8s.meta.v1.LabelSelectorArgs())]
        self._make("default-deny", types=("Ingress", "Egress"))
        self._make("own-namespace", ingress=[_from(own)], egress=[_to(own)])
        self._make("dns", egress=[_to(_dns_servers(), _DNS)])
        ports = [_Port(port=port, protocol="TCP") for port in store_ports(args.frame.estate)]
        anywhere = k8s.networking.v1.IPBlockArgs(cidr="0.0.0.0/0", except_=[_LINK_LOCAL])
        self._make("object-stores", egress=[_to([_Peer(ip_block=anywhere)], ports)])
        for each in args.placed:
            self._admit_callers(each)
        self.register_outputs({})

    def _admit_callers(self, placed: Placed) -> None:
        callers = [
            _Peer(ip_block=k8s.networking.v1.IPBlockArgs(cidr=cidr))
            for cidr in self._args.site.reachable_from
        ]
        if callers and placed.container.port is not None:
            port = _Port(port=placed.container.port, protocol="TCP")
            self._make(f"{placed.name}-callers", placed.selector, ingress=[_from(callers, [port])])

    def _own_pods(self) -> dict[str, str] | None:
        """Labels of the pods that are bound; None: every pod of the namespace."""
        labels = self._args.frame.cluster_labels("compute")
        key = "relight.dev/estate"
        return {key: labels[key]} if self._args.site.adopt.namespace else None

    def _make(
        self,
        name: str,
        pods: dict[str, str] | None = None,
        *,
        ingress: list[k8s.networking.v1.NetworkPolicyIngressRuleArgs] | None = None,
        egress: list[k8s.networking.v1.NetworkPolicyEgressRuleArgs] | None = None,
        types: tuple[str, ...] = (),
    ) -> None:
        named = [kind for kind, rules in (("Ingress", ingress), ("Egress", egress)) if rules]
        k8s.networking.v1.NetworkPolicy(
            name,
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=f"relight-{name}",
                namespace=self._args.site.namespace,
                labels=self._args.frame.cluster_labels("network"),
            ),
            spec=k8s.networking.v1.NetworkPolicySpecArgs(
                pod_selector=k8s.meta.v1.LabelSelectorArgs(match_labels=pods or self._own_pods()),
                policy_types=list(types or named),
                ingress=ingress,
                egress=egress,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )


def store_ports(estate: Estate) -> list[int]:
    """TCP ports of the estate's object stores: 443, and those of endpoints that name or mean another."""
    ports = {443}
    for store in estate.stores.values():
        if endpoint := getattr(store, "endpoint", None):
            parts = urlsplit(endpoint)
            ports.add(parts.port or (80 if parts.scheme == "http" else 443))
    return sorted(ports)


def _dns_servers() -> list[k8s.networking.v1.NetworkPolicyPeerArgs]:
    system = k8s.meta.v1.LabelSelectorArgs(match_labels={"kubernetes.io/metadata.name": "kube-system"})
    cache = k8s.networking.v1.IPBlockArgs(cidr=_NODE_LOCAL_DNS)
    return [_Peer(namespace_selector=system), _Peer(ip_block=cache)]


def _from(
    peers: Sequence[k8s.networking.v1.NetworkPolicyPeerArgs],
    ports: Sequence[k8s.networking.v1.NetworkPolicyPortArgs] = (),
) -> k8s.networking.v1.NetworkPolicyIngressRuleArgs:
    return k8s.networking.v1.NetworkPolicyIngressRuleArgs(from_=list(peers), ports=list(ports) or None)


def _to(
    peers: Sequence[k8s.networking.v1.NetworkPolicyPeerArgs],
    ports: Sequence[k8s.networking.v1.NetworkPolicyPortArgs] = (),
) -> k8s.networking.v1.NetworkPolicyEgressRuleArgs:
    return k8s.networking.v1.NetworkPolicyEgressRuleArgs(to=list(peers), ports=list(ports) or None)
