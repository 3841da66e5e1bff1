"""A site in a Kubernetes cluster that is there: anybody's, on premises too."""

from relight.topology.kubernetes.access import provider
from relight.topology.kubernetes.site import Site

__all__ = ["Site", "provider"]
