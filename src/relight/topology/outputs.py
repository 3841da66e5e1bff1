"""What a cloud would answer: the computed outputs and looked-up values that a program under mocks is given.

Two explicit tables, `COMPUTED` by type and `CALLS` by function; a component that reads another output adds
its row here. Every resource has an `id` (`{name}-id`) and its own inputs as outputs without a row;
resources of AWS have an `arn`, those of Google Cloud a `selfLink`, those of Kubernetes a `metadata.name`.
Addresses are the documentation's (RFC 5737), accounts plainly made up. A call's arguments always have a
`region`: its provider's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

ACCOUNT = "111122223333"
PROJECT = "relight-example"


@dataclass(frozen=True)
class Made:
    """A resource just declared: its type, logical name, id, inputs (by wire names) and where it is."""

    type: str
    name: str
    id: str
    inputs: Mapping[str, Any]
    region: str = "us-east-1"
    project: str = PROJECT

    @property
    def arn(self) -> str:
        """What AWS would call it: the service is the type's module, the kind its last word."""
        _, module, kind = self.type.split(":", 2)
        return f"arn:aws:{module.split('/')[0]}:{self.region}:{ACCOUNT}:{kind.lower()}/{self.name}"

    @property
    def own_name(self) -> str:
        """The name it has in the cloud: the one given, else the logical one."""
        return str(self.inputs.get("name") or self.inputs.get("bucket") or self.name)


Row = Mapping[str, Any]
Computed = Row | Callable[[Made], Row]
Answer = Row | Callable[[Mapping[str, Any]], Row]


def _tunnels(made: Made) -> Mapping[str, Any]:
    sides = ("tunnel1", "tunnel2")
    addresses = {f"{side}Address": f"192.0.2.{10 + at}" for at, side in enumerate(sides)}
    inside = {f"{side}VgwInsideAddress": f"169.254.{10 + at}.1" for at, side in enumerate(sides)}
    own = {f"{side}CgwInsideAddress": f"169.254.{10 + at}.2" for at, side in enumerate(sides)}
    attachment = {"transitGatewayAttachmentId": f"{made.name}-attachment"}
    keys = {f"{side}PresharedKey": made.inputs.get(f"{side}PresharedKey", "made-up-key") for side in sides}
    return addresses | inside | own | attachment | keys


def _service_account(made: Made) -> Mapping[str, Any]:
    email = f"{made.inputs.get('accountId', made.name)}@{made.project}.iam.gserviceaccount.com"
    return {"email": email, "member": f"serviceAccount:{email}"}


