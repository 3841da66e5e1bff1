"""Rules about what faces the world: nothing does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from relight.topology.policy.subjects import UNKNOWN, Breach, Rule, Scene, Subject, at, each, is_true

_WORLD = frozenset({"0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1"})
_ANYBODY = frozenset({"allUsers", "allAuthenticatedUsers"})
_INTERNAL = (
    "service.beta.kubernetes.io/aws-load-balancer-scheme",
    "service.beta.kubernetes.io/aws-load-balancer-internal",
    "networking.gke.io/load-balancer-type",
    "cloud.google.com/load-balancer-type",
    "service.beta.kubernetes.io/azure-load-balancer-internal",
)
_FROM_SITES = "name the networks that need it"


def _no_way_in(subject: Subject, scene: Scene) -> Iterator[Breach]:  # noqa: ARG001 (every rule is asked alike)
    for cidr in sorted(_WORLD.intersection(_sources(subject))):
        yield f"the whole world ({cidr}) may come in", _FROM_SITES


def _sources(subject: Subject) -> Iterator[str]:
    """Networks that a firewall lets in."""
    inputs = subject.inputs
    match subject.type:
        case "aws:ec2/securityGroup:SecurityGroup" | "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup":
            for rule in each(inputs.get("ingress")):
                yield from each(at(rule, "cidrBlocks"))
                yield from each(at(rule, "ipv6CidrBlocks"))
        case "aws:ec2/securityGroupRule:SecurityGroupRule" if inputs.get("type") == "ingress":
            yield from each(inputs.get("cidrBlocks"))
            yield from each(inputs.get("ipv6CidrBlocks"))
        case "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":
            yield from (str(inputs.get(word)) for word in ("cidrIpv4", "cidrIpv6"))
        case "gcp:compute/firewall:Firewall" if inputs.get("direction", "INGRESS") == "INGRESS":
            if inputs.get("allows"):
                yield from each(inputs.get("sourceRanges"))
        case "gcp:container/cluster:Cluster":
            for block in each(at(inputs, "masterAuthorizedNetworksConfig", "cidrBlocks")):
                yield str(at(block, "cidrBlock"))
        case "kubernetes:networking.k8s.io/v1:NetworkPolicy":
            for rule in each(at(inputs, "spec", "ingress")):
                yield from (str(at(peer, "ipBlock", "cidr")) for peer in each(at(rule, "from")))
        case _:
            pass


def _no_public_address(subject: Subject, scene: Scene) -> Iterator[Breach]:  # noqa: ARG001
    inputs = subject.inputs
    match subject.type:
        case "aws:ec2/subnet:Subnet" if inputs.get("mapPublicIpOnLaunch") is True:
            yield "machines get public addresses by default", "write map_public_ip_on_launch=False"
        case "aws:ec2/instance:Instance" if inputs.get("associatePublicIpAddress") is True:
            yield "it has a public address", "leave associate_public_ip_address out"
        case "aws:ec2/launchTemplate:LaunchTemplate":
            if any(
                at(card, "associatePublicIpAddress") in (True, "true")
                for card in each(inputs.get("networkInterfaces"))
            ):
                yield "its machines have public addresses", 'write associate_public_ip_address="false"'
        case "aws:ec2/eip:Eip" if inputs.get("instance"):
            yield "a machine has a public address", "use NAT, or a load balancer"
        case (
            "gcp:compute/instance:Instance"
            | "gcp:compute/instanceTemplate:InstanceTemplate"
            | "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate"
        ):
            if any(at(card, "accessConfigs") for card in each(inputs.get("networkInterfaces"))):
                yield "its machines have public addresses", "leave access_configs out"
        case "gcp:container/nodePool:NodePool":
            if at(inputs, "networkConfig", "enablePrivateNodes") is False:
                yield "its nodes have public addresses", "write enable_private_nodes=True"
        case _:
            pass


def _no_public_endpoint(subject: Subject, scene: Scene) -> Iterator[Breach]:  # noqa: ARG001
    inputs = subject.inputs
    match subject.type:
        case "aws:eks/cluster:Cluster":
            if at(inputs, "vpcConfig", "endpointPublicAccess") not in (False, UNKNOWN):
                yield "its API is public", "write endpoint_public_access=False"
        case "gcp:container/cluster:Cluster" if not _is_private(inputs):
            yield "its API is public", "write enable_private_endpoint=True"
        case "aws:lb/loadBalancer:LoadBalancer" if not is_true(inputs.get("internal")):
            yield "it faces the world", "write internal=True"
        case (
            "gcp:compute/forwardingRule:ForwardingRule"
            | "gcp:compute/globalForwardingRule:GlobalForwardingRule"
        ):
            if str(inputs.get("loadBalancingScheme", "EXTERNAL")).startswith("EXTERNAL"):
                yield "it faces the world", 'write load_balancing_scheme="INTERNAL"'
        case "kubernetes:core/v1:Service" if at(inputs, "spec", "type") == "LoadBalancer":
            notes = at(inputs, "metadata", "annotations") or {}
            if not any(word in notes for word in _INTERNAL):
                yield "its load balancer faces the world", "annotate it as internal"
        case _:
            pass


def _is_private(inputs: Mapping[str, Any]) -> bool:
    declared = at(inputs, "controlPlaneEndpointsConfig", "ipEndpointsConfig")
    return (
        is_true(at(inputs, "privateClusterConfig", "enablePrivateEndpoint"))
        or at(declared, "enabled") is False
        or at(declared, "enablePublicEndpoint") is False
    )


def _nobody_knows_who(subject: Subject, scene: Scene) -> Iterator[Breach]:  # noqa: ARG001
    members = [subject.inputs.get("member"), *each(subject.inputs.get("members"))]
    for member in sorted(_ANYBODY.intersection(filter(None, map(str, members)))):
        yield f"{member} may use it", "name who may"
    for word in ("policy", "assumeRolePolicy"):
        for statement in _statements(subject.inputs.get(word)):
            if (
                statement.get("Effect") == "Allow"
                and _is_anybody(statement)
                and not statement.get("Condition")
            ):
                yield "its policy allows everybody", "name the principals"


def _statements(policy: Any) -> list[Mapping[str, Any]]:
    try:
        document = json.loads(policy) if isinstance(policy, str) and policy[:1] == "{" else {}
    except ValueError:
        return []
    found = document.get("Statement", [])
    statements = found if isinstance(found, list) else [found]
    return [statement for statement in statements if isinstance(statement, Mapping)]


def _is_anybody(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal")
    named = principal.get("AWS") if isinstance(principal, Mapping) else principal
    return named == "*" or (isinstance(named, list) and "*" in named)


RULES = (
    Rule("no-way-in", "no firewall lets the whole world in", _no_way_in),
    Rule("no-public-address", "no machine has a public address", _no_public_address),
    Rule("no-public-endpoint", "no endpoint faces the world", _no_public_endpoint),
    Rule("no-unknown-principal", "no policy allows everybody", _nobody_knows_who),
)
