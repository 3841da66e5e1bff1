"""A Google Cloud on loopback, as small as what Relight asks of it, and strict about how.

It speaks the REST calls of Compute Engine and Kubernetes Engine that pools, reservations and look-ups need,
and gives out tokens for a service account's key. A method, path, query or body that the real one would not
take is answered 400 and kept in `complaints`. After the APIs' own reference pages, November 2026.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from relight.estate import CloudPool, GoogleSite
from rig.http import Answer, Asked, HttpServer, http_server

PROJECT, REGION, ZONES = "acme-dr", "europe-west4", ("europe-west4-a", "europe-west4-b")
ESTATE, SITE = "acme", "west"
TOKEN = "ya29.planted-token"
_GROUP = (
    r"/compute/v1/projects/(?P<project>[^/]+)/zones/(?P<zone>[^/]+)/instanceGroupManagers/(?P<name>[^/]+)"
)
_NODE_POOL = (
    r"/v1/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)"
    r"/clusters/(?P<cluster>[^/]+)/nodePools/(?P<name>[^/:]+)"
)


@dataclass
class Group:
    """A managed instance group."""

    target: int = 0
    up: int = 0


@dataclass
class GoogleCloud:
    """Groups and reservations by "ZONE/NAME", node pools by name; `is_busy`: an operation is under way."""

    url: str = ""
    groups: dict[str, Group] = field(default_factory=dict)
    node_pools: dict[str, str] = field(default_factory=dict)  # to its group
    autoscaling: dict[str, dict[str, Any]] = field(default_factory=dict)  # by node pool
    reservations: dict[str, dict[str, Any]] = field(default_factory=dict)
    others: dict[str, dict[str, Any]] = field(default_factory=dict)  # what else is there, by path
    is_busy: bool = False
    refuses: tuple[int, str, str] | None = None  # status, reason, message for whatever is asked
    tokens: int = 0
    complaints: list[str] = field(default_factory=list)

    def bring_up(self) -> None:
        for group in self.groups.values():
            group.up = group.target

    def answer(self, asked: Asked) -> Answer:
        parts = urlsplit(asked.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        if parts.path == "/token":
            return self._token(asked)
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return _error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        if self.refuses:
            return _error(*self.refuses)
        for method, pattern, keys, has_body, act in self._routes():
            found = re.fullmatch(pattern, parts.path)
            if found and asked.method == method:
                if set(query) - keys or bool(asked.body) != has_body:
                    return self._complain(asked)
                return act(found.groupdict(), query, json.loads(asked.body or b"{}"))
        if asked.method == "GET" and parts.path in self.others and not query:
            return _ok(self.others[parts.path])
        if asked.method == "GET" and not query:
            return _error(404, "notFound", f"The resource '{parts.path}' was not found")
        return self._complain(asked)

    def _routes(self) -> tuple[tuple[str, str, set[str], bool, Callable[..., Answer]], ...]:
        reservation = _GROUP.replace("instanceGroupManagers", "reservations")
        return (
            ("GET", _GROUP, set(), False, self._get_group),
            ("POST", f"{_GROUP}/resize", {"size", "requestId"}, False, self._resize_group),
            ("POST", f"{_GROUP}/listManagedInstances", {"pageToken", "maxResults"}, False, self._instances),
            ("GET", _NODE_POOL, set(), False, self._get_node_pool),
            ("POST", f"{_NODE_POOL}:setSize", set(), True, self._set_size),
            ("POST", f"{_NODE_POOL}:setAutoscaling", set(), True, self._set_autoscaling),
            ("GET", reservation, set(), False, self._reservation),
        )

    def _token(self, asked: Asked) -> Answer:
        form = dict(parse_qsl(asked.body.decode()))
        if asked.method != "POST" or form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return self._complain(asked)
        if form.get("assertion", "").count(".") != 2:
            return self._complain(asked)
        self.tokens += 1
        return _ok({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})

    def _complain(self, asked: Asked) -> Answer:
        self.complaints.append(f"{asked.method} {asked.path} {asked.body!r}")
        return _error(400, "INVALID_ARGUMENT", "what is asked is no such call")

    def _get_group(self, at: Mapping[str, str], _query: object, _body: object) -> Answer:
        group = self.groups.get(f"{at['zone']}/{at['name']}")
        if group is None or at["project"] != PROJECT:
            return _error(404, "notFound", f"The resource '{at['name']}' was not found")
        return _ok({"name": at["name"], "targetSize": group.target, "status": {"isStable": True}})

    def _resize_group(self, at: Mapping[str, str], query: Mapping[str, str], _body: object) -> Answer:
        if self.is_busy:
            return _error(400, "resourceNotReady", "The resource is not ready")
        self.groups[f"{at['zone']}/{at['name']}"].target = int(query["size"])
        return _ok({"kind": "compute#operation", "status": "RUNNING"})

    def _instances(self, at: Mapping[str, str], query: Mapping[str, str], _body: object) -> Answer:
        group = self.groups[f"{at['zone']}/{at['name']}"]
        running = [{"instanceStatus": "RUNNING", "currentAction": "NONE"}] * group.up
        coming = [{"currentAction": "CREATING"}] * (group.target - group.up)
        every = running + coming
        if "pageToken" in query:
            return _ok({"managedInstances": every[1:]})
        page: dict[str, Any] = {
            "managedInstances": every[:1]
        }  # the first page is short, so that there are two
        return _ok(page | ({"nextPageToken": "2"} if every[1:] else {}))

    def _get_node_pool(self, at: Mapping[str, str], _query: object, _body: object) -> Answer:
        if at["name"] not in self.node_pools or at["location"] != REGION:
            return _error(404, "NOT_FOUND", f"Not found: {at['name']}.")
        zone, _, group = self.node_pools[at["name"]].partition("/")
        at_zone = f"https://www.googleapis.com/compute/v1/projects/{PROJECT}/zones/{zone}"
        url = f"{at_zone}/instanceGroupManagers/{group}"
        status = "RECONCILING" if self.is_busy else "RUNNING"
        described = {"name": at["name"], "status": status, "locations": [zone], "instanceGroupUrls": [url]}
        scaling = self.autoscaling.get(at["name"])
        return _ok(described | ({"autoscaling": scaling} if scaling else {}))

    def _set_autoscaling(self, at: Mapping[str, str], _query: object, body: Mapping[str, Any]) -> Answer:
        scaling = body.get("autoscaling", {})
        if set(body) != {"autoscaling"} or (scaling["enabled"] and scaling["totalMaxNodeCount"] < 1):
            return _error(400, "INVALID_ARGUMENT", "Invalid JSON payload")
        self.autoscaling[at["name"]] = scaling
        return _ok({"name": "operation-2", "status": "RUNNING"})

    def _set_size(self, at: Mapping[str, str], _query: object, body: Mapping[str, Any]) -> Answer:
        if set(body) != {"nodeCount"} or not isinstance(body["nodeCount"], int):
            return _error(400, "INVALID_ARGUMENT", "Invalid JSON payload")
        self.groups[self.node_pools[at["name"]]].target = body["nodeCount"]
        return _ok({"name": "operation-1", "status": "RUNNING"})

    def _reservation(self, at: Mapping[str, str], _query: object, _body: object) -> Answer:
        found = self.reservations.get(f"{at['zone']}/{at['name']}")
        if found is None or at["project"] != PROJECT:
            return _error(404, "notFound", f"The resource '{at['name']}' was not found")
        return _ok(found)


def reservation(name: str, count: int, used: int, **other: Any) -> dict[str, Any]:
    """A reservation as Compute Engine tells of it; 64-bit numbers are strings in its JSON."""
    specific = {
        "count": str(count),
        "inUseCount": str(used),
        "instanceProperties": {"machineType": "a3-highgpu-8g"},
    }
    zone = f"https://www.googleapis.com/compute/v1/projects/{PROJECT}/zones/{ZONES[0]}"
    described = {"name": name, "zone": zone, "status": "READY", "specificReservation": specific}
    return described | {"specificReservationRequired": True} | other


def _ok(body: Mapping[str, Any]) -> Answer:
    return 200, json.dumps(body).encode()


def _error(status: int, reason: str, message: str) -> Answer:
    error = {"code": status, "message": message, "status": reason, "errors": [{"reason": reason}]}
    return status, json.dumps({"error": error}).encode()


@cache
def _private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def service_account_key(url: str) -> str:
    """The JSON key of a service account whose tokens come from `url`."""
    return json.dumps(
        {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "1",
            "private_key": _private_key(),
            "client_email": f"runner@{PROJECT}.iam.gserviceaccount.com",
            "token_uri": f"{url}/token",
        }
    )


def endpoints(url: str) -> dict[str, str]:
    """Where each API is, if it is here."""
    names = ("container", "iam", "iamcredentials", "kms", "file", "lustre")
    own = {"compute": f"{url}/compute/v1", "storage": f"{url}/storage/v1", "dns": f"{url}/dns/v1"}
    return {**dict.fromkeys(names, f"{url}/v1"), **own}


def google_site(pools: Mapping[str, CloudPool], **more: Any) -> GoogleSite:
    return GoogleSite.model_validate(
        {
            "kind": "gcp",
            "store": "vault",
            "probes": {"compute": "https://west.test/"},
            "project": PROJECT,
            "region": REGION,
            "zones": ZONES,
            "cidr": "10.32.0.0/20",
            "pods": "10.40.0.0/16",
            "services": "10.33.0.0/20",
            "control_plane": "10.34.0.0/28",
            "credentials": {"key_file": "env:KEY"},
            "pools": {name: pool.model_dump() for name, pool in pools.items()},
            **more,
        }
    )


@contextmanager
def google_cloud() -> Iterator[tuple[GoogleCloud, HttpServer]]:
    """Serve until the block ends; then nothing may have been asked that is no such call."""
    cloud = GoogleCloud()
    with http_server(cloud.answer) as server:
        cloud.url = server.url
        yield cloud, server
    assert not cloud.complaints
