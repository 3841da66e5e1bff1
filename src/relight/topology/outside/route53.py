"""Names in Route 53 that follow the work: zone, health checks, records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pulumi
import pulumi_aws as aws

from relight.estate import ActiveActive, AwsSite, Estate, Traffic
from relight.topology.frame import Frame
from relight.topology.outside.answers import Answer, Name, names_of
from relight.topology.outside.recovery import RoutingControls, RoutingControlsArgs

_CHECKERS = (
    "us-east-1",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "sa-east-1",
)  # where Route 53's checkers are
_FEWEST_CHECKERS = 3  # Route 53 refuses fewer


@dataclass(frozen=True)
class Route53Args:
    """The traffic section of the estate, of kind route53."""

    frame: Frame
    traffic: Traffic


class Route53(pulumi.ComponentResource):
    """The zone, and per name and site a health check and a record.

    What it depends on: zones, records and health checks can be changed only while us-east-1 works
    (`relight.estate.CONTROL_PLANE_REGION`). What was provisioned before needs nobody: servers answer and
    checkers check from all over the world, and a failover record switches by itself. So in an incident
    prefer, in this order: wait for the failover record; throw a routing control (`recovery`); change a
    record.

    Both sites of a failover record are checked. While neither is healthy Route 53 answers with the first,
    so that clients are not sent to a standby that does not serve yet. Without routing controls a first
    site that comes back draws its clients back at once, whoever holds the fence: it must not pass its
    check before it may serve. With them the records follow the switches alone, and the checks of the
    sites are there to be read.

    Billed while asleep: the zone and each health check, by the month; queries, by the million.
    """

    def __init__(self, name: str, args: Route53Args, opts: pulumi.ResourceOptions | None = None) -> None:
        estate, traffic = args.frame.estate, args.traffic
        names = names_of(estate, traffic)
        super().__init__("relight:outside:Route53", name, None, opts)
        self._args = args
        self.zone_id, servers = self._zone(name)
        self._controls = self._switches(name, names) if traffic.routing_controls else None
        checks = {each.key: self._checks(name, each) for each in names}
        for each in names:
            self._records(name, each, checks[each.key])
        self.outputs: Mapping[str, pulumi.Input[Any]] = {
            "zone": self.zone_id,
            "nameServers": servers,
            "names": {each.key: each.name for each in names},
            "healthChecks": {
                key: {site: check.id for site, check in sites.items()} for key, sites in checks.items()
            },
            **(self._controls.outputs if self._controls else {}),
        }
        self.register_outputs(dict(self.outputs))

    def _zone(self, name: str) -> tuple[pulumi.Input[str], pulumi.Input[list[str]]]:
        frame, traffic = self._args.frame, self._args.traffic
        if traffic.adopt:
            return traffic.adopt, []
        zone = aws.route53.Zone(
            f"{name}-zone",
            aws.route53.ZoneArgs(
                name=traffic.zone.removesuffix("."),
                comment=f"Names of {frame.estate.name} that follow the work",
                force_destroy=False,
                tags=frame.tags("traffic", frame.name("zone")),
            ),
            pulumi.ResourceOptions(parent=self, protect=True),
        )
        return zone.zone_id, zone.name_servers

    def _switches(self, name: str, names: tuple[Name, ...]) -> RoutingControls:
        estate = self._args.frame.estate
        sites = tuple(dict.fromkeys(answer.site for each in names for answer in each.answers))
        return RoutingControls(
            f"{name}-recovery",
            RoutingControlsArgs(
                self._args.frame, sites, one_at_a_time=not isinstance(estate.topology, ActiveActive)
            ),
            pulumi.ResourceOptions(parent=self),
        )

    def _checks(self, name: str, each: Name) -> dict[str, aws.route53.HealthCheck]:
        frame = self._args.frame
        regions = checkers_of(frame.estate)
        return {
            answer.site: aws.route53.HealthCheck(
                f"{name}-{each.key}-{answer.site}",
                aws.route53.HealthCheckArgs(
                    **_asked(each, answer),
                    type="HTTPS",
                    enable_sni=True,
                    port=each.health.port,
                    resource_path=each.health.path,
                    request_interval=each.health.interval_seconds,
                    failure_threshold=each.health.failures,
                    regions=list(regions),
                    tags=frame.tags("traffic", frame.name(f"{each.key}-{answer.site}")),
                ),
                pulumi.ResourceOptions(parent=self),
            )
            for answer in each.answers
        }

    def _records(self, name: str, each: Name, checks: Mapping[str, aws.route53.HealthCheck]) -> None:
        if each.policy == "failover":
            self._chain(name, each, checks)
            return
        for answer in each.answers:
            self._record(name, each, answer, checks, shared=_shared(answer))

    def _chain(self, name: str, each: Name, checks: Mapping[str, aws.route53.HealthCheck]) -> None:
        """First, second; of more than two sites the second is an alias of the failover among the others."""
        last = len(each.answers) - 1
        for at, answer in enumerate(each.answers[:-1]):
            under = _under(each, at)
            self._record(name, each, answer, checks, shared=_failover("PRIMARY"), under=under)
            if at == last - 1:
                self._record(
                    name, each, each.answers[last], checks, shared=_failover("SECONDARY"), under=under
                )
                continue
            aws.route53.Record(
                f"{name}-{each.key}-after-{answer.site}",
                aws.route53.RecordArgs(
                    **_failover("SECONDARY"),
                    zone_id=self.zone_id,
                    name=under,
                    type=each.type,
                    set_identifier="others",
                    aliases=[
                        aws.route53.RecordAliasArgs(
                            name=_under(each, at + 1), zone_id=self.zone_id, evaluate_target_health=True
                        )
                    ],
                ),
                pulumi.ResourceOptions(parent=self),
            )

    def _record(
        self,
        name: str,
        each: Name,
        answer: Answer,
        checks: Mapping[str, aws.route53.HealthCheck],
        *,
        shared: Mapping[str, Any],
        under: str = "",
    ) -> None:
        switches = self._controls.checks if self._controls else {}
        decides = switches.get(answer.site, checks[answer.site])
        aws.route53.Record(
            f"{name}-{each.key}-{answer.site}",
            aws.route53.RecordArgs(
                **shared,
                zone_id=self.zone_id,
                name=under or each.name.removesuffix("."),
                type=each.type,
                ttl=each.ttl_seconds,
                records=[answer.target],
                set_identifier=answer.site,
                health_check_id=decides.id,
            ),
            pulumi.ResourceOptions(parent=self),
        )


def checkers_of(estate: Estate) -> tuple[str, ...]:
    """Regions to check from: not those where a site stands, whose death would take votes with it."""
    sites = {site.region for site in estate.sites.values() if isinstance(site, AwsSite)}
    apart = tuple(region for region in _CHECKERS if region not in sites)
    return apart if len(apart) >= _FEWEST_CHECKERS else _CHECKERS


def _asked(each: Name, answer: Answer) -> dict[str, str]:
    """Whom to ask: an address under the name that clients use, or the host itself."""
    if each.type == "A":
        return {"ip_address": answer.target, "fqdn": each.name.removesuffix(".")}
    return {"fqdn": answer.target}


def _shared(answer: Answer) -> dict[str, Any]:
    """How the answer shares the traffic with the others."""
    if answer.weight is not None:
        return {
            "weighted_routing_policies": [aws.route53.RecordWeightedRoutingPolicyArgs(weight=answer.weight)]
        }
    return {"latency_routing_policies": [aws.route53.RecordLatencyRoutingPolicyArgs(region=answer.region)]}


def _failover(role: Literal["PRIMARY", "SECONDARY"]) -> dict[str, Any]:
    return {"failover_routing_policies": [aws.route53.RecordFailoverRoutingPolicyArgs(type=role)]}


def _under(each: Name, at: int) -> str:
    """The name under which the choice between a site and those after it stands: the first, under the name."""
    name = each.name.removesuffix(".")
    return f"_after-{at}.{name}" if at else name
