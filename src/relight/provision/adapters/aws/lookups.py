"""How each type of AWS's resources is looked up, one function a type: ids as the engine imports them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from relight.errors import RelightError
from relight.provision.adapters.aws.clients import AwsClients
from relight.provision.port import PendingCreate

_GONE = {"deleted", "deleting", "shutting-down", "terminated", "failed", "rejected"}
_MOST_TAGGED = 10  # resources whose tags Route 53 tells at once


@dataclass(frozen=True)
class Tagged:
    """Looks for a resource of EC2: what lists it, where its id stands, which inputs tell it, by filter."""

    operation: str
    key: str
    id: str
    told_by: Mapping[str, str] = field(default_factory=dict)  # input to filter
    filters: str = "Filters"

    def __call__(self, clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
        """Ids of those that are there and have all of its tags. Raise RelightError where nothing tells it."""
        own = {self.told_by[key]: value for key, value in _texts(sought).items() if key in self.told_by}
        if not sought.tags or not ("Name" in sought.tags or own):
            raise RelightError(
                f"{sought.name} ({sought.type}) has no tag Name, and cannot be told from its like",
                "look in the AWS console; if it is there, import or delete it, then refresh",
            )
        wanted = own | {f"tag:{key}": value for key, value in sought.tags.items()}
        filters = [{"Name": name, "Values": [value]} for name, value in wanted.items()]
        listed = clients.every("ec2", self.operation, self.key, **{self.filters: filters})
        if self.operation == "describe_instances":
            listed = [instance for reservation in listed for instance in reservation["Instances"]]
        return [item[self.id] for item in listed if _state(item) not in _GONE]


def _texts(sought: PendingCreate) -> dict[str, str]:
    return {
        key: value
        for key, value in sought.inputs.items()
        if isinstance(value, str) and value and value != "[secret]"
    }


def _input(sought: PendingCreate, *names: str) -> str:
    given = _texts(sought)
    for name in names:
        if name in given:
            return given[name]
    raise RelightError(
        f"{sought.name} ({sought.type}) was given no {names[0]}, and cannot be looked up",
        "look in the AWS console; if it is there, import or delete it, then refresh",
    )


def _state(item: Mapping[str, Any]) -> str:
    state = item.get("State") or item.get("Status") or item.get("Lifecycle") or ""
    said = state.get("Name") or state.get("Code") if isinstance(state, Mapping) else state
    return str(said).lower()


def scaling_group(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """An Auto Scaling group by its name."""
    name = _input(sought, "name")
    listed = clients.every(
        "autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", AutoScalingGroupNames=[name]
    )
    return [group["AutoScalingGroupName"] for group in listed if not group.get("Status")]  # or it is deleted


def launch_template(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """A launch template by its name."""
    filters = [{"Name": "launch-template-name", "Values": [_input(sought, "name")]}]
    listed = clients.every("ec2", "describe_launch_templates", "LaunchTemplates", Filters=filters)
    return [template["LaunchTemplateId"] for template in listed]


def placement_group(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """A placement group by its name."""
    filters = [{"Name": "group-name", "Values": [_input(sought, "name")]}]
    listed = clients.every("ec2", "describe_placement_groups", "PlacementGroups", Filters=filters)
    return [group["GroupName"] for group in listed if _state(group) not in _GONE]


def find_cluster(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """An EKS cluster by its name."""
    name = _input(sought, "name")
    clients.call("eks", "describe_cluster", name=name)
    return [name]


def node_group(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """A node group by cluster and name."""
    cluster, name = _input(sought, "clusterName"), _input(sought, "nodeGroupName")
    clients.call("eks", "describe_nodegroup", clusterName=cluster, nodegroupName=name)
    return [f"{cluster}:{name}"]


def addon(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """An add-on by cluster and name."""
    cluster, name = _input(sought, "clusterName"), _input(sought, "addonName")
    clients.call("eks", "describe_addon", clusterName=cluster, addonName=name)
    return [f"{cluster}:{name}"]


def access_entry(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """An access entry by cluster and principal."""
    cluster, principal = _input(sought, "clusterName"), _input(sought, "principalArn")
    clients.call("eks", "describe_access_entry", clusterName=cluster, principalArn=principal)
    return [f"{cluster}:{principal}"]


def find_bucket(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """A bucket of this account by its name."""
    name = _input(sought, "bucket")
    owner = {"ExpectedBucketOwner": clients.account} if clients.account else {}
    clients.call("s3", "head_bucket", Bucket=name, **owner)
    return [name]


def find_key(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """A KMS key, or a replica of one, by its tags."""
    if "Name" not in sought.tags:
        raise RelightError(f"the key {sought.name} has no tag Name", "look in the AWS console, then refresh")
    filters = [{"Key": key, "Values": [value]} for key, value in sought.tags.items()]
    listed = clients.every(
        "resourcegroupstaggingapi",
        "get_resources",
        "ResourceTagMappingList",
        ResourceTypeFilters=["kms:key"],
        TagFilters=filters,
    )
    ids = [str(item["ResourceARN"]).rpartition("/")[2] for item in listed]
    described = [clients.call("kms", "describe_key", KeyId=id_)["KeyMetadata"] for id_ in ids]
    return [key["KeyId"] for key in described if not str(key["KeyState"]).startswith("Pending")]


def find_alias(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """An alias of a key by its name."""
    name = _input(sought, "name")
    listed = clients.every("kms", "list_aliases", "Aliases")
    return [alias["AliasName"] for alias in listed if alias["AliasName"] == name]


def find_role(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """A role by its name."""
    name = _input(sought, "name")
    clients.call("iam", "get_role", RoleName=name)
    return [name]


def instance_profile(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """An instance profile by its name."""
    name = _input(sought, "name")
    clients.call("iam", "get_instance_profile", InstanceProfileName=name)
    return [name]


def find_policy(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """A policy by its name."""
    name = _input(sought, "name")
    listed = clients.every("iam", "list_policies", "Policies", Scope="Local")
    return [policy["Arn"] for policy in listed if policy["PolicyName"] == name]


def file_system(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """A file system by its tags."""
    if "Name" not in sought.tags:
        raise RelightError(
            f"the file system {sought.name} has no tag Name", "look in the AWS console, then refresh"
        )
    listed = clients.every("fsx", "describe_file_systems", "FileSystems")
    return [
        system["FileSystemId"]
        for system in listed
        if str(system.get("Lifecycle", "")).lower() not in _GONE and _has_tags(system, sought.tags)
    ]


def find_association(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """A data repository association by file system and path."""
    filters = [{"Name": "file-system-id", "Values": [_input(sought, "fileSystemId")]}]
    listed = clients.every("fsx", "describe_data_repository_associations", "Associations", Filters=filters)
    path = _input(sought, "fileSystemPath")
    return [
        item["AssociationId"]
        for item in listed
        if item.get("FileSystemPath") == path and str(item.get("Lifecycle", "")).lower() not in _GONE
    ]


def _has_tags(item: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    tags = {tag["Key"]: tag["Value"] for tag in item.get("Tags", ())}
    return all(tags.get(key) == value for key, value in wanted.items())


def find_route(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """A route by table and destination."""
    table, to = _input(sought, "routeTableId"), _input(sought, "destinationCidrBlock")
    tables = clients.call("ec2", "describe_route_tables", RouteTableIds=[table])["RouteTables"]
    return [
        f"{table}_{to}"
        for described in tables
        for route in described.get("Routes", ())
        if route.get("DestinationCidrBlock") == to
    ]


def route_association(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """A route table's association by its subnet."""
    table, subnet = _input(sought, "routeTableId"), _input(sought, "subnetId")
    tables = clients.call("ec2", "describe_route_tables", RouteTableIds=[table])["RouteTables"]
    return [
        f"{subnet}/{table}"
        for described in tables
        for association in described.get("Associations", ())
        if association.get("SubnetId") == subnet
    ]


