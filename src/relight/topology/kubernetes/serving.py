"""What serves, as a Deployment that the knob sizes."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as k8s

from relight.provision import annotate_sizes
from relight.topology.kubernetes.objects import NO_WAIT, OURS, WorkloadArgs
from relight.topology.kubernetes.pods import pod_template


class Serving(pulumi.ComponentResource):
    """A Deployment with its service account and disruption budget, and a Service where it has a port.

    `sized` is what the knob turns. The Service is reached from inside the cluster: what leads to it from
    outside is the cluster's ingress or gateway. While it has pods it is protected: an update that would
    delete it fails. Billed while asleep: nothing; there is no pod.
    """

    def __init__(self, name: str, args: WorkloadArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:kubernetes:Serving", name, None, opts)
        self._name, self._args, self._child = name, args, pulumi.ResourceOptions(parent=self)
        account = k8s.core.v1.ServiceAccount(
            name, metadata=args.metadata(), automount_service_account_token=False, opts=self._child
        )
        self.sized: pulumi.CustomResource = k8s.apps.v1.Deployment(
            name,
            metadata=args.metadata(NO_WAIT | OURS | annotate_sizes(args.placed.sizes)),
            spec=self._spec(),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[account], protect=args.placed.replicas > 0),
        )
        self._make_budget()
        if args.placed.container.port is not None:
            self._make_service(args.placed.container.port)
        self.register_outputs({"deployment": self.sized.urn})

    def _spec(self) -> k8s.apps.v1.DeploymentSpecArgs:
        placed = self._args.placed
        return k8s.apps.v1.DeploymentSpecArgs(
            replicas=placed.replicas,
            selector=k8s.meta.v1.LabelSelectorArgs(match_labels=placed.selector),
            template=pod_template(self._args.frame, placed),
            strategy=_strategy(writes=placed.workload.writes_points),
            revision_history_limit=3,
        )

    def _make_budget(self) -> None:
        """One pod at a time leaves a node that is emptied; the number of pods does not stand in it."""
        k8s.policy.v1.PodDisruptionBudget(
            self._name,
            metadata=self._args.metadata(),
            spec=k8s.policy.v1.PodDisruptionBudgetSpecArgs(
                max_unavailable=1,
                selector=k8s.meta.v1.LabelSelectorArgs(match_labels=self._args.placed.selector),
                unhealthy_pod_eviction_policy="AlwaysAllow",
            ),
            opts=self._child,
        )

    def _make_service(self, port: int) -> None:
        k8s.core.v1.Service(
            self._name,
            metadata=self._args.metadata(NO_WAIT),
            spec=k8s.core.v1.ServiceSpecArgs(
                type="ClusterIP",
                selector=self._args.placed.selector,
                ports=[k8s.core.v1.ServicePortArgs(name="serving", port=port, target_port="serving")],
            ),
            opts=self._child,
        )


def _strategy(*, writes: bool) -> k8s.apps.v1.DeploymentStrategyArgs:
    """How pods are replaced: never one more than there are GPUs for, and never two that write."""
    if writes:
        return k8s.apps.v1.DeploymentStrategyArgs(type="Recreate")
    return k8s.apps.v1.DeploymentStrategyArgs(
        type="RollingUpdate",
        rolling_update=k8s.apps.v1.RollingUpdateDeploymentArgs(max_surge=0, max_unavailable=1),
    )
