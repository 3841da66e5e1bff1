"""The runbook runner's rights in a cluster: enough to turn the knob where Pulumi's state is gone, no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from relight.estate.fitting import is_gang
from relight.topology.frame import Frame
from relight.topology.kubernetes.placement import Placed

NAME = "relight-runner"


@dataclass(frozen=True)
class RunnerArgs:
    """Whose it is, the namespace it is for, and the workloads that it may size."""

    frame: Frame
    namespace: str
    placed: Sequence[Placed]


class Runner(pulumi.ComponentResource):
    """A service account that may look at the namespace's workloads and change the estate's own.

    In the whole cluster it sees nodes and pods, to count the GPUs that are free, and no more. It has no token
    until somebody asks for one, and cannot read a Secret. But Kubernetes has no right to a size alone that a
    Job knows: who may patch a workload may have it run another image, with the Secrets of the namespace. So
    guard the token as you guard those. Billed while asleep: nothing.
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
        role = k8s.rbac.v1.Role(NAME, metadata=here, rules=_in_the_namespace(args.placed), opts=child)
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


def _in_the_namespace(placed: Sequence[Placed]) -> list[k8s.rbac.v1.PolicyRuleArgs]:
    """What is named is changed, and no neighbour's; a rule that names nothing would allow every one."""
    look = ["get", "list", "watch"]
    jobs = [each.name for each in placed if is_gang(each.workload)]
    deployments = [each.name for each in placed if not is_gang(each.workload)]
    changed = (("apps", "deployments", deployments), ("batch", "jobs", jobs))
    return [
        _grant("", ["pods", "services", "resourcequotas"], look),
        _grant("apps", ["deployments"], look),
        _grant("batch", ["jobs"], look),
        *(_grant(group, [kind], ["patch"], sorted(names)) for group, kind, names in changed if names),
    ]


def _in_the_cluster() -> list[k8s.rbac.v1.PolicyRuleArgs]:
    return [_grant("", ["nodes", "pods"], ["get", "list"])]


def _grant(
    group: str, resources: list[str], verbs: list[str], names: list[str] | None = None
) -> k8s.rbac.v1.PolicyRuleArgs:
    return k8s.rbac.v1.PolicyRuleArgs(
        api_groups=[group], resources=resources, verbs=verbs, resource_names=names
    )
