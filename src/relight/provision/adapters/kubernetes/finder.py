"""Looks in a cluster for what an update may have created before it died.

Every object has the name that the program gave it, so that a second create never makes a second one; it is
looked up all the same, so that the engine's state has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from relight.errors import NotFound, RelightError
from relight.provision.adapters.kubernetes.access import ClusterAccess
from relight.provision.port import PendingCreate

_KINDS: Mapping[str, tuple[str, str, bool]] = {
    "kubernetes:apps/v1:Deployment": ("/apis/apps/v1", "deployments", True),
    "kubernetes:batch/v1:Job": ("/apis/batch/v1", "jobs", True),
    "kubernetes:core/v1:ConfigMap": ("/api/v1", "configmaps", True),
    "kubernetes:core/v1:LimitRange": ("/api/v1", "limitranges", True),
    "kubernetes:core/v1:Namespace": ("/api/v1", "namespaces", False),
    "kubernetes:core/v1:ResourceQuota": ("/api/v1", "resourcequotas", True),
    "kubernetes:core/v1:Service": ("/api/v1", "services", True),
    "kubernetes:core/v1:ServiceAccount": ("/api/v1", "serviceaccounts", True),
    "kubernetes:networking.k8s.io/v1:NetworkPolicy": (
        "/apis/networking.k8s.io/v1",
        "networkpolicies",
        True,
    ),
    "kubernetes:policy/v1:PodDisruptionBudget": ("/apis/policy/v1", "poddisruptionbudgets", True),
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole": (
        "/apis/rbac.authorization.k8s.io/v1",
        "clusterroles",
        False,
    ),
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": (
        "/apis/rbac.authorization.k8s.io/v1",
        "clusterrolebindings",
        False,
    ),
    "kubernetes:rbac.authorization.k8s.io/v1:Role": (
        "/apis/rbac.authorization.k8s.io/v1",
        "roles",
        True,
    ),
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": (
        "/apis/rbac.authorization.k8s.io/v1",
        "rolebindings",
        True,
    ),
    "kubernetes:scheduling.k8s.io/v1:PriorityClass": (
        "/apis/scheduling.k8s.io/v1",
        "priorityclasses",
        False,
    ),
}
"""Where objects of a type stand: the API's path, its word for them, whether in a namespace."""


class ClusterFinder:
    """See `Finder`, for what the components of a Kubernetes site make."""

    def __init__(self, access: ClusterAccess) -> None:
        self._access = access

    def find(self, sought: PendingCreate) -> str | None:
        """See Finder.find; the id is "namespace/name", or the name alone."""
        metadata = sought.inputs.get("metadata")
        name = metadata.get("name") if isinstance(metadata, Mapping) else None
        if sought.type not in _KINDS or not isinstance(metadata, Mapping) or not isinstance(name, str):
            raise RelightError(
                f"{sought.name} ({sought.type}) cannot be looked up",
                "look with kubectl; if it is there, import or delete it, then refresh",
            )
        api, plural, in_namespace = _KINDS[sought.type]
        namespace = str(metadata.get("namespace") or "default")
        within = f"/namespaces/{quote(namespace, safe='')}" if in_namespace else ""
        try:
            self._access.get(f"{api}{within}/{plural}/{quote(name, safe='')}")
        except NotFound:
            return None
        return f"{namespace}/{name}" if in_namespace else name
