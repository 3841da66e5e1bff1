"""What is tried of every name server: that it answers, and that it would take an update of each name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from relight.errors import Conflict, RelightError
from relight.estate import DnsName, Estate
from relight.plan import Spec
from relight.situation import PreflightCheck
from relight.traffic.handlers import NameServers
from relight.traffic.steps import SwapName, VerifyClient


def preflight(estate: Estate, world: NameServers) -> Iterator[PreflightCheck]:
    """Two checks per name and server that holds it."""
    for declared in estate.dns.names.values():
        for server in declared.servers:
            things, name = (f"server:{server}",), declared.name
            ask = partial(_address, world, server, declared)
            yield PreflightCheck(f"name server {server} gives an address of ours for {name}", things, ask)
            rehearse = partial(_rehearse, world, server, declared)
            yield PreflightCheck(f"name server {server} takes updates of {name}", things, rehearse)


def needs(specs: Iterable[Spec], estate: Estate) -> Iterator[str]:
    """What steps need of this room."""
    del estate
    for spec in specs:
        if isinstance(spec, SwapName | VerifyClient):
            yield from (f"server:{server}" for server in spec.servers)


def _address(world: NameServers, server: str, declared: DnsName) -> str:
    address = world.names(server).address(declared.name)
    if address is None:
        return "it has no record yet; the first swap makes one"
    sites = [site for site, target in declared.targets.items() if str(target) == address]
    if not sites:
        raise RelightError(
            f"{server} gives {address} for {declared.name}, which belongs to no site",
            "somebody changed it by hand: put it right, or declare the address",
        )
    return f"{address}, which is {sites[0]}"


def _rehearse(world: NameServers, server: str, declared: DnsName) -> str:
    try:
        world.names(server).rehearse(declared.zone, declared.name)
    except Conflict:  # it was swapped between looking and asking
        world.names(server).rehearse(declared.zone, declared.name)
    return "an update that changes nothing was taken"
