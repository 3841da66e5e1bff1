"""How a cloud bills each type of resource, and which of them cost money while every pool is at 0.

No prices: those change, and differ by region. What does not change is the way of billing, and that is what
decides whether a standby is cheap: a NAT gateway costs by the hour although nothing runs, a launch template
never does. Every type that a component uses has a row in `BILLED`; a row is a `Billing`, or a function of
the inputs where a size or a kind decides. It says nothing of prices: those are on the clouds' own pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Way = Literal["by the hour", "by the month", "by what is stored", "per request", "free"]


@dataclass(frozen=True)
class Billing:
    """The way of billing, whether it is billed while asleep (all pools at 0), and what to know."""

    way: Way
    asleep: bool = False
    note: str = ""


Row = Billing | Callable[[Mapping[str, Any]], Billing]

FREE = Billing("free")
PER_REQUEST = Billing("per request")


def _hourly(note: str) -> Billing:
    return Billing("by the hour", asleep=True, note=note)


def _monthly(note: str) -> Billing:
    return Billing("by the month", asleep=True, note=note)


def _stored(note: str) -> Billing:
    return Billing("by what is stored", asleep=True, note=note)


def _nodes(count: Any) -> Billing:
    """What costs by its nodes: nothing at 0."""
    if not count:
        return Billing("by the hour", note="its nodes; none while asleep")
    return _hourly(f"its nodes: {count} now")


def _endpoint(inputs: Mapping[str, Any]) -> Billing:
    if inputs.get("vpcEndpointType", "Gateway") == "Gateway":
        return Billing("free", note="gateway endpoints are")
    return _hourly("each interface endpoint in each zone")


def _asg(inputs: Mapping[str, Any]) -> Billing:
    warm = inputs.get("warmPool")
    if warm and (warm.get("minSize") or warm.get("maxGroupPreparedCapacity")):
        return _hourly("its nodes and the volumes of its warm pool")
    return _nodes(max(inputs.get("minSize") or 0, inputs.get("desiredCapacity") or 0))


def _node_group(inputs: Mapping[str, Any]) -> Billing:
    return _nodes((inputs.get("scalingConfig") or {}).get("desiredSize"))


def _node_pool(inputs: Mapping[str, Any]) -> Billing:
    scaling = inputs.get("autoscaling") or {}
    floor = scaling.get("minNodeCount") or scaling.get("totalMinNodeCount")
    return _nodes(inputs.get("nodeCount") or inputs.get("initialNodeCount") or floor)


def _address(inputs: Mapping[str, Any]) -> Billing:
    return FREE if inputs.get("addressType") == "INTERNAL" else _hourly("a public address, used or not")


def _logs(inputs: Mapping[str, Any]) -> Billing:
    days = inputs.get("retentionInDays")
    return _stored(f"what was logged, for {days} days" if days else "what was logged, for ever")


_AWS_FREE = """
    autoscaling/tag:Tag autoscaling/lifecycleHook:LifecycleHook autoscaling/policy:Policy
    ec2/customerGateway:CustomerGateway ec2/defaultSecurityGroup:DefaultSecurityGroup
    ec2/internetGateway:InternetGateway ec2/launchTemplate:LaunchTemplate
    ec2/mainRouteTableAssociation:MainRouteTableAssociation ec2/placementGroup:PlacementGroup
    ec2/route:Route ec2/routeTable:RouteTable ec2/routeTableAssociation:RouteTableAssociation
    ec2/securityGroup:SecurityGroup ec2/securityGroupRule:SecurityGroupRule ec2/subnet:Subnet ec2/vpc:Vpc
    ec2/vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation
    ec2/vpnConnectionRoute:VpnConnectionRoute ec2/vpnGateway:VpnGateway
    ec2/vpnGatewayAttachment:VpnGatewayAttachment
    ec2/vpnGatewayRoutePropagation:VpnGatewayRoutePropagation
    ec2transitgateway/instanceConnectEndpoint:InstanceConnectEndpoint
    ec2transitgateway/peeringAttachmentAccepter:PeeringAttachmentAccepter ec2transitgateway/route:Route
    ec2transitgateway/routeTable:RouteTable ec2transitgateway/routeTableAssociation:RouteTableAssociation
    ec2transitgateway/routeTablePropagation:RouteTablePropagation
    ec2transitgateway/transitGateway:TransitGateway
    ec2transitgateway/vpcAttachmentAccepter:VpcAttachmentAccepter eks/accessEntry:AccessEntry
    eks/accessPolicyAssociation:AccessPolicyAssociation eks/addon:Addon
    eks/podIdentityAssociation:PodIdentityAssociation
    fsx/dataRepositoryAssociation:DataRepositoryAssociation iam/instanceProfile:InstanceProfile
    iam/openIdConnectProvider:OpenIdConnectProvider iam/policy:Policy iam/role:Role
    iam/rolePolicy:RolePolicy iam/rolePolicyAttachment:RolePolicyAttachment kms/alias:Alias
    kms/grant:Grant kms/keyPolicy:KeyPolicy route53recoverycontrol/controlPanel:ControlPanel
    route53recoverycontrol/routingControl:RoutingControl route53recoverycontrol/safetyRule:SafetyRule
    s3/bucketAbac:BucketAbac s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration
    s3/bucketNotification:BucketNotification
    s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration
    s3/bucketOwnershipControls:BucketOwnershipControls s3/bucketPolicy:BucketPolicy
    s3/bucketPublicAccessBlock:BucketPublicAccessBlock
    s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration
    s3/bucketVersioning:BucketVersioning sns/topicPolicy:TopicPolicy sqs/queuePolicy:QueuePolicy
    vpc/securityGroupEgressRule:SecurityGroupEgressRule
    vpc/securityGroupIngressRule:SecurityGroupIngressRule
