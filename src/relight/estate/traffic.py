"""Traffic: names in a cloud's DNS that follow the work by health checks, weights and routing controls."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from relight.canonical import Frozen
from relight.estate.identifiers import Identifier
from relight.estate.names import HOST
from relight.units import Duration

_SHORTEST, _LONGEST = timedelta(seconds=10), timedelta(seconds=60)


def ttl_of(rto: timedelta) -> timedelta:
    """How long clients may keep an address: a sixtieth of the RTO, at least 10 s and at most 60 s.

    A sixtieth, since the TTL is spent after detection and before the first request comes back; below 10 s
    resolvers stop obeying, and above 60 s health checks are faster than the names that follow them.
    """
    return timedelta(seconds=int(min(_LONGEST, max(_SHORTEST, rto / 60)).total_seconds()))


class HealthCheck(Frozen):
    """What the cloud's own checkers ask of each site, from many places."""

    path: str = Field(default="/health", pattern=r"^/\S*$", description="what is asked over HTTPS")
    port: int = Field(default=443, ge=1, le=65535, description="where it is asked")
    interval_seconds: Literal[10, 30] = Field(default=10, description="between two checks")
    failures: int = Field(default=3, ge=1, le=10, description="in a row, before a site counts as down")


class TrafficRecord(Frozen):
    """One name, and the address of each site behind it."""

    name: str = Field(pattern=HOST, description='fully qualified, with its final dot: "chat.example.net."')
    serves: Identifier = Field(description="the workload behind it")
    policy: Literal["failover", "weighted", "latency"] = Field(
        default="failover", description="how the sites share the traffic"
    )
    targets: dict[Identifier, str] = Field(
        min_length=1, description="IPv4 address or host name per site, as clients reach it"
    )
    health: HealthCheck = Field(default=HealthCheck(), description="what decides whether a site is asked")
    ttl: Duration | None = Field(default=None, description="none: derived from the RTO of what it serves")


class Traffic(Frozen):
    """A zone in a cloud's DNS, and the names in it that follow the work."""

    kind: Literal["route53", "cloud-dns"] = Field(description="whose DNS; `stacks.outside` is of that cloud")
    zone: str = Field(pattern=HOST, description='the zone, as "example.net."')
    adopt: str | None = Field(
        default=None,
        min_length=1,
        description="id (Route 53) or name (Cloud DNS) of a zone that is there",
    )
    records: dict[Identifier, TrafficRecord] = Field(default={}, description="names that follow the work")
    routing_controls: bool = Field(
        default=False,
        description="true: Application Recovery Controller switches sites (Route 53 only)",
    )
