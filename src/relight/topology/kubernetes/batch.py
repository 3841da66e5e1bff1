"""What runs to an end, as a Job that is suspended until the knob lets it go."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as k8s

from relight.provision import annotate_sizes
from relight.topology.kubernetes.objects import NO_WAIT, OURS, UNTIL_THERE, WorkloadArgs
from relight.topology.kubernetes.pods import pod_template

_FAILURES = 20  # of pods, those by disruption not counted, until the job is given up
_ENDED_WITHIN = "20m"  # pods have ten minutes to seal their last points, then their nodes end them
_RENDEZVOUS = 29500  # PyTorch's own default


class Batch(pulumi.ComponentResource):
    """An indexed Job, a pod per rank's node, and a headless Service by which the pods find each other.

    `sized` is what the knob turns. The Job runs whole or not at all: its parallelism is the declared one, and
    only `suspend` follows the pool, which ends its pods and keeps the Job. A Job that has come to its end
    stays there: it runs anew only under a changed declaration. No disruption budget: a node that is emptied
    ends the pod with time to seal a point, and one held by a budget could not be emptied at all.
    A changed declaration replaces the Job, once its pods are gone: two would write. While it runs it is
    protected, and an update that would replace or delete it fails: set its pool to 0 before.
    Billed while asleep: nothing; there is no pod.
    """

    def __init__(self, name: str, args: WorkloadArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:kubernetes:Batch", name, None, opts)
        self._name, self._args, child = name, args, pulumi.ResourceOptions(parent=self)
        account = k8s.core.v1.ServiceAccount(
            name, metadata=args.metadata(), automount_service_account_token=False, opts=child
        )
        self._make_names(child)
        self.sized: pulumi.CustomResource = k8s.batch.v1.Job(
            name,
            metadata=args.metadata(UNTIL_THERE | OURS | annotate_sizes(args.placed.sizes)),
            spec=self._spec(),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[account],
                protect=args.placed.replicas > 0,
                custom_timeouts=pulumi.CustomTimeouts(delete=_ENDED_WITHIN),
            ),
        )
        self.register_outputs({"job": self.sized.urn})

    def _spec(self) -> k8s.batch.v1.JobSpecArgs:
        placed = self._args.placed
        environment = {"MASTER_ADDR": f"{placed.name}-0.{placed.name}", "MASTER_PORT": str(_RENDEZVOUS)}
        return k8s.batch.v1.JobSpecArgs(
            suspend=placed.replicas == 0,
            parallelism=placed.wanted,
            completions=placed.wanted,
            completion_mode="Indexed",
            backoff_limit=_FAILURES,
            pod_replacement_policy="Failed",  # a rank's successor starts when it is gone: one writer each
            pod_failure_policy=_forgive_disruptions(),
            template=pod_template(
                self._args.frame,
                placed,
                environment=environment if placed.wanted > 1 else None,
                runs_once=True,
            ),
        )

    def _make_names(self, opts: pulumi.ResourceOptions) -> None:
        """Names of pods, before they are ready: they become ready by finding each other."""
        k8s.core.v1.Service(
            self._name,
            metadata=self._args.metadata(NO_WAIT),
            spec=k8s.core.v1.ServiceSpecArgs(
                cluster_ip="None",
                publish_not_ready_addresses=True,
                selector=self._args.placed.selector,
                ports=[k8s.core.v1.ServicePortArgs(name="rendezvous", port=_RENDEZVOUS)],
            ),
            opts=opts,
        )


def _forgive_disruptions() -> k8s.batch.v1.PodFailurePolicyArgs:
    """A pod that was moved, or whose node died, did not fail."""
    moved = k8s.batch.v1.PodFailurePolicyOnPodConditionsPatternArgs(type="DisruptionTarget", status="True")
    rule = k8s.batch.v1.PodFailurePolicyRuleArgs(action="Ignore", on_pod_conditions=[moved])
    return k8s.batch.v1.PodFailurePolicyArgs(rules=[rule])
