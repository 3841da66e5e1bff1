"""What a node of one's own image is told, so that it joins the cluster."""

from __future__ import annotations

from base64 import b64encode

_BOUNDARY = "relight"


def join_cluster(*, name: str, endpoint: str, authority: str, services: str) -> str:
    """User data for nodeadm, in base64: EKS adds none of its own where a template names the image.

    The image must have nodeadm (Amazon Linux 2023 of EKS, or one that is built on it). `authority` is the
    cluster's certificate in base64, `services` the network of its services.
    """
    config = "\n".join(
        [
            "apiVersion: node.eks.aws/v1alpha1",
            "kind: NodeConfig",
            "spec:",
            "  cluster:",
            f"    name: {name}",
            f"    apiServerEndpoint: {endpoint}",
            f"    certificateAuthority: {authority}",
            f"    cidr: {services}",
        ]
    )
    parts = [
        "MIME-Version: 1.0",
        f'Content-Type: multipart/mixed; boundary="{_BOUNDARY}"',
        "",
        f"--{_BOUNDARY}",
        "Content-Type: application/node.eks.aws",
        "",
        config,
        "",
        f"--{_BOUNDARY}--",
        "",
    ]
    return b64encode("\n".join(parts).encode()).decode()
