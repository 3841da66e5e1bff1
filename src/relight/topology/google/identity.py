"""Who acts at a site: its nodes, its workloads, and the runner of runbooks, with no more than each needs."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from relight.estate import GoogleSite, fit_name
from relight.topology.frame import Frame
from relight.topology.google.places import (
    ACCOUNT_ID,
    NAMESPACE,
    cluster_name,
    cluster_path,
)

_NODE_ROLES = ("roles/container.defaultNodeServiceAccount", "roles/artifactregistry.reader")
_LOOKS = (
    "compute.instanceGroupManagers.get",
    "compute.instanceGroupManagers.list",
    "compute.instanceGroups.get",
    "compute.instances.list",
    "compute.reservations.get",
    "compute.zoneOperations.get",
    "container.clusters.get",
    "container.operations.get",
)
_SIZES_GROUPS, _SIZES_NODE_POOLS = "compute.instanceGroupManagers.update", "container.clusters.update"
_MOST_ROLE_ID = 64


@dataclass(frozen=True)
class IdentityArgs:
    """The site; whether it has a cluster, its own or an adopted one; whether it has groups of machines."""

    frame: Frame
    site: GoogleSite
    has_cluster: bool
    has_groups: bool


class Identity(pulumi.ComponentResource):
    """Service accounts without keys, bound to accounts of the cluster by workload identity.

    `nodes` is what machines run as, `work` what pods of the workloads act as (they read and write the
    vault), and `runner` what turns the knob when the other site is dark: all of it is in this project, so
    none of it waits for another. Google Cloud has no right that only sets a size: the runner's are the
    smallest that hold it, and where a service tells conditions what is changed, only this site's cluster
    and groups; where it does not, the project is the bound, so a site is best a project of its own.

    Billed while asleep: nothing.
    """

    def __init__(self, name: str, args: IdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:google:Identity", name, None, opts)
        self._args = args
        self.nodes = self._account("nodes", "the site's nodes")
        self.work = self._account("work", "the site's workloads")
        self.runner = self._account("runner", "runbooks, where they turn the knob")
        self.granted: list[pulumi.Resource] = [
            self._grant(f"nodes-{role.rpartition('.')[2]}", role, self.nodes) for role in _NODE_ROLES
        ]
        self._grant("looks", self._role("looks", _LOOKS).name, self.runner)
        if args.has_groups:
            self._let_size("groups", _SIZES_GROUPS, self._within_groups())
        if args.has_cluster:
            self._let_size("node-pools", _SIZES_NODE_POOLS, self._within_cluster())
            self._bind("work", self.work)
            self._bind("runner", self.runner)
        self.register_outputs({"runner": self.runner.email})

    def _child(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)

    def _account(self, what: str, purpose: str) -> gcp.serviceaccount.Account:
        frame = self._args.frame
        return gcp.serviceaccount.Account(
            what,
            account_id=fit_name(frame.name(what), ACCOUNT_ID),
            display_name=f"{purpose} ({frame.name()})"[:100],
            opts=self._child(),
        )

    def _role(self, what: str, permissions: tuple[str, ...]) -> gcp.projects.IAMCustomRole:
        frame = self._args.frame
        called = fit_name(f"relight-{frame.name(what)}", _MOST_ROLE_ID).replace("-", "_")
        return gcp.projects.IAMCustomRole(
            what,
            role_id=called,
            title=f"Relight: {what} of {frame.name()}"[:100],
            permissions=list(permissions),
            opts=self._child(),
        )

    def _grant(
        self,
        what: str,
        role: pulumi.Input[str],
        to: gcp.serviceaccount.Account,
        only: gcp.projects.IAMMemberConditionArgs | None = None,
    ) -> pulumi.Resource:
        member: pulumi.Resource = gcp.projects.IAMMember(
            what,
            project=self._args.site.project,
            role=role,
            member=to.email.apply(lambda email: f"serviceAccount:{email}"),
            condition=only,
            opts=self._child(),
        )
        return member

    def _let_size(self, what: str, permission: str, only: gcp.projects.IAMMemberConditionArgs) -> None:
        role = self._role(f"sizes-{what}", (permission,))
        self._grant(f"sizes-{what}", role.name, self.runner, only)

    def _within_groups(self) -> gcp.projects.IAMMemberConditionArgs:
        prefix = f"{self._args.frame.name()}-"
        return _only(
            "groups",
            "compute.googleapis.com/InstanceGroupManager",
            f'resource.name.extract("instanceGroupManagers/{{name}}").startsWith("{prefix}")',
        )

    def _within_cluster(self) -> gcp.projects.IAMMemberConditionArgs:
        site = self._args.site
        path = cluster_path(site, cluster_name(self._args.frame, site))
        return _only(
            "cluster",
            "container.googleapis.com/Cluster",
            f'resource.name == "{path}" || resource.name.startsWith("{path}/")',
        )

    def _bind(self, what: str, account: gcp.serviceaccount.Account) -> None:
        """Let pods of "{NAMESPACE}/{what}" act as the account."""
        pool = f"{self._args.site.project}.svc.id.goog"
        gcp.serviceaccount.IAMMember(
            f"{what}-pods",
            service_account_id=account.name,
            role="roles/iam.workloadIdentityUser",
            member=f"serviceAccount:{pool}[{NAMESPACE}/{what}]",
            opts=self._child(),
        )


def _only(what: str, kind: str, said: str) -> gcp.projects.IAMMemberConditionArgs:
    """A condition on what is changed; where a service does not tell what that is, it stands in no way."""
    return gcp.projects.IAMMemberConditionArgs(
        title=f"only this site's {what}",
        description="where the service says which resource is asked for",
        expression=f'resource.type != "{kind}" || {said}',
    )
