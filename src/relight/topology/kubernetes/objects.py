"""What the objects of a workload have in common: name, labels, and how Pulumi treats those that are sized."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi_kubernetes as k8s

from relight.topology.frame import Frame
from relight.topology.kubernetes.placement import Placed

NO_WAIT = {"pulumi.com/skipAwait": "true"}
"""An update ends once the cluster has taken it. Not for Jobs: it also ends a deletion before it is done.

Pulumi would wait ten minutes for pods of a Deployment, and for those behind a Service, and then call the
update failed, though loading weights takes longer and the nodes may only just be coming. Whoever turns the
knob asks for the nodes that are up.
"""

UNTIL_THERE = {"pulumi.com/waitFor": "jsonpath={.metadata.uid}"}
"""An update of a Job ends once the cluster has it, and its deletion once the last pod is gone.

Pulumi would wait for a Job until it has ended: weeks for a training, for ever while it is suspended. A Job of
another declaration replaces the old one under the same name, which is free when the old ranks have sealed
their last points and ended; to create it earlier is refused.
"""

OURS = {"pulumi.com/patchForce": "true"}
"""The size is the intent's, whoever set another: an autoscaler, `kubectl scale`, or Relight's own fallback.

Each of those becomes a manager of the field, and a server-side apply of another size would be refused as a
conflict. Only sized objects have it: elsewhere a conflict is to be seen.
"""


@dataclass(frozen=True)
class WorkloadArgs:
    """A workload, placed; the namespace it runs in."""

    frame: Frame
    placed: Placed
    namespace: str

    def metadata(self, annotations: dict[str, str] | None = None) -> k8s.meta.v1.ObjectMetaArgs:
        """Name, namespace and labels of one of its objects; the name is given, so that people find it."""
        return k8s.meta.v1.ObjectMetaArgs(
            name=self.placed.name,
            namespace=self.namespace,
            labels=self.placed.labels(self.frame),
            annotations=annotations,
        )
