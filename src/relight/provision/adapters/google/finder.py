"""Looks in Google Cloud for what an update may have created before it died.

Names are unique within their parent there, so that a second create fails rather than makes a second one; what
is there is looked up by its name, and is the engine's to adopt. Its id is its path, as the engine imports it.
"""

from __future__ import annotations

from collections.abc import Mapping

from relight.errors import NotFound, RelightError
from relight.provision.adapters.google.clients import GoogleClients
from relight.provision.port import PendingCreate

_GLOBAL = "projects/{project}/global"
_REGIONAL = "projects/{project}/regions/{region}"
_ZONAL = "projects/{project}/zones/{zone}"
_LOCATED = "projects/{project}/locations/{location}"

_PATHS: Mapping[str, tuple[str, str]] = {
    "gcp:compute/address:Address": ("compute", f"{_REGIONAL}/addresses/{{name}}"),
    "gcp:compute/externalVpnGateway:ExternalVpnGateway": (
        "compute",
        f"{_GLOBAL}/externalVpnGateways/{{name}}",
    ),
    "gcp:compute/firewall:Firewall": ("compute", f"{_GLOBAL}/firewalls/{{name}}"),
    "gcp:compute/globalAddress:GlobalAddress": ("compute", f"{_GLOBAL}/addresses/{{name}}"),
    "gcp:compute/haVpnGateway:HaVpnGateway": ("compute", f"{_REGIONAL}/vpnGateways/{{name}}"),
    "gcp:compute/healthCheck:HealthCheck": ("compute", f"{_GLOBAL}/healthChecks/{{name}}"),
    "gcp:compute/instance:Instance": ("compute", f"{_ZONAL}/instances/{{name}}"),
    "gcp:compute/instanceGroupManager:InstanceGroupManager": (
        "compute",
        f"{_ZONAL}/instanceGroupManagers/{{name}}",
    ),
    "gcp:compute/instanceTemplate:InstanceTemplate": ("compute", f"{_GLOBAL}/instanceTemplates/{{name}}"),
    "gcp:compute/network:Network": ("compute", f"{_GLOBAL}/networks/{{name}}"),
    "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager": (
        "compute",
        f"{_REGIONAL}/instanceGroupManagers/{{name}}",
    ),
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate": (
        "compute",
        f"{_REGIONAL}/instanceTemplates/{{name}}",
    ),
    "gcp:compute/reservation:Reservation": ("compute", f"{_ZONAL}/reservations/{{name}}"),
    "gcp:compute/resourcePolicy:ResourcePolicy": ("compute", f"{_REGIONAL}/resourcePolicies/{{name}}"),
    "gcp:compute/router:Router": ("compute", f"{_REGIONAL}/routers/{{name}}"),
    "gcp:compute/subnetwork:Subnetwork": ("compute", f"{_REGIONAL}/subnetworks/{{name}}"),
    "gcp:compute/vPNTunnel:VPNTunnel": ("compute", f"{_REGIONAL}/vpnTunnels/{{name}}"),
    "gcp:container/cluster:Cluster": ("container", f"{_LOCATED}/clusters/{{name}}"),
    "gcp:container/nodePool:NodePool": ("container", f"{_LOCATED}/clusters/{{cluster}}/nodePools/{{name}}"),
    "gcp:dns/managedZone:ManagedZone": ("dns", "projects/{project}/managedZones/{name}"),
    "gcp:dns/recordSet:RecordSet": (
        "dns",
        "projects/{project}/managedZones/{managedZone}/rrsets/{name}/{type}",
    ),
    "gcp:filestore/instance:Instance": ("file", f"{_LOCATED}/instances/{{name}}"),
    "gcp:kms/cryptoKey:CryptoKey": ("kms", "{keyRing}/cryptoKeys/{name}"),
    "gcp:kms/keyRing:KeyRing": ("kms", f"{_LOCATED}/keyRings/{{name}}"),
    "gcp:lustre/instance:Instance": ("lustre", f"{_LOCATED}/instances/{{instanceId}}"),
    "gcp:projects/iAMCustomRole:IAMCustomRole": ("iam", "projects/{project}/roles/{roleId}"),
    "gcp:serviceaccount/account:Account": (
        "iam",
        "projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com",
    ),
    "gcp:storage/bucket:Bucket": ("storage", "b/{name}"),
}
"""Where a resource of a type is asked for, in words of its own inputs."""

_PARTS_OF_ROUTERS: Mapping[str, tuple[str, str]] = {
    "gcp:compute/routerInterface:RouterInterface": ("interfaces", "{region}/{router}/{name}"),
    "gcp:compute/routerNat:RouterNat": ("nats", f"{_REGIONAL}/routers/{{router}}/{{name}}"),
    "gcp:compute/routerPeer:RouterPeer": ("bgpPeers", f"{_REGIONAL}/routers/{{router}}/{{name}}"),
}
"""What is no resource of its own but a part of a router: where it is listed, and its id."""

_REPEATABLE = ("IAMMember", "IAMBinding", "IAMPolicy", "servicenetworking/connection:Connection")
"""Ends of types that are put, not created: a second time changes nothing, so there is nothing to look for."""

_FREE = (
    "gcp:compute/instanceTemplate:InstanceTemplate",
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
)
"""Where the cloud completes the name: nothing tells it from those of former updates, and a second is free."""


class GoogleFinder:
    """See `Finder`; project and region are what a resource has where its inputs name none."""

    def __init__(self, project: str, region: str, clients: GoogleClients) -> None:
        self._usual = {"project": project, "region": region, "location": region}
        self._clients = clients

    def find(self, sought: PendingCreate) -> str | None:
        """See Finder.find."""
        if sought.type.endswith(_REPEATABLE) or (sought.type in _FREE and "name" not in sought.inputs):
            return None
        if part := _PARTS_OF_ROUTERS.get(sought.type):
            return self._in_router(sought, *part)
        try:
            api, template = _PATHS[sought.type]
            path = template.format_map(self._usual | _named(sought))
        except KeyError as missing:
            raise RelightError(
                f"{sought.name} ({sought.type}) cannot be looked up: nothing says its {missing}",
                "look in the Google Cloud console; if it is there, import or delete it, then refresh",
            ) from None
        try:
            self._clients.get(api, path)
        except NotFound:
            return None
        return path.removeprefix("b/") if api == "storage" else path

    def _in_router(self, sought: PendingCreate, key: str, id_: str) -> str | None:
        names = self._usual | _named(sought)
        try:
            router = self._clients.get("compute", f"{_REGIONAL}/routers/{{router}}".format_map(names))
        except NotFound:
            return None
        there = {str(part.get("name")) for part in router.get(key, ())}
        return id_.format_map(names) if names.get("name") in there else None


def _named(sought: PendingCreate) -> dict[str, str]:
    """Its inputs that are words; of those that name another resource in full, its own name."""
    given = {key: value for key, value in sought.inputs.items() if isinstance(value, str) and value}
    return {
        key: value if key == "keyRing" else value.rpartition("/")[2]
        for key, value in given.items()
        if value != "[secret]"
    }