"""

_GCP_FREE = """
    compute/backendService:BackendService compute/externalVpnGateway:ExternalVpnGateway
    compute/firewall:Firewall compute/haVpnGateway:HaVpnGateway compute/healthCheck:HealthCheck
    compute/instanceTemplate:InstanceTemplate compute/network:Network
    compute/networkPeering:NetworkPeering compute/regionBackendService:RegionBackendService
    compute/regionInstanceTemplate:RegionInstanceTemplate compute/resourcePolicy:ResourcePolicy
    compute/route:Route compute/router:Router compute/routerInterface:RouterInterface
    compute/routerPeer:RouterPeer compute/subnetwork:Subnetwork
    iam/workloadIdentityPool:WorkloadIdentityPool
    iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider
    kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding kms/cryptoKeyIAMMember:CryptoKeyIAMMember
    kms/keyRing:KeyRing projects/iAMCustomRole:IAMCustomRole projects/iAMMember:IAMMember
    projects/service:Service serviceaccount/account:Account serviceaccount/iAMBinding:IAMBinding
    serviceaccount/iAMMember:IAMMember servicenetworking/connection:Connection
    storage/bucketIAMBinding:BucketIAMBinding storage/bucketIAMMember:BucketIAMMember
"""

BILLED: dict[str, Row] = {
    **{f"aws:{token}": FREE for token in _AWS_FREE.split()},
    **{f"gcp:{token}": FREE for token in _GCP_FREE.split()},
    "pulumi:pulumi:StackReference": FREE,
    # AWS
    "aws:autoscaling/group:Group": _asg,
    "aws:cloudwatch/logGroup:LogGroup": _logs,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _monthly("each alarm"),
    "aws:directconnect/connection:Connection": _hourly("the port, whether or not it carries anything"),
    "aws:directconnect/gateway:Gateway": FREE,
    "aws:dynamodb/table:Table": PER_REQUEST,
    "aws:ec2/capacityBlockReservation:CapacityBlockReservation": _hourly("all of it, in advance"),
    "aws:ec2/capacityReservation:CapacityReservation": _hourly("the full price of its instances, also idle"),
    "aws:ec2/eip:Eip": _hourly("a public address, used or not"),
    "aws:ec2/instance:Instance": _hourly("the instance and its volumes"),
    "aws:ec2/natGateway:NatGateway": _hourly("the gateway; and each gigabyte through it"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _endpoint,
    "aws:ec2/vpnConnection:VpnConnection": _hourly("the connection; and what leaves through it"),
    "aws:ec2clientvpn/endpoint:Endpoint": FREE,
    "aws:ec2clientvpn/networkAssociation:NetworkAssociation": _hourly("each subnet of the client VPN"),
    "aws:ec2transitgateway/peeringAttachment:PeeringAttachment": _hourly("the attachment; and each gigabyte"),
    "aws:ec2transitgateway/vpcAttachment:VpcAttachment": _hourly("the attachment; and each gigabyte"),
    "aws:ecr/repository:Repository": _stored("the images"),
    "aws:eks/cluster:Cluster": _hourly("the control plane"),
    "aws:eks/nodeGroup:NodeGroup": _node_group,
    "aws:fsx/lustreFileSystem:LustreFileSystem": _hourly("the whole provisioned capacity and throughput"),
    "aws:kms/key:Key": _monthly("each key"),
    "aws:kms/replicaKey:ReplicaKey": _monthly("each replica"),
    "aws:lb/loadBalancer:LoadBalancer": _hourly("the balancer; and what goes through it"),
    "aws:route53/healthCheck:HealthCheck": _monthly("each check"),
    "aws:route53/record:Record": PER_REQUEST,
    "aws:route53/zone:Zone": _monthly("each zone; and its queries"),
    "aws:route53recoverycontrol/cluster:Cluster": _hourly("the cluster: the dearest small part of a standby"),
    "aws:s3/bucket:Bucket": _stored("all versions, also behind a lock; and requests"),
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": Billing(
        "per request", note="each gigabyte copied; with time control each gigabyte again"
    ),
    "aws:secretsmanager/secret:Secret": _monthly("each secret"),
    "aws:secretsmanager/secretVersion:SecretVersion": FREE,
    "aws:sns/topic:Topic": PER_REQUEST,
    "aws:sqs/queue:Queue": PER_REQUEST,
    "aws:ssm/parameter:Parameter": FREE,
    # Google Cloud
    "gcp:artifactregistry/repository:Repository": _stored("the images"),
    "gcp:compute/address:Address": _address,
    "gcp:compute/forwardingRule:ForwardingRule": _hourly("the rule; and what goes through it"),
    "gcp:compute/globalAddress:GlobalAddress": _address,
    "gcp:compute/globalForwardingRule:GlobalForwardingRule": _hourly("the rule; and what goes through it"),
    "gcp:compute/instance:Instance": _hourly("the instance and its disks"),
    "gcp:compute/instanceGroupManager:InstanceGroupManager": lambda inputs: _nodes(inputs.get("targetSize")),
    "gcp:compute/interconnectAttachment:InterconnectAttachment": _hourly("the attachment, by its bandwidth"),
    "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager": lambda inputs: _nodes(
        inputs.get("targetSize")
    ),
    "gcp:compute/reservation:Reservation": _hourly("the full price of its instances, also idle"),
    "gcp:compute/resizeRequest:ResizeRequest": Billing("by the hour", note="its nodes, from when they start"),
    "gcp:compute/routerNat:RouterNat": _hourly("its address; more for each node behind it"),
    "gcp:compute/vPNTunnel:VPNTunnel": _hourly("the tunnel; and what leaves through it"),
    "gcp:container/cluster:Cluster": _hourly("the management fee"),
    "gcp:container/nodePool:NodePool": _node_pool,
    "gcp:dns/managedZone:ManagedZone": _monthly("each zone; and its queries"),
    "gcp:dns/recordSet:RecordSet": PER_REQUEST,
    "gcp:filestore/instance:Instance": _hourly("the whole provisioned capacity"),
    "gcp:kms/cryptoKey:CryptoKey": _monthly("each active version of the key"),
    "gcp:lustre/instance:Instance": _hourly("the whole provisioned capacity and throughput"),
    "gcp:storage/bucket:Bucket": _stored("all generations, also retained ones; and requests"),
    # Kubernetes: what runs is billed as the nodes that it runs on
    "kubernetes:core/v1:PersistentVolumeClaim": _stored("the volume, used or not"),
}

_PREFIXES: dict[str, Billing] = {
    "pulumi:providers:": FREE,
    "kubernetes:": Billing("free", note="billed as the nodes it runs on"),
}


def billing_of(type_: str, inputs: Mapping[str, Any]) -> Billing | None:
    """How a resource is billed; None for a type without a row, which is a gap in this table."""
    row = BILLED.get(type_)
    if row is None:
        return next((billing for prefix, billing in _PREFIXES.items() if type_.startswith(prefix)), None)
    return row(inputs) if callable(row) else row
