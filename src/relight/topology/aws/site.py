"""A whole site in AWS, composed of its components in the order in which they need each other."""

from __future__ import annotations

import pulumi

from relight.estate import AwsSite, Estate, S3Store, fit_name
from relight.topology.aws.cache import Cache, CacheArgs
from relight.topology.aws.cluster import Cluster, ClusterArgs
from relight.topology.aws.endpoints import Endpoints, EndpointsArgs
from relight.topology.aws.guards import Guards, GuardsArgs
from relight.topology.aws.identity import Identity, IdentityArgs
from relight.topology.aws.keys import DataKey, KeyArgs
from relight.topology.aws.limits import require_buildable
from relight.topology.aws.network import Network, NetworkArgs
from relight.topology.aws.places import NODE_GROUP_NAME, place_of
from relight.topology.aws.pools import Pool, PoolArgs
from relight.topology.aws.provider import provider
from relight.topology.aws.store import BucketArgs, VaultBucket
from relight.topology.aws.transit import Transit, TransitArgs, is_linked, linked_networks
from relight.topology.aws.vaults import foreign_copiers, key_alias
from relight.topology.frame import SiteArgs


class Site(pulumi.ComponentResource):
    """All of a site of kind aws, under a provider of its own.

    `outputs`: "pools" (by pool and rung: urn, resource, id, nodes, adopted), "vpc", "privateSubnets",
    "runner", and where there is such: "bucket", "cluster", "transitGateway", "cacheDns", "cacheMount".
    Raise UsageError with every reason, before anything is declared, for what AWS would refuse.
    """

    def __init__(self, name: str, args: SiteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        self._site = require_buildable(args.frame, args.sizes)
        super().__init__("relight:aws:Site", name, None, opts)
        self._args, self._frame = args, args.frame
        self._cloud = provider(args.frame, self._site, pulumi.ResourceOptions(parent=self))
        self._linked = linked_networks(args.frame.estate, args.frame.stack)
        self._lean = is_lean(args.frame.estate, args.frame.stack, self._site)
        network = NetworkArgs(args.frame, self._site, lean=self._lean)
        self._network = Network("network", network, self._here())
        self._subnets: list[pulumi.Input[str]] = list(self._network.private.values())
        self._guards = self._guard()
        self._key = self._seal()
        self.outputs: dict[str, pulumi.Input[object]] = {
            "vpc": self._network.vpc,
            "privateSubnets": self._subnets,
        }
        vaults = self._vaults()
        identity = self._identity(vaults)
        cluster = self._cluster(identity) if _has_cluster(self._site) else None
        self._cache(vaults)
        self.outputs["pools"] = self._pools(identity, cluster)
        self._transit()
        self.register_outputs({"pools": self.outputs["pools"]})

    def _here(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, providers=[self._cloud])

    def _guard(self) -> Guards:
        site, own = self._site, self._site.adopt.vpc is None
        guards = Guards(
            "guards",
            GuardsArgs(
                self._frame,
                self._network.vpc,
                site.cidr,
                self._linked,
                endpoints=own,
                cache=site.cache is not None,
            ),
            self._here(),
        )
        if guards.endpoints is not None:
            endpoints = EndpointsArgs(
                self._frame,
                site.region,
                self._network.vpc,
                self._subnets,
                list(self._network.tables.values()),
                guards.endpoints,
                lean=self._lean,
            )
            Endpoints("endpoints", endpoints, self._here())
        return guards

    def _stores(self) -> dict[str, S3Store]:
        """Buckets of this site, made by this stack or there already."""
        stores = self._frame.estate.stores.items()
        return {
            name: store
            for name, store in stores
            if isinstance(store, S3Store) and store.site == self._frame.stack and store.endpoint is None
        }

    def _seal(self) -> DataKey:
        frame, place = self._frame, place_of(self._site)
        copiers = [role for name in self._stores() for role in foreign_copiers(frame.estate, name, place)]
        args = KeyArgs(frame, place, key_alias(frame), tuple(copiers), self._site.adopt.key)
        return DataKey("key", args, self._here())

    def _vaults(self) -> list[VaultBucket]:
        made = {
            name: VaultBucket(name, BucketArgs(self._frame, name, self._key.arn), self._here())
            for name, store in self._stores().items()
            if store.managed is not None
        }
        declared = self._frame.estate.stores.get(self._site.store)
        if self._site.store in made:
            self.outputs["bucket"] = made[self._site.store].bucket
        elif isinstance(declared, S3Store):
            self.outputs["bucket"] = declared.bucket
        return list(made.values())

    def _identity(self, vaults: list[VaultBucket]) -> Identity:
        site, place = self._site, place_of(self._site)
        groups, node_groups = [], []
        for name, pool in site.pools.items():
            adopted = site.adopt.node_groups.get(name)
            names = [f"{name}-{rung.key}" for rung in pool.rungs]
            if pool.form == "instances":
                groups += [self._frame.name(each) for each in names]
            else:
                called = [adopted] if adopted else [fit_name(each, NODE_GROUP_NAME) for each in names]
                node_groups += called
        args = IdentityArgs(
            self._frame,
            site,
            buckets=[place.bucket(store.bucket) for store in self._stores().values()],
            keys=[self._key.arn, *(v.key for v, own in self._own_keys(vaults) if own)],
            groups=groups,
            node_groups=node_groups,
            cluster=site.adopt.cluster or self._frame.name(),
            control=_has_cluster(site) and site.adopt.cluster is None,
            nodes=any(
                pool.form == "cluster" and name not in site.adopt.node_groups
                for name, pool in site.pools.items()
            ),
            machines=any(pool.form == "instances" for pool in site.pools.values()),
        )
        identity = Identity("identity", args, self._here())
        self.outputs["runner"] = identity.runner
        return identity

    def _own_keys(self, vaults: list[VaultBucket]) -> list[tuple[VaultBucket, bool]]:
        """Which buckets are sealed with another key than the site's."""
        managed = [store.managed for store in self._stores().values() if store.managed is not None]
        return [(vault, said.key is not None) for vault, said in zip(vaults, managed, strict=True)]

    def _cluster(self, identity: Identity) -> Cluster:
        args = ClusterArgs(
            self._frame,
            self._site,
            self._subnets,
            guard=self._guards.control,
            key=self._key.arn,
            control=identity.control,
            workload=identity.workload,
            runner=identity.runner,
            attached=identity.attached,
        )
        cluster = Cluster("cluster", args, self._here())
        self.outputs["cluster"] = cluster.name
        return cluster

    def _cache(self, vaults: list[VaultBucket]) -> None:
        site, behind = self._site, self._frame.estate.stores.get(self._site.store)
        if site.cache is None or self._guards.cache is None or not isinstance(behind, S3Store):
            return
        args = CacheArgs(
            self._frame,
            site.cache,
            behind,
            subnet=self._network.private[site.zones[0]],
            guard=self._guards.cache,
            key=self._key.arn,
            after=[*self._guards.ready, *(vault.versioning for vault in vaults)],
        )
        cache = Cache("cache", args, self._here())
        self.outputs |= {"cacheDns": cache.dns, "cacheMount": cache.mount}

    def _pools(self, identity: Identity, cluster: Cluster | None) -> dict[str, object]:
        site, sized = self._site, {}
        after = [*self._network.ready, *self._guards.ready, *identity.attached]
        for name, pool in site.pools.items():
            args = PoolArgs(
                self._frame,
                site,
                name,
                self._args.sizes[name],
                subnet=self._network.private[pool.zone or site.zones[0]],
                guard=self._guards.nodes,
                key=self._key.arn,
                node_role=identity.node,
                profile=identity.profile,
                cluster=cluster if pool.form == "cluster" else None,
                after=after,
                working=self._args.active,
            )
            sized[name] = Pool(name, args, self._here()).sized
        return dict(sized)

    def _transit(self) -> None:
        if not is_linked(self._frame.estate, self._frame.stack):
            return
        args = TransitArgs(
            self._frame,
            self._site,
            self._network.vpc,
            self._subnets,
            self._network.tables,
            self._linked,
        )
        self.outputs["transitGateway"] = Transit("transit", args, self._here()).gateway


def is_lean(estate: Estate, name: str, site: AwsSite) -> bool:
    """Whether nothing of the site's network may cost by the hour while it sleeps.

    So it is where work bursts into (cloud burst) as machines: their image holds all that they need, and
    they reach S3 and linked sites, nothing else. Nodes of a cluster need ways out from the start, and have
    them.
    """
    return estate.is_burst_into(name) and not _has_cluster(site)


def _has_cluster(site: AwsSite) -> bool:
    """Whether any pool is part of a cluster, or one is adopted."""
    return site.adopt.cluster is not None or any(pool.form == "cluster" for pool in site.pools.values())
