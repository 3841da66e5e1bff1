"""Rules about tags and labels: whose it is, where it stands, whom to call, what is lost with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from relight.topology.policy.subjects import UNKNOWN, Breach, Rule, Scene, Subject, at

KEYS = ("estate", "site", "owner", "class")

_TAGGED = {
    "aws:ec2": "capacityReservation customerGateway defaultSecurityGroup egressOnlyInternetGateway eip "
    "flowLog instance internetGateway keyPair launchTemplate natGateway networkAcl networkInterface "
    "placementGroup routeTable securityGroup subnet vpc vpcEndpoint vpcPeeringConnection vpnConnection "
    "vpnGateway",
    "aws:ec2transitgateway": "peeringAttachment peeringAttachmentAccepter routeTable transitGateway "
    "vpcAttachment instanceConnectEndpoint",
    "aws:ebs": "volume",
    "aws:ec2clientvpn": "endpoint",
    "aws:vpc": "securityGroupEgressRule securityGroupIngressRule",
    "aws:eks": "accessEntry addon cluster fargateProfile nodeGroup podIdentityAssociation",
    "aws:fsx": "dataRepositoryAssociation lustreFileSystem",
    "aws:iam": "instanceProfile openIdConnectProvider policy role user",
    "aws:kms": "key replicaKey",
    "aws:s3": "bucket",
    "aws:lb": "loadBalancer targetGroup",
    "aws:autoscaling": "group",
    "aws:cloudwatch": "logGroup metricAlarm",
    "aws:route53": "healthCheck zone",
    "aws:route53recoverycontrol": "cluster controlPanel safetyRule",
}
_LABELLED = {
    "gcp:compute": "address disk externalVpnGateway forwardingRule globalAddress haVpnGateway image "
    "instance instanceTemplate regionInstanceTemplate vPNTunnel",
    "gcp:container": "cluster",
    "gcp:dns": "managedZone",
    "gcp:filestore": "instance",
    "gcp:kms": "cryptoKey",
    "gcp:lustre": "instance",
    "gcp:storage": "bucket",
}


def _types(table: Mapping[str, str]) -> frozenset[str]:
    return frozenset(
        f"{module}/{kind}:{kind[0].upper()}{kind[1:]}"
        for module, kinds in table.items()
        for kind in kinds.split()
    )


TAGGED, LABELLED = _types(_TAGGED), _types(_LABELLED)
"""Types of AWS that take tags, and of Google Cloud that take labels, as far as sites are made of them."""


def _labelled(subject: Subject, scene: Scene) -> Iterator[Breach]:
    if subject.type in TAGGED:
        found, prefix = _tags(subject.inputs.get("tags")), "relight:"
    elif subject.type in LABELLED:
        word = "resourceLabels" if subject.type == "gcp:container/cluster:Cluster" else "labels"
        found, prefix = subject.inputs.get(word), "relight-"
    elif subject.type.startswith("kubernetes:") and isinstance(subject.inputs.get("metadata"), Mapping):
        found, prefix = at(subject.inputs, "metadata", "labels"), "relight.dev/"
    else:
        return
    if found == UNKNOWN:
        return
    missing = [f"{prefix}{key}" for key in KEYS if not at(found, f"{prefix}{key}")]
    if missing:
        yield f"it does not say {', '.join(missing)}", "give it the tags of its frame"
    elif at(found, f"{prefix}site") not in (scene.stack, UNKNOWN):
        yield (
            f"it says {at(found, f'{prefix}site')}, and stands in {scene.stack}",
            "give it the tags of its frame",
        )


def _tags(tags: Any) -> Any:
    """Auto Scaling writes its tags as a list of keys and values."""
    if isinstance(tags, list):
        return {at(tag, "key"): at(tag, "value") for tag in tags}
    return tags


RULES = (
    Rule("labelled", "everything says whose it is, where, whom to call, and what is lost with it", _labelled),
)