COMPUTED: dict[str, Computed] = {
    # AWS
    "aws:ec2/eip:Eip": lambda made: {"publicIp": "192.0.2.1", "allocationId": f"{made.name}-allocation"},
    "aws:ec2/launchTemplate:LaunchTemplate": {"latestVersion": 1, "defaultVersion": 1},
    "aws:ec2/natGateway:NatGateway": {"publicIp": "192.0.2.2"},
    "aws:ec2/vpc:Vpc": lambda made: {
        "defaultSecurityGroupId": f"{made.name}-default-security-group",
        "defaultRouteTableId": f"{made.name}-default-routes",
        "defaultNetworkAclId": f"{made.name}-default-acl",
        "mainRouteTableId": f"{made.name}-main-routes",
    },
    "aws:ec2/vpnConnection:VpnConnection": _tunnels,
    "aws:ec2/vpnGateway:VpnGateway": lambda made: {
        "amazonSideAsn": made.inputs.get("amazonSideAsn", "64512")
    },
    "aws:ec2transitgateway/transitGateway:TransitGateway": lambda made: {
        "associationDefaultRouteTableId": f"{made.name}-association-routes",
        "propagationDefaultRouteTableId": f"{made.name}-propagation-routes",
    },
    "aws:eks/cluster:Cluster": lambda made: {
        "endpoint": f"https://{made.name}.eks.example.com",
        "certificateAuthority": {"data": "bWFkZSB1cA=="},
        "identities": [{"oidcs": [{"issuer": f"https://oidc.example.com/id/{made.name}"}]}],
        "status": "ACTIVE",
        "kubernetesNetworkConfig": {"serviceIpv4Cidr": "172.20.0.0/16"},
        "vpcConfig": {
            **made.inputs.get("vpcConfig", {}),
            "clusterSecurityGroupId": f"{made.name}-cluster-group",
        },
    },
    "aws:eks/nodeGroup:NodeGroup": lambda made: {
        "status": "ACTIVE",
        "resources": [{"autoscalingGroups": [{"name": f"{made.name}-group"}]}],
    },
    "aws:fsx/lustreFileSystem:LustreFileSystem": lambda made: {
        "dnsName": f"{made.name}.fsx.example.com",
        "mountName": "relight",
    },
    "aws:iam/role:Role": lambda made: {"uniqueId": f"{made.name}-unique"},
    "aws:kms/key:Key": lambda made: {"keyId": f"{made.name}-key"},
    "aws:kms/replicaKey:ReplicaKey": lambda made: {"keyId": f"{made.name}-key"},
    "aws:route53/zone:Zone": lambda made: {
        "zoneId": f"{made.name}-zone",
        "nameServers": ["ns1.example.net", "ns2.example.org"],
    },
    "aws:route53recoverycontrol/cluster:Cluster": {
        "clusterEndpoints": [
            {"endpoint": f"https://{region}.recovery.example.com", "region": region}
            for region in ("us-east-1", "us-west-2", "eu-west-1", "ap-northeast-1", "ap-southeast-2")
        ],
    },
    "aws:route53recoverycontrol/controlPanel:ControlPanel": {"defaultControlPanel": False},
    "aws:s3/bucket:Bucket": lambda made: {
        "bucket": made.own_name,
        "bucketRegionalDomainName": f"{made.own_name}.s3.{made.region}.amazonaws.com",
        "arn": f"arn:aws:s3:::{made.own_name}",
    },
    # Google Cloud
    "gcp:compute/address:Address": {"address": "192.0.2.3"},
    "gcp:compute/globalAddress:GlobalAddress": {"address": "192.0.2.4"},
    "gcp:compute/haVpnGateway:HaVpnGateway": {
        "vpnInterfaces": [{"id": at, "ipAddress": f"198.51.100.{10 + at}"} for at in (0, 1)],
    },
    "gcp:compute/instanceGroupManager:InstanceGroupManager": lambda made: {
        "instanceGroup": f"{made.name}-group",
    },
    "gcp:compute/network:Network": {"gatewayIpv4": "192.0.2.5", "networkId": "1"},
    "gcp:compute/subnetwork:Subnetwork": {"gatewayAddress": "192.0.2.6"},
    "gcp:container/cluster:Cluster": {
        "endpoint": "192.0.2.7",
        "masterAuth": {"clusterCaCertificate": "bWFkZSB1cA=="},
    },
    "gcp:dns/managedZone:ManagedZone": {"nameServers": ["ns1.example.net.", "ns2.example.org."]},
    "gcp:filestore/instance:Instance": lambda made: {
        "networks": [
            {**network, "ipAddresses": ["192.0.2.8"]} for network in made.inputs.get("networks", [])
        ],
    },
    "gcp:lustre/instance:Instance": {"mountPoint": "192.0.2.9@tcp:/relight"},
    "gcp:serviceaccount/account:Account": _service_account,
    "gcp:storage/bucket:Bucket": lambda made: {"url": f"gs://{made.own_name}"},
}


def _policy_document(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"json": '{"Version":"2012-10-17","Statement":[]}', "statements": arguments.get("statements", [])}


