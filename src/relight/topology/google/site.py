"""A site in one region of Google Cloud."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi

from relight.estate import GcsStore, ManagedLustre
from relight.topology.frame import SiteArgs
from relight.topology.google.cache import Cache, CacheArgs
from relight.topology.google.cluster import Cluster, ClusterArgs
from relight.topology.google.gateway import Gateway, GatewayArgs
from relight.topology.google.groups import GroupArgs, Groups
from relight.topology.google.identity import Identity, IdentityArgs
from relight.topology.google.keys import Key, KeyArgs
from relight.topology.google.network import Network, NetworkArgs
from relight.topology.google.places import (
    cluster_name,
    cluster_path,
    has_link,
    needs_cluster,
    require_names_that_fit,
    site_of,
)
from relight.topology.google.pools import NodePools, PoolArgs, adopted
from relight.topology.google.provider import provider
from relight.topology.google.store import BucketArgs, VaultBucket, require_storable


class Site(pulumi.ComponentResource):
    """Everything that an estate has in one region of Google Cloud.

    `outputs`: "pools" (by pool and rung: urn, resource, id, nodes; adopted ones have no urn), "network",
    "subnetwork", "router" (its name), "runner" (e-mail of the runbooks' account), and where there is one
    "cluster", "cacheMount", "bucket" and, if a declared link touches the site, "vpnGateway".
    Raise UsageError, before anything is registered, where the declaration cannot stand.

    Billed while asleep: see the package, and each component.
    """

    def __init__(self, name: str, args: SiteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        site = site_of(args.frame)
        require_names_that_fit(args.frame, site)
        self._stores = _managed_here(args)
        for store in self._stores:
            require_storable(args.frame, store)
        super().__init__("relight:google:Site", name, None, opts)
        self._frame, self._site, self._sizes, self._active = args.frame, site, args.sizes, args.active
        own = pulumi.ResourceOptions(parent=self)
        self._cloud: pulumi.ProviderResource = provider(args.frame, site, own)
        self._network = Network("network", NetworkArgs(args.frame, site, _is_lean(args)), self._here())
        self._key = self._make_key()
        has_cluster = needs_cluster(site) or site.adopt.cluster is not None
        has_groups = any(pool.form == "instances" for pool in site.pools.values())
        self._identity = Identity(
            "identity", IdentityArgs(args.frame, site, has_cluster, has_groups), self._here()
        )
        self.outputs: dict[str, pulumi.Input[object]] = {
            "network": self._network.id,
            "subnetwork": self._network.subnetwork,
            "router": self._network.router,
            "runner": self._identity.runner.email,
        }
        self._make_buckets()
        self.outputs["pools"] = self._make_pools(self._make_cluster())
        self._make_cache()
        self._make_gateway()
        self.register_outputs(self.outputs)

    def _here(self, after: Sequence[pulumi.Resource] = ()) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, providers=[self._cloud], depends_on=list(after))

    def _make_key(self) -> pulumi.Input[str]:
        site = self._site
        if site.adopt.key:
            return site.adopt.key
        agents = ["compute"] if site.pools else []
        agents += ["container"] if needs_cluster(site) else []
        if site.cache:
            agents.append("lustre" if isinstance(site.cache, ManagedLustre) else "file")
        return Key("key", KeyArgs(self._frame, site.project, site.region, tuple(agents)), self._here()).id

    def _make_buckets(self) -> None:
        """The managed stores that stand here; workloads and runbooks write to them."""
        writers = tuple(
            account.email.apply(lambda email: f"serviceAccount:{email}")
            for account in (self._identity.work, self._identity.runner)
        )
        for name in self._stores:
            made = VaultBucket(name, BucketArgs(self._frame, name, writers), self._here())
            if name == self._site.store:
                self.outputs["bucket"] = made.bucket.name
        declared = self._frame.estate.stores.get(self._site.store)
        if "bucket" not in self.outputs and isinstance(declared, GcsStore):
            self.outputs["bucket"] = declared.bucket

    def _make_cluster(self) -> pulumi.Input[str]:
        """The path of the site's cluster, "" where it has none."""
        site = self._site
        if not needs_cluster(site):
            if site.adopt.cluster is None:
                return ""
            self.outputs["cluster"] = site.adopt.cluster
            return cluster_path(site, site.adopt.cluster)
        made = Cluster(
            "cluster",
            ClusterArgs(
                self._frame,
                site,
                self._network.id,
                self._network.subnetwork,
                self._key,
                self._identity.nodes.email,
            ),
            self._here(self._identity.granted),
        )
        self.outputs["cluster"] = made.cluster.name
        path: pulumi.Output[str] = made.cluster.id
        return path

    def _make_pools(self, cluster: pulumi.Input[str]) -> dict[str, dict[str, Any]]:
        made: dict[str, dict[str, Any]] = {}
        nodes = self._identity.nodes.email
        for name, pool in self._site.pools.items():
            sizes = dict(self._sizes[name])
            if name in self._site.adopt.node_pools:
                path = cluster_path(self._site, cluster_name(self._frame, self._site))
                made[name] = adopted(self._site, name, sizes, path)
            elif pool.form == "instances":
                group = GroupArgs(
                    self._frame,
                    self._site,
                    name,
                    sizes,
                    self._network.id,
                    self._network.subnetwork,
                    self._key,
                    nodes,
                    self._active,
                )
                made[name] = Groups(name, group, self._here(self._identity.granted)).sized
            else:
                args = PoolArgs(self._frame, self._site, name, sizes, cluster, self._key, nodes, self._active)
                made[name] = NodePools(name, args, self._here(self._identity.granted)).sized
        return made

    def _make_cache(self) -> None:
        if self._site.cache is None:
            return
        args = CacheArgs(self._frame, self._site, self._site.cache, self._network.id, self._key)
        self.outputs["cacheMount"] = Cache("cache", args, self._here(self._network.services)).mount

    def _make_gateway(self) -> None:
        if has_link(self._frame):
            args = GatewayArgs(self._frame, self._site, self._network.id)
            self.outputs["vpnGateway"] = Gateway("gateway", args, self._here()).id


def _is_lean(args: SiteArgs) -> bool:
    """Whether nothing of the site's network may cost by the hour while it sleeps; as on AWS."""
    site = site_of(args.frame)
    has_cluster = needs_cluster(site) or site.adopt.cluster is not None
    return args.frame.estate.is_burst_into(args.frame.stack) and not has_cluster


def _managed_here(args: SiteArgs) -> tuple[str, ...]:
    """Managed stores of Google Cloud that stand in the site."""
    return tuple(
        name
        for name, store in args.frame.estate.stores.items()
        if isinstance(store, GcsStore) and store.managed is not None and store.site == args.frame.stack
    )
