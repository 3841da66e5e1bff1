"""Pools of a site in AWS: Auto Scaling groups, and managed node groups of EKS.

An Auto Scaling group is found by its tags: relight:estate, relight:site, relight:pool, relight:rung; a node
group by its name "{pool}-{rung}" in the site's cluster, and must have those tags. An adopted one has the name
that the estate gives, and stands for the first rung of its pool.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from relight.errors import Conflict, NotFound, Refused
from relight.estate import AwsSite, CloudPool, fit_name
from relight.provision.adapters.aws.clients import AwsClients

_AT_ONCE = 8


LONGEST_NODE_GROUP = 63  # characters of a managed node group's name (EKS API)


class Group(Protocol):
    """What gives the nodes of one rung."""

    name: str
    arn: str

    @property
    def asked(self) -> int:
        """Nodes that it is asked to have."""

    @property
    def up(self) -> int:
        """Nodes that work."""

    def resize(self, nodes: int) -> None:
        """Ask for this many."""


class AwsPoolSizes:
    """See `PoolSizes`; `site` is how the estate calls it."""

    def __init__(self, estate: str, site: str, declared: AwsSite, clients: AwsClients) -> None:
        self._tags = {"relight:estate": estate, "relight:site": site}
        self._site = site
        self._declared = declared
        self._clients = clients
        self._cluster = declared.adopt.cluster or f"{estate}-{site}"

    def sizes(self, pool: str) -> Mapping[str, int]:
        """See PoolSizes.sizes."""
        return {rung: group.asked for rung, group in self._groups(pool).items()}

    def ready(self, pool: str) -> Mapping[str, int]:
        """See PoolSizes.ready: instances in service and healthy."""
        return {rung: group.up for rung, group in self._groups(pool).items()}

    def resize(self, pool: str, rung: str, nodes: int) -> None:
        """See PoolSizes.resize. Raise Conflict while another change of the group is under way."""
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
        group = self._groups(pool).get(rung)
        if group is None:
            raise NotFound(
                f"the adopted node group of {pool} is its first rung, not {rung}", "declare one rung for it"
            )
        self._require_account(group)
        if group.asked != nodes:
            group.resize(nodes)

    def _pool(self, pool: str) -> CloudPool:
        if pool not in self._declared.pools:
            raise NotFound(f"{self._site} has no pool {pool!r}", f"it has {', '.join(self._declared.pools)}")
        return self._declared.pools[pool]

    def _groups(self, pool: str) -> dict[str, Group]:
        declared = self._pool(pool)
        found = (
            self._node_groups(pool, declared) if declared.form == "cluster" else self._scaling_groups(pool)
        )
        missing = [rung.key for rung in declared.rungs if rung.key not in found]
        if pool in self._declared.adopt.node_groups:
            missing = []  # an adopted group is the whole pool
        if missing:
            raise NotFound(
                f"AWS has nothing for {', '.join(f'{pool}-{rung}' for rung in missing)} of {self._site}",
                f"pulumi up -s {self._site}",
            )
        return found

    def _scaling_groups(self, pool: str) -> dict[str, Group]:
        wanted = {**self._tags, "relight:pool": pool}
        filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in wanted.items()]
        described = self._clients.every(
            "autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", Filters=filters
        )
        found: dict[str, Group] = {}
        for group in described:
            tags = {tag["Key"]: tag["Value"] for tag in group.get("Tags", ())}
            if all(tags.get(key) == value for key, value in wanted.items()):
                _put(found, tags.get("relight:rung", ""), ScalingGroup(self._clients, group))
        return found

    def _node_groups(self, pool: str, declared: CloudPool) -> dict[str, Group]:
        if adopted := self._declared.adopt.node_groups.get(pool):
            return {declared.rungs[0].key: NodeGroup(self._clients, self._describe(adopted))}
        rungs = [rung.key for rung in declared.rungs]
        names = [fit_name(f"{pool}-{rung}", LONGEST_NODE_GROUP) for rung in rungs]
        with ThreadPoolExecutor(_AT_ONCE) as workers:
            described = list(workers.map(self._describe, names))
        for rung, group in zip(rungs, described, strict=True):
            self._require_tags(group, {**self._tags, "relight:pool": pool, "relight:rung": rung})
        return {rung: NodeGroup(self._clients, group) for rung, group in zip(rungs, described, strict=True)}

    def _require_tags(self, group: Mapping[str, Any], wanted: Mapping[str, str]) -> None:
        if not wanted.items() <= group.get("tags", {}).items():
            raise Refused(
                f"the node group {group['nodegroupName']} of {self._cluster} lacks the tags of {self._site}",
                "it is somebody else's: adopt it, or take another name",
            )

    def _describe(self, name: str) -> Mapping[str, Any]:
        described: Mapping[str, Any] = self._clients.call(
            "eks", "describe_nodegroup", clusterName=self._cluster, nodegroupName=name
        )["nodegroup"]
        return described

    def _require_account(self, group: Group) -> None:
        account = group.arn.split(":")[4]
        if account != self._declared.account:
            raise Refused(
                f"{group.name} stands in the account {account}, and {self._site} in {self._declared.account}",
                "use the credentials of that account",
            )


def _put(found: dict[str, Group], rung: str, group: Group) -> None:
    if rung in found:
        raise Conflict(
            f"both {found[rung].name} and {group.name} are tagged as the rung {rung!r}",
            "an update that was cut off may have made one of them twice; keep one",
        )
    found[rung] = group


class ScalingGroup:
    """An Auto Scaling group, as it was described."""

    def __init__(self, clients: AwsClients, described: Mapping[str, Any]) -> None:
        self._clients = clients
        self._described = described
        self.name: str = described["AutoScalingGroupName"]
        self.arn: str = described["AutoScalingGroupARN"]

    @property
    def asked(self) -> int:
        """Nodes that it is asked to have."""
        return int(self._described["DesiredCapacity"])

    @property
    def up(self) -> int:
        """Instances in service and healthy; those of a warm pool are not among them."""
        return sum(
            instance["LifecycleState"] == "InService" and instance["HealthStatus"] == "Healthy"
            for instance in self._described.get("Instances", ())
        )

    def resize(self, nodes: int) -> None:
        """Change the desired size, and the least one where it is in the way; never the most."""
        _require_below(self.name, nodes, int(self._described["MaxSize"]))
        least = min(nodes, int(self._described["MinSize"]))
        self._clients.call(
            "autoscaling",
            "update_auto_scaling_group",
            AutoScalingGroupName=self.name,
            DesiredCapacity=nodes,
            MinSize=least,
        )


class NodeGroup:
    """A managed node group of EKS, as it was described."""

    def __init__(self, clients: AwsClients, described: Mapping[str, Any]) -> None:
        self._clients = clients
        self._described = described
        self.name: str = described["nodegroupName"]
        self.arn: str = described["nodegroupArn"]

    @property
    def asked(self) -> int:
        """Nodes that it is asked to have."""
        return int(self._described["scalingConfig"]["desiredSize"])

    @property
    def up(self) -> int:
        """Instances in service in the Auto Scaling groups that EKS made for it."""
        names = [group["name"] for group in self._described.get("resources", {}).get("autoScalingGroups", ())]
        if not names:
            return 0  # it is being created
        groups = self._clients.every(
            "autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", AutoScalingGroupNames=names
        )
        return sum(ScalingGroup(self._clients, group).up for group in groups)

    def resize(self, nodes: int) -> None:
        """Change the desired size, and the least one where it is in the way; never the most."""
        if self._described["status"] in ("CREATING", "UPDATING", "DELETING"):
            raise Conflict(f"{self.name} is {self._described['status'].lower()}", "wait until that is done")
        scaling = self._described["scalingConfig"]
        _require_below(self.name, nodes, int(scaling["maxSize"]))
        self._clients.call(
            "eks",
            "update_nodegroup_config",
            clusterName=self._described["clusterName"],
            nodegroupName=self.name,
            scalingConfig={
                "minSize": min(nodes, int(scaling["minSize"])),
                "maxSize": int(scaling["maxSize"]),
                "desiredSize": nodes,
            },
        )


def _require_below(name: str, nodes: int, most: int) -> None:
    if nodes > most:
        raise Refused(
            f"{nodes} nodes are more than the maximum of {name}, which is {most}",
            "raise its maximum first: `pulumi up` with the rung's nodes declared",
        )
