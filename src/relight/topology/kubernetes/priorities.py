"""Priority classes: who waits, and who is moved, where workloads of several owners share a cluster."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from relight.estate import Workload
from relight.topology.frame import Frame

HIGH, LOW = "relight-high", "relight-low"
_HIGH_FROM = 100  # the priority that a workload has where none is declared


def class_of(workload: Workload) -> str:
    """Its priority class: low where it may be stopped for others, or is declared below the default."""
    return LOW if workload.may_be_stopped or workload.priority < _HIGH_FROM else HIGH


@dataclass(frozen=True)
class PrioritiesArgs:
    """Whose they are."""

    frame: Frame


class Priorities(pulumi.ComponentResource):
    """The two classes; they belong to the cluster, so that a second stack in it adopts them.

    Billed while asleep: nothing.
    """

    def __init__(self, name: str, args: PrioritiesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:kubernetes:Priorities", name, None, opts)
        # Below 1e9, where Kubernetes' own classes begin; what is low moves nobody.
        self._make(args, HIGH, 100_000, "PreemptLowerPriority", "work that comes back first")
        self._make(args, LOW, 100, "Never", "work that makes room for other work")
        self.register_outputs({"high": HIGH, "low": LOW})

    def _make(self, args: PrioritiesArgs, name: str, value: int, preemption: str, about: str) -> None:
        k8s.scheduling.v1.PriorityClass(
            name,
            metadata=k8s.meta.v1.ObjectMetaArgs(name=name, labels=args.frame.cluster_labels("compute")),
            value=value,
            preemption_policy=preemption,
            global_default=False,
            description=about,
            opts=pulumi.ResourceOptions(parent=self),
        )