def log_group(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """A log group by its name."""
    name = _input(sought, "name")
    listed = clients.every("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name)
    return [group["logGroupName"] for group in listed if group["logGroupName"] == name]


def pod_identity(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """A pod identity association by cluster and service account."""
    cluster = _input(sought, "clusterName")
    listed = clients.every(
        "eks",
        "list_pod_identity_associations",
        "associations",
        clusterName=cluster,
        namespace=_input(sought, "namespace"),
        serviceAccount=_input(sought, "serviceAccount"),
    )
    return [f"{cluster},{item['associationId']}" for item in listed]


def health_check(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """A health check by its tags."""
    if "Name" not in sought.tags:
        raise RelightError(
            f"the check {sought.name} has no tag Name", "look in the AWS console, then refresh"
        )
    ids = [check["Id"] for check in clients.every("route53", "list_health_checks", "HealthChecks")]
    found: list[str] = []
    for start in range(0, len(ids), _MOST_TAGGED):
        answer = clients.call(
            "route53",
            "list_tags_for_resources",
            ResourceType="healthcheck",
            ResourceIds=ids[start : start + _MOST_TAGGED],
        )
        found += [each["ResourceId"] for each in answer["ResourceTagSets"] if _has_tags(each, sought.tags)]
    return found


def find_zone(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """A hosted zone by its name."""
    name = _input(sought, "name").rstrip(".") + "."
    listed = clients.call("route53", "list_hosted_zones_by_name", DNSName=name)["HostedZones"]
    return [zone["Id"].rpartition("/")[2] for zone in listed if zone["Name"] == name]


def find_record(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """A record by zone, name, type and set."""
    zone, name, kind = _input(sought, "zoneId"), _input(sought, "name"), _input(sought, "type")
    given = _texts(sought).get("setIdentifier")
    listed = clients.every("route53", "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone)
    return [
        "_".join(part for part in (zone, name, kind, given) if part)
        for record in listed
        if (record["Name"].rstrip("."), record["Type"], record.get("SetIdentifier"))
        == (name.rstrip("."), kind, given)
    ]


def accepted_peering(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """An accepted peering by its attachment."""
    id_ = _input(sought, "transitGatewayAttachmentId")
    listed = clients.call(
        "ec2", "describe_transit_gateway_peering_attachments", TransitGatewayAttachmentIds=[id_]
    )["TransitGatewayPeeringAttachments"]
    unaccepted = {*_GONE, "pendingacceptance", "initiatingrequest"}
    return [id_ for attachment in listed if _state(attachment) not in unaccepted]


def transit_route(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """A static route of a transit gateway by table and destination."""
    table, to = _input(sought, "transitGatewayRouteTableId"), _input(sought, "destinationCidrBlock")
    exact = [{"Name": "route-search.exact-match", "Values": [to]}]
    found = clients.call(
        "ec2", "search_transit_gateway_routes", TransitGatewayRouteTableId=table, Filters=exact
    )["Routes"]
    return [
        f"{table}_{to}" for route in found if route.get("Type") == "static" and _state(route) not in _GONE
    ]


_RECOVERY = "route53-recovery-control-config"


def recovery_cluster(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """A cluster of Application Recovery Controller by its name."""
    name = _input(sought, "name")
    return [
        c["ClusterArn"] for c in clients.every(_RECOVERY, "list_clusters", "Clusters") if c["Name"] == name
    ]


def control_panel(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """A control panel by cluster and name."""
    name, cluster = _input(sought, "name"), _input(sought, "clusterArn")
    listed = clients.every(_RECOVERY, "list_control_panels", "ControlPanels", ClusterArn=cluster)
    return [panel["ControlPanelArn"] for panel in listed if panel["Name"] == name]


def routing_control(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """A routing control by panel and name."""
    name, panel = _input(sought, "name"), _input(sought, "controlPanelArn")
    listed = clients.every(_RECOVERY, "list_routing_controls", "RoutingControls", ControlPanelArn=panel)
    return [control["RoutingControlArn"] for control in listed if control["Name"] == name]


def safety_rule(clients: AwsClients, sought: PendingCreate) -> Sequence[str]:
    """A safety rule by panel and name."""
    name, panel = _input(sought, "name"), _input(sought, "controlPanelArn")
    listed = clients.every(_RECOVERY, "list_safety_rules", "SafetyRules", ControlPanelArn=panel)
    rules = [rule for either in listed for rule in either.values()]  # {"ASSERTION": …} or {"GATING": …}
    return [rule["SafetyRuleArn"] for rule in rules if rule["Name"] == name]
