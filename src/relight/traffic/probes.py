"""What a survey asks the name servers."""

from __future__ import annotations

from functools import partial

from relight.errors import NotFound
from relight.estate import Estate
from relight.situation import Probe
from relight.traffic.handlers import NameServers


def probes(estate: Estate, world: NameServers) -> list[Probe]:
    """One question per name and server: the address (str) that it gives, unknown where it has none."""
    return [
        Probe(("dns", key, "addresses", server), partial(_address, world, server, declared.name))
        for key, declared in estate.dns.names.items()
        for server in declared.servers
    ]


def _address(world: NameServers, server: str, name: str) -> str:
    address = world.names(server).address(name)
    if address is None:
        raise NotFound(f"{server} has no address for {name}")
    return address
