"""What a name answers: one answer per site, worked out and refused here, before an engine starts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Literal

from relight.errors import Reason, UsageError
from relight.estate import (
    ActiveActive,
    AwsSite,
    Estate,
    GoogleSite,
    HealthCheck,
    Traffic,
    TrafficRecord,
    ttl_of,
)

_UNREACHED = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/3",
    )
)
"""Networks that no checker of a cloud reaches (Route 53 "Values that you specify for health checks")."""


@dataclass(frozen=True)
class Answer:
    """What one site contributes to a name."""

    site: str
    target: str  # IPv4 address, or a host name without its final dot
    weight: int | None = None  # policy weighted
    region: str | None = None  # policy latency


@dataclass(frozen=True)
class Name:
    """A name, all that it may answer, and what decides."""

    key: str
    name: str  # fully qualified, with its final dot
    type: Literal["A", "CNAME"]
    ttl_seconds: int
    health: HealthCheck
    policy: Literal["failover", "weighted", "latency"]
    answers: tuple[Answer, ...]  # of failover: in the order in which they are tried


def names_of(estate: Estate, traffic: Traffic) -> tuple[Name, ...]:
    """Every name of the zone. Raise UsageError with all that is wrong with them."""
    faults = [fault for key in traffic.records for fault in _faults(estate, traffic, key)]
    if faults:
        raise UsageError("the names cannot be provisioned as they are declared", reasons=tuple(faults))
    return tuple(_name(estate, key, record) for key, record in traffic.records.items())


def _name(estate: Estate, key: str, record: TrafficRecord) -> Name:
    rto = estate.workloads[record.serves].objective.rto
    answers = {
        "failover": _failover,
        "weighted": _weighted,
        "latency": _latency,
    }[record.policy](estate, record)
    return Name(
        key=key,
        name=record.name,
        type="A" if all(_is_address(target) for target in record.targets.values()) else "CNAME",
        ttl_seconds=int((record.ttl if record.ttl is not None else ttl_of(rto)).total_seconds()),
        health=record.health,
        policy=record.policy,
        answers=answers,
    )


def first_of(estate: Estate, record: TrafficRecord) -> str:
    """The site that answers first: where the workload runs in quiet times."""
    runs_on = estate.workloads[record.serves].runs_on
    return runs_on if runs_on in estate.topology.members else estate.topology.primary


def _order(estate: Estate, record: TrafficRecord) -> tuple[str, ...]:
    """Sites in the order in which they take over: the working one, its successor, then the others."""
    first = first_of(estate, record)
    order = (first, estate.topology.successor(first), *estate.topology.members)
    return tuple(dict.fromkeys(order))


def _failover(estate: Estate, record: TrafficRecord) -> tuple[Answer, ...]:
    return tuple(
        Answer(site, _bare(record.targets[site])) for site in _order(estate, record) if site in record.targets
    )


def _weighted(estate: Estate, record: TrafficRecord) -> tuple[Answer, ...]:
    first = first_of(estate, record)
    match estate.topology:
        case ActiveActive() as topology:
            weights = {site: topology.weight(site) for site in record.targets}
        case _:
            weights = {site: 100 if site == first else 0 for site in record.targets}
    return tuple(Answer(site, _bare(target), weight=weights[site]) for site, target in record.targets.items())


def _latency(estate: Estate, record: TrafficRecord) -> tuple[Answer, ...]:
    return tuple(
        Answer(site, _bare(target), region=_region(estate, site)) for site, target in record.targets.items()
    )


def _region(estate: Estate, site: str) -> str | None:
    match estate.sites[site]:
        case AwsSite(region=region) | GoogleSite(region=region):
            return region
        case _:
            return None


def _faults(estate: Estate, traffic: Traffic, key: str) -> Iterator[Reason]:
    record = traffic.records[key]
    path = f"traffic.records.{key}"
    if record.serves not in estate.workloads:
        yield Reason(
            f'there is no workload "{record.serves}"', "name one of the estate", path=f"{path}.serves"
        )
        return
    if record.name != traffic.zone and not record.name.endswith(f".{traffic.zone}"):
        yield Reason(
            f"{record.name} is not in {traffic.zone}", f"write NAME.{traffic.zone}", path=f"{path}.name"
        )
    yield from _target_faults(traffic, record, path)
    strangers = [site for site in record.targets if site not in estate.sites]
    for site in strangers:
        yield Reason(f'there is no site "{site}"', "name one of the estate", path=f"{path}.targets.{site}")
    if not strangers:
        yield from _policy_faults(estate, traffic, record, path)


def _target_faults(traffic: Traffic, record: TrafficRecord, path: str) -> Iterator[Reason]:
    kinds = {_is_address(target) for target in record.targets.values()}
    if kinds == {True, False}:
        yield Reason(
            "some targets are addresses and some are host names; one name answers with one type",
            "write IPv4 addresses for all sites, or host names for all",
            path=f"{path}.targets",
        )
    elif kinds == {False} and record.name == traffic.zone:
        yield Reason(
            f"{record.name} is the zone itself, which cannot be an alias of a host name (RFC 1034, 3.6.2)",
            f"write IPv4 addresses, or a name below it: www.{traffic.zone}",
            path=f"{path}.targets",
        )
    for site, target in record.targets.items():
        if _is_address(target) and any(IPv4Address(target) in block for block in _UNREACHED):
            yield Reason(
                f"{target} is not reached from the internet, where health checks come from",
                "write the site's public address",
                path=f"{path}.targets.{site}",
            )


def _policy_faults(estate: Estate, traffic: Traffic, record: TrafficRecord, path: str) -> Iterator[Reason]:
    if record.policy == "failover":
        order = _order(estate, record)
        for site in order[:2]:
            if site not in record.targets:
                yield Reason(f"the site {site} has no address", "add it", path=f"{path}.targets")
        for site in record.targets:
            if site not in order:
                yield Reason(
                    f"work never goes to {site}, which is not in the topology",
                    "leave it out, or write policy: weighted",
                    path=f"{path}.targets.{site}",
                )
        if len(record.targets) > 2 and not any(map(_is_address, record.targets.values())):
            yield Reason(
                "failover over more than two sites needs addresses: no alias leads to a host name's record",
                "write IPv4 addresses, or two sites",
                path=f"{path}.targets",
            )
    if record.policy == "latency":
        kind, cloud = (AwsSite, "AWS") if traffic.kind == "route53" else (GoogleSite, "Google Cloud")
        for site in record.targets:
            if not isinstance(estate.sites[site], kind):
                yield Reason(
                    f"who is nearest is known for regions of {cloud}, and {site} is in none",
                    "write policy: failover or weighted",
                    path=f"{path}.targets.{site}",
                )


def _is_address(target: str) -> bool:
    try:
        IPv4Address(target)
    except ValueError:
        return False
    return True


def _bare(target: str) -> str:
    return target.removesuffix(".")
