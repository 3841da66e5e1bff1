"""How a stack reaches a cluster."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as k8s

from relight.estate import ClusterSite
from relight.topology.frame import Frame


def provider(frame: Frame, site: ClusterSite, opts: pulumi.ResourceOptions | None = None) -> k8s.Provider:
    """The provider of a site's cluster; its kubeconfig is a secret in the state.

    The cluster is called by the site's name: by default Pulumi guesses from the kubeconfig whether it is
    another one, and would replace everything when an address or a certificate is renewed.
    """
    reference = site.credentials.kubeconfig
    return k8s.Provider(
        frame.stack,
        k8s.ProviderArgs(
            kubeconfig=pulumi.Output.secret(frame.resolve(reference)) if reference else None,
            context=site.credentials.context,
            cluster_identifier=frame.name(),
            namespace=site.namespace,
            enable_server_side_apply=True,
        ),
        opts,
    )
