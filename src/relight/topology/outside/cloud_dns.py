"""Names in Cloud DNS that follow the work: zone, health checks, routing policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_gcp as gcp

from relight.errors import Reason, UsageError
from relight.estate import Estate, GoogleProject, GoogleSite, HealthCheck, Traffic, fit_name
from relight.topology.frame import Frame
from relight.topology.google.places import RESOURCE_NAME
from relight.topology.outside.answers import Name, names_of

_INTERVAL_SECONDS = 30  # the shortest for checks from chosen regions (Compute Engine API, healthChecks)
_SOURCES = 3  # exactly so many regions ask (same place)
_ASKED_FROM = (
    "us-central1",
    "europe-west1",
    "asia-northeast1",
    "us-east4",
    "europe-west4",
    "asia-southeast1",
)


@dataclass(frozen=True)
class CloudDnsArgs:
    """The traffic section of the estate, of kind cloud-dns, and the project that holds the zone."""

    frame: Frame
    traffic: Traffic
    project: GoogleProject


class CloudDns(pulumi.ComponentResource):
    """The zone, and per name one health check and one record with a routing policy.

    Failover: the first site's address while it is healthy, else every healthy one of the others.
    Weighted: by weight among the healthy. Latency: the site whose region is nearest to who asks; Cloud
    DNS knows places and no latencies. Checks come from three regions in which no site stands, every 30 s
    at the fastest; the certificate is not verified. What Cloud DNS cannot do is refused: host names as
    targets (it checks addresses only), a weight of 0 (nobody documents whether it ever answers), checks
    every 10 s, routing controls.

    What it depends on: Cloud DNS and its API are global, with no one region behind them; checks and
    answers go on while the API is unreachable. In an incident prefer the routing policy, which switches
    by itself, to a change of a record. The organisation must allow internet endpoints
    (`constraints/compute.disableInternetNetworkEndpointGroup` is off).

    Billed while asleep: the zone by the month, each health-checked target by the month, queries by the
    million.
    """

    def __init__(self, name: str, args: CloudDnsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        names = names_of(args.frame.estate, args.traffic)
        faults = tuple(_faults(args.traffic, names))
        if faults:
            raise UsageError("Cloud DNS cannot do what is declared", reasons=faults)
        super().__init__("relight:outside:CloudDns", name, None, opts)
        self._args = args
        self.zone, servers = self._zone(name)
        checks = {each.key: self._check(name, each) for each in names}
        for each in names:
            gcp.dns.RecordSet(
                f"{name}-{each.key}",
                gcp.dns.RecordSetArgs(
                    managed_zone=self.zone,
                    name=each.name,
                    type=each.type,
                    ttl=each.ttl_seconds,
                    routing_policy=_routing(each, checks[each.key].id, args.project.region),
                ),
                pulumi.ResourceOptions(parent=self),
            )
        self.outputs: Mapping[str, pulumi.Input[Any]] = {
            "zone": self.zone,
            "nameServers": servers,
            "names": {each.key: each.name for each in names},
            "healthChecks": {key: check.id for key, check in checks.items()},
        }
        self.register_outputs(dict(self.outputs))

    def _zone(self, name: str) -> tuple[pulumi.Input[str], pulumi.Input[list[str]]]:
        frame, traffic = self._args.frame, self._args.traffic
        if traffic.adopt:
            return traffic.adopt, []
        zone = gcp.dns.ManagedZone(
            f"{name}-zone",
            gcp.dns.ManagedZoneArgs(
                name=fit_name(frame.name("zone"), RESOURCE_NAME),
                dns_name=traffic.zone,
                description=f"Names of {frame.estate.name} that follow the work",
                visibility="public",
                force_destroy=False,
                labels=frame.labels("traffic"),
            ),
            pulumi.ResourceOptions(parent=self, protect=True),
        )
        return zone.name, zone.name_servers

    def _check(self, name: str, each: Name) -> gcp.compute.HealthCheck:
        frame = self._args.frame
        return gcp.compute.HealthCheck(
            f"{name}-{each.key}",
            gcp.compute.HealthCheckArgs(
                name=fit_name(frame.name(each.key), RESOURCE_NAME),
                check_interval_sec=_INTERVAL_SECONDS,
                timeout_sec=5,
                healthy_threshold=2,
                unhealthy_threshold=max(2, each.health.failures),
                source_regions=list(sources_of(frame.estate)),
                https_health_check=gcp.compute.HealthCheckHttpsHealthCheckArgs(
                    host=each.name.removesuffix("."),
                    port=each.health.port,
                    port_specification="USE_FIXED_PORT",
                    request_path=each.health.path,
                ),
            ),
            pulumi.ResourceOptions(parent=self),
        )


def sources_of(estate: Estate) -> tuple[str, ...]:
    """The three regions that ask: none where a site stands, as far as possible."""
    sites = {site.region for site in estate.sites.values() if isinstance(site, GoogleSite)}
    return tuple(sorted(_ASKED_FROM, key=lambda region: region in sites)[:_SOURCES])


def _faults(traffic: Traffic, names: tuple[Name, ...]) -> Iterator[Reason]:
    if traffic.routing_controls:
        yield Reason(
            "Application Recovery Controller switches Route 53, not Cloud DNS",
            "leave routing_controls out, or write kind: route53",
            path="traffic.routing_controls",
        )
    for each in names:
        path = f"traffic.records.{each.key}"
        if each.type != "A":
            yield Reason(
                "Cloud DNS checks the health of addresses only, and the targets are host names",
                "write IPv4 addresses",
                path=f"{path}.targets",
            )
        if _asks_faster(each.health):
            yield Reason(
                f"Cloud DNS checks every {_INTERVAL_SECONDS} s at the fastest",
                f"write interval_seconds: {_INTERVAL_SECONDS}",
                path=f"{path}.health.interval_seconds",
            )
        for answer in each.answers:
            if answer.weight == 0:
                yield Reason(
                    f"{answer.site} has the weight 0, and nobody says whether it answers when no other can",
                    "write policy: failover",
                    path=f"{path}.policy",
                )


def _asks_faster(health: HealthCheck) -> bool:
    """Whether an interval was written down that is too short; the default gives way."""
    return "interval_seconds" in health.model_fields_set and health.interval_seconds < _INTERVAL_SECONDS


def _routing(each: Name, check: pulumi.Input[str], region: str) -> Any:
    match each.policy:
        case "failover":
            first, *others = [answer.target for answer in each.answers]
            return gcp.dns.RecordSetRoutingPolicyArgs(
                health_check=check,
                primary_backup=gcp.dns.RecordSetRoutingPolicyPrimaryBackupArgs(
                    primary=gcp.dns.RecordSetRoutingPolicyPrimaryBackupPrimaryArgs(
                        external_endpoints=[first]
                    ),
                    backup_geos=[
                        gcp.dns.RecordSetRoutingPolicyPrimaryBackupBackupGeoArgs(
                            location=region,  # the only place of a backup: whoever asks is nearest to it
                            health_checked_targets=_backup(others),
                        )
                    ],
                ),
            )
        case "weighted":
            return gcp.dns.RecordSetRoutingPolicyArgs(
                health_check=check,
                wrrs=[
                    gcp.dns.RecordSetRoutingPolicyWrrArgs(
                        weight=float(answer.weight or 0),
                        health_checked_targets=gcp.dns.RecordSetRoutingPolicyWrrHealthCheckedTargetsArgs(
                            external_endpoints=[answer.target]
                        ),
                    )
                    for answer in each.answers
                ],
            )
        case "latency":
            return gcp.dns.RecordSetRoutingPolicyArgs(
                health_check=check,
                geos=[
                    gcp.dns.RecordSetRoutingPolicyGeoArgs(
                        location=answer.region or region,
                        health_checked_targets=gcp.dns.RecordSetRoutingPolicyGeoHealthCheckedTargetsArgs(
                            external_endpoints=[answer.target]
                        ),
                    )
                    for answer in each.answers
                ],
            )


def _backup(targets: list[str]) -> Any:
    return gcp.dns.RecordSetRoutingPolicyPrimaryBackupBackupGeoHealthCheckedTargetsArgs(
        external_endpoints=targets
    )