def _zones(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    region = arguments.get("region") or "us-east-1"
    names = [f"{region}{letter}" for letter in "abc"]
    return {"id": region, "names": names, "zoneIds": [f"{name}-zone" for name in names], "state": "available"}


CALLS: dict[str, Answer] = {
    "aws:ec2/getAmi:getAmi": {
        "id": "ami-0123456789abcdef0",
        "imageId": "ami-0123456789abcdef0",
        "rootDeviceName": "/dev/sda1",
    },
    "aws:ec2/getSubnets:getSubnets": {"id": "subnets", "ids": ["subnet-0a", "subnet-0b"]},
    "aws:ec2/getVpc:getVpc": lambda arguments: {
        "id": arguments.get("id", "vpc-0a"),
        "cidrBlock": "10.0.0.0/16",
        "arn": f"arn:aws:ec2:us-east-1:{ACCOUNT}:vpc/vpc-0a",
    },
    "aws:eks/getCluster:getCluster": lambda arguments: {
        "id": arguments.get("name", "cluster"),
        "name": arguments.get("name", "cluster"),
        "endpoint": "https://adopted.eks.example.com",
        "certificateAuthorities": [{"data": "bWFkZSB1cA=="}],
        "identities": [{"oidcs": [{"issuer": "https://oidc.example.com/id/adopted"}]}],
        "vpcConfig": {
            "clusterSecurityGroupId": "sg-0a",
            "subnetIds": ["subnet-0a", "subnet-0b"],
            "vpcId": "vpc-0a",
        },
    },
    "aws:iam/getPolicyDocument:getPolicyDocument": _policy_document,
    "aws:index/getAvailabilityZones:getAvailabilityZones": _zones,
    "aws:index/getCallerIdentity:getCallerIdentity": {
        "id": ACCOUNT,
        "accountId": ACCOUNT,
        "arn": f"arn:aws:iam::{ACCOUNT}:user/relight",
        "userId": "relight",
    },
    "aws:index/getPartition:getPartition": {
        "id": "aws",
        "partition": "aws",
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
    },
    "aws:index/getRegion:getRegion": {
        "id": "us-east-1",
        "region": "us-east-1",
        "name": "us-east-1",
    },
    "aws:route53/getZone:getZone": lambda arguments: {
        "id": arguments.get("zoneId", "zone-0a"),
        "zoneId": arguments.get("zoneId", "zone-0a"),
        "name": arguments.get("name", "example.com"),
        "nameServers": ["ns1.example.net", "ns2.example.org"],
    },
    "gcp:compute/getZones:getZones": lambda arguments: {
        "id": arguments.get("region", "us-central1"),
        "names": [f"{arguments.get('region', 'us-central1')}-{letter}" for letter in "abc"],
        "project": PROJECT,
    },
    "gcp:organizations/getProject:getProject": {
        "id": f"projects/{PROJECT}",
        "projectId": PROJECT,
        "number": "123456789012",
        "name": PROJECT,
    },
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": {
        "id": "storage",
        "emailAddress": "service-123456789012@gs-project-accounts.iam.gserviceaccount.com",
        "member": "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com",
    },
}


def _settled(key: str, value: Any) -> Any:
    """AWS takes a policy as a document as well, and always answers with its text."""
    is_document = key in ("policy", "assumeRolePolicy") and isinstance(value, dict)
    return json.dumps(value) if is_document else value


def compute(made: Made) -> dict[str, Any]:
    """All the resource answers with: its inputs, what its cloud always gives, and its row of the table."""
    state = {key: _settled(key, value) for key, value in made.inputs.items()}
    package = made.type.split(":", 1)[0]
    if package == "kubernetes":
        metadata = made.inputs.get("metadata") or {}
        return state | {"metadata": {"name": made.name, **metadata}}
    state.setdefault("name", made.name)
    if package == "aws":
        state |= {"arn": made.arn, "region": made.inputs.get("region", made.region)}
        state |= {"tagsAll": made.inputs.get("tags", {})}
    if package == "gcp":
        _, module, kind = made.type.split(":", 2)
        link = f"https://www.googleapis.com/{module.split('/')[0]}/v1/projects/{made.project}/{kind.lower()}s"
        state |= {"selfLink": f"{link}/{made.own_name}", "project": made.inputs.get("project", made.project)}
    row = COMPUTED.get(made.type, {})
    return state | dict(row(made) if callable(row) else row)


def answer(token: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What a function of an SDK answers. Raise KeyError for one without a row."""
    row = CALLS[token]
    return dict(row(arguments) if callable(row) else row)
