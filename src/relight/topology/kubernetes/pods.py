"""The pods of a workload: where they may run, what they take, and what they must not do."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi_kubernetes as k8s

from relight.topology.frame import Frame
from relight.topology.kubernetes.placement import Placed
from relight.topology.kubernetes.priorities import class_of

_HOST, _ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
_PORT = "serving"
_SERVING_GRACE = 60  # seconds for requests under way
_SEALING_GRACE = 600  # seconds to finish a step and seal a last point
_SHARED_MEMORY = "shared-memory"


def pod_template(
    frame: Frame, placed: Placed, *, environment: Mapping[str, str] | None = None, runs_once: bool = False
) -> k8s.core.v1.PodTemplateSpecArgs:
    """The template of a workload's pods; `environment` is added to its own, which wins."""
    shared_memory = k8s.core.v1.VolumeArgs(
        name=_SHARED_MEMORY, empty_dir=k8s.core.v1.EmptyDirVolumeSourceArgs(medium="Memory")
    )
    return k8s.core.v1.PodTemplateSpecArgs(
        metadata=k8s.meta.v1.ObjectMetaArgs(labels=placed.labels(frame)),
        spec=k8s.core.v1.PodSpecArgs(
            containers=[_container(placed, environment or {}, probed=not runs_once)],
            volumes=[shared_memory],
            restart_policy="Never" if runs_once else "Always",
            subdomain=placed.name if runs_once else None,
            service_account_name=placed.name,
            automount_service_account_token=False,
            enable_service_links=False,
            priority_class_name=class_of(placed.workload),
            node_selector=placed.pool.selector if placed.gpus else None,
            tolerations=_tolerations(placed),
            affinity=_close_together(placed) if runs_once else None,
            topology_spread_constraints=None if runs_once else _spread(placed),
            termination_grace_period_seconds=_SEALING_GRACE if runs_once else _SERVING_GRACE,
            security_context=k8s.core.v1.PodSecurityContextArgs(
                run_as_non_root=not placed.container.runs_as_root,
                seccomp_profile=k8s.core.v1.SeccompProfileArgs(type="RuntimeDefault"),
            ),
        ),
    )


def _container(placed: Placed, environment: Mapping[str, str], *, probed: bool) -> k8s.core.v1.ContainerArgs:
    container = placed.container
    values = {**environment, **container.environment}
    gpus = {placed.pool.resource: str(placed.gpus)} if placed.gpus else None
    port = container.port if probed else None
    return k8s.core.v1.ContainerArgs(
        name=placed.name,
        image=container.image,
        # By digest an image is what it was: a node that has it starts without the registry.
        image_pull_policy="IfNotPresent" if "@sha256:" in container.image else "Always",
        command=list(container.command) or None,
        env=[k8s.core.v1.EnvVarArgs(name=key, value=value) for key, value in sorted(values.items())],
        env_from=[
            k8s.core.v1.EnvFromSourceArgs(secret_ref=k8s.core.v1.SecretEnvSourceArgs(name=secret))
            for secret in container.secrets
        ],
        ports=[k8s.core.v1.ContainerPortArgs(name=_PORT, container_port=container.port)]
        if container.port
        else None,
        resources=k8s.core.v1.ResourceRequirementsArgs(requests=gpus, limits=gpus) if gpus else None,
        # Ranks on a node, and loaders of data, speak through it: the 64 MiB that a runtime gives end both.
        volume_mounts=[k8s.core.v1.VolumeMountArgs(name=_SHARED_MEMORY, mount_path="/dev/shm")],  # noqa: S108
        startup_probe=_probe(period=10, failures=180) if port else None,  # half an hour to load weights
        readiness_probe=_probe(period=5, failures=3) if port else None,
        liveness_probe=_probe(period=20, failures=6) if port else None,
        security_context=k8s.core.v1.SecurityContextArgs(
            allow_privilege_escalation=False,
            privileged=False,
            capabilities=k8s.core.v1.CapabilitiesArgs(drop=["ALL"]),
        ),
    )


def _probe(*, period: int, failures: int) -> k8s.core.v1.ProbeArgs:
    return k8s.core.v1.ProbeArgs(
        tcp_socket=k8s.core.v1.TCPSocketActionArgs(port=_PORT),
        period_seconds=period,
        timeout_seconds=2,
        failure_threshold=failures,
    )


def _tolerations(placed: Placed) -> list[k8s.core.v1.TolerationArgs] | None:
    if not placed.gpus:
        return None
    return [k8s.core.v1.TolerationArgs(key=key, operator="Exists") for key in placed.pool.tolerate]


def _spread(placed: Placed) -> list[k8s.core.v1.TopologySpreadConstraintArgs]:
    """Over zones, and over hosts where no workload of the pool has larger replicas.

    Small replicas spread over all hosts would leave a piece of each, and no room for one that needs a whole
    node, though the pool has the GPUs for it.
    """
    over = (_ZONE, _HOST) if placed.gpus >= placed.largest else (_ZONE,)
    return [
        k8s.core.v1.TopologySpreadConstraintArgs(
            topology_key=key,
            max_skew=1,
            when_unsatisfiable="ScheduleAnyway",  # half a site is better than none
            label_selector=k8s.meta.v1.LabelSelectorArgs(match_labels=placed.selector),
        )
        for key in over
    ]


def _close_together(placed: Placed) -> k8s.core.v1.AffinityArgs:
    """Ranks in one zone, if they fit: their collectives cross whatever lies between them."""
    term = k8s.core.v1.PodAffinityTermArgs(
        topology_key=_ZONE, label_selector=k8s.meta.v1.LabelSelectorArgs(match_labels=placed.selector)
    )
    preferred = k8s.core.v1.WeightedPodAffinityTermArgs(weight=100, pod_affinity_term=term)
    return k8s.core.v1.AffinityArgs(
        pod_affinity=k8s.core.v1.PodAffinityArgs(
            preferred_during_scheduling_ignored_during_execution=[preferred]
        )
    )
