"""The runbook runner's rights in a cluster: enough to turn the knob where Pulumi's state is gone, no more."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from relight.topology.frame import Frame

NAME = "relight-runner"


@dataclass(frozen=True)
class RunnerArgs:
    """Whose it is, and the namespace it is for."""

    frame: Frame
    namespace: str


class Runner(pulumi.ComponentResource):
    """A service account that may look at the namespace's workloads and set their sizes.

    In the whole cluster it sees nodes and pods, to count the GPUs that are free, and no more. It has no token
    until somebody asks for one, and sees no Secret. Billed while asleep: nothing.
    """

    def __init__(self, name: str, args: RunnerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:kubernetes:Runner", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        labels = args.frame.cluster_labels("identity")
        here = k8s.meta.v1.ObjectMetaArgs(name=NAME, namespace=args.namespace, labels=labels)
        # Names of the cluster are shared: another site, or another estate, may stand in it too.
        wide = k8s.meta.v1.ObjectMetaArgs(name=args.frame.name("runner"), labels=labels)
        account = k8s.core.v1.ServiceAccount(
            NAME, metadata=here, automount_service_account_token=False, opts=child
        )
        role = k8s.rbac.v1.Role(NAME, metadata=here, rules=_in_the_namespace(), opts=child)
        reader = k8s.rbac.v1.ClusterRole(NAME, metadata=wide, rules=_in_the_cluster(), opts=child)
        subject = k8s.rbac.v1.SubjectArgs(kind="ServiceAccount", name=NAME, namespace=args.namespace)
        bound = pulumi.ResourceOptions(parent=self, depends_on=[account, role, reader])
        k8s.rbac.v1.RoleBinding(
            NAME, metadata=here, role_ref=_role("Role", NAME), subjects=[subject], opts=bound
        )
        k8s.rbac.v1.ClusterRoleBinding(
            NAME,
            metadata=wide,
            role_ref=_role("ClusterRole", args.frame.name("runner")),
            subjects=[subject],
            opts=bound,
        )
        self.register_outputs({"account": NAME})


def _role(kind: str, name: str) -> k8s.rbac.v1.RoleRefArgs:
    return k8s.rbac.v1.RoleRefArgs(api_group="rbac.authorization.k8s.io", kind=kind, name=name)


def _in_the_namespace() -> list[k8s.rbac.v1.PolicyRuleArgs]:
    look = ["get", "list", "watch"]
    return [
        _grant("", ["pods", "services", "resourcequotas"], look),
        _grant("apps", ["deployments"], [*look, "patch"]),
        _grant("batch", ["jobs"], [*look, "patch"]),
    ]


def _in_the_cluster() -> list[k8s.rbac.v1.PolicyRuleArgs]:
    return [_grant("", ["nodes", "pods"], ["get", "list"])]


def _grant(group: str, resources: list[str], verbs: list[str]) -> k8s.rbac.v1.PolicyRuleArgs:
    return k8s.rbac.v1.PolicyRuleArgs(api_groups=[group], resources=resources, verbs=verbs)
