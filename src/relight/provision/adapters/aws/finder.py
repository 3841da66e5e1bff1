"""Looks in AWS for what an update may have created before it died.

What is found is named as the engine imports it. Where AWS takes tags with the create, a resource is known by
all of its tags, its Name among them, and by what else tells it from its like; where it takes a name, by that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from relight.errors import Conflict, NotFound, RelightError
from relight.provision.adapters.aws import lookups
from relight.provision.adapters.aws.clients import AwsClients
from relight.provision.port import PendingCreate

Look = Callable[[AwsClients, PendingCreate], Sequence[str]]


class AwsFinder:
    """See `Finder`, for what the components of an AWS site make."""

    def __init__(self, clients: AwsClients) -> None:
        self._clients = clients

    def find(self, sought: PendingCreate) -> str | None:
        """See Finder.find."""
        if sought.type in _REPEATABLE:
            return None
        look = _LOOKS.get(sought.type)
        if look is None:
            raise RelightError(
                f"{sought.type} cannot be looked up: whether {sought.name} is there nobody knows",
                "look in the AWS console; if it is there, import or delete it, then refresh",
            )
        try:
            found = sorted(set(look(self._clients, sought)) - set(sought.known))
        except NotFound:
            return None
        if len(found) > 1:
            raise Conflict(
                f"{', '.join(found)} all fit {sought.name} ({sought.type})",
                "an update that was cut off made it more than once; delete all but one",
            )
        return found[0] if found else None


_IN_VPC = {"vpcId": "vpc-id"}
_RULE = lookups.Tagged("describe_security_group_rules", "SecurityGroupRules", "SecurityGroupRuleId")
_LOOKS: Mapping[str, Look] = {
    "aws:autoscaling/group:Group": lookups.scaling_group,
    "aws:cloudwatch/logGroup:LogGroup": lookups.log_group,
    "aws:ec2/customerGateway:CustomerGateway": lookups.Tagged(
        "describe_customer_gateways", "CustomerGateways", "CustomerGatewayId", {"ipAddress": "ip-address"}
    ),
    "aws:ec2/eip:Eip": lookups.Tagged("describe_addresses", "Addresses", "AllocationId"),
    "aws:ec2/instance:Instance": lookups.Tagged("describe_instances", "Reservations", "InstanceId"),
    "aws:ec2/internetGateway:InternetGateway": lookups.Tagged(
        "describe_internet_gateways", "InternetGateways", "InternetGatewayId"
    ),
    "aws:ec2/launchTemplate:LaunchTemplate": lookups.launch_template,
    "aws:ec2/natGateway:NatGateway": lookups.Tagged(
        "describe_nat_gateways", "NatGateways", "NatGatewayId", {"subnetId": "subnet-id"}, "Filter"
    ),
    "aws:ec2/placementGroup:PlacementGroup": lookups.placement_group,
    "aws:ec2/route:Route": lookups.find_route,
    "aws:ec2/routeTable:RouteTable": lookups.Tagged("describe_route_tables", "RouteTables", "RouteTableId"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": lookups.route_association,
    "aws:ec2/securityGroup:SecurityGroup": lookups.Tagged(
        "describe_security_groups", "SecurityGroups", "GroupId", {**_IN_VPC, "name": "group-name"}
    ),
    "aws:ec2/subnet:Subnet": lookups.Tagged(
        "describe_subnets", "Subnets", "SubnetId", {**_IN_VPC, "cidrBlock": "cidr-block"}
    ),
    "aws:ec2/vpc:Vpc": lookups.Tagged("describe_vpcs", "Vpcs", "VpcId", {"cidrBlock": "cidr"}),
    "aws:ec2/vpcEndpoint:VpcEndpoint": lookups.Tagged(
        "describe_vpc_endpoints",
        "VpcEndpoints",
        "VpcEndpointId",
        {**_IN_VPC, "serviceName": "service-name"},
    ),
    "aws:ec2/vpnConnection:VpnConnection": lookups.Tagged(
        "describe_vpn_connections",
        "VpnConnections",
        "VpnConnectionId",
        {"customerGatewayId": "customer-gateway-id"},
    ),
    "aws:ec2/vpnGateway:VpnGateway": lookups.Tagged("describe_vpn_gateways", "VpnGateways", "VpnGatewayId"),
    "aws:ec2transitgateway/instanceConnectEndpoint:InstanceConnectEndpoint": lookups.Tagged(
        "describe_instance_connect_endpoints",
        "InstanceConnectEndpoints",
        "InstanceConnectEndpointId",
        {"subnetId": "subnet-id"},
    ),
    "aws:ec2transitgateway/peeringAttachment:PeeringAttachment": lookups.Tagged(
        "describe_transit_gateway_peering_attachments",
        "TransitGatewayPeeringAttachments",
        "TransitGatewayAttachmentId",
        {"transitGatewayId": "transit-gateway-id"},
    ),
    "aws:ec2transitgateway/peeringAttachmentAccepter:PeeringAttachmentAccepter": lookups.accepted_peering,
    "aws:ec2transitgateway/route:Route": lookups.transit_route,
    "aws:ec2transitgateway/routeTable:RouteTable": lookups.Tagged(
        "describe_transit_gateway_route_tables", "TransitGatewayRouteTables", "TransitGatewayRouteTableId"
    ),
    "aws:ec2transitgateway/transitGateway:TransitGateway": lookups.Tagged(
        "describe_transit_gateways", "TransitGateways", "TransitGatewayId"
    ),
    "aws:ec2transitgateway/vpcAttachment:VpcAttachment": lookups.Tagged(
        "describe_transit_gateway_vpc_attachments",
        "TransitGatewayVpcAttachments",
        "TransitGatewayAttachmentId",
        {**_IN_VPC, "transitGatewayId": "transit-gateway-id"},
    ),
    "aws:eks/accessEntry:AccessEntry": lookups.access_entry,
    "aws:eks/addon:Addon": lookups.addon,
    "aws:eks/cluster:Cluster": lookups.find_cluster,
    "aws:eks/nodeGroup:NodeGroup": lookups.node_group,
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": lookups.pod_identity,
    "aws:fsx/dataRepositoryAssociation:DataRepositoryAssociation": lookups.find_association,
    "aws:fsx/lustreFileSystem:LustreFileSystem": lookups.file_system,
    "aws:iam/instanceProfile:InstanceProfile": lookups.instance_profile,
    "aws:iam/policy:Policy": lookups.find_policy,
    "aws:iam/role:Role": lookups.find_role,
    "aws:kms/alias:Alias": lookups.find_alias,
    "aws:kms/key:Key": lookups.find_key,
    "aws:kms/replicaKey:ReplicaKey": lookups.find_key,
    "aws:route53/healthCheck:HealthCheck": lookups.health_check,
    "aws:route53/record:Record": lookups.find_record,
    "aws:route53/zone:Zone": lookups.find_zone,
    "aws:route53recoverycontrol/cluster:Cluster": lookups.recovery_cluster,
    "aws:route53recoverycontrol/controlPanel:ControlPanel": lookups.control_panel,
    "aws:route53recoverycontrol/routingControl:RoutingControl": lookups.routing_control,
    "aws:route53recoverycontrol/safetyRule:SafetyRule": lookups.safety_rule,
    "aws:s3/bucket:Bucket": lookups.find_bucket,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _RULE,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _RULE,
}

_REPEATABLE = frozenset(
    [
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "aws:kms/keyPolicy:KeyPolicy",
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        "aws:s3/bucketPolicy:BucketPolicy",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "aws:s3/bucketVersioning:BucketVersioning",
    ]
)
"""What is put, not created: a second time changes nothing, so there is never anything to look for."""
