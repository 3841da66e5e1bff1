"""How many tunnels a link needs, and the addresses inside each of them.

Addresses are planned per link, so that a link that is declared later moves no tunnel of an earlier one:
each link has a /24 of 169.254.0.0/16, found by the digest of its name, and a link that would collide with
one declared before it takes the next free block.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from relight.errors import UsageError

TUNNEL_BYTES_PER_SECOND = 156_250_000
"""1.25 Gbit/s: AWS Site-to-Site VPN, standard; HA VPN carries 250,000 packets/s, 1 to 3 Gbit/s both ways."""

MOST_TUNNELS = 48
"""24 connections, half of AWS's default quota per region (50); a link's block has addresses for 64."""

_BLOCK_BITS = 24
_FIRST_BLOCK = (
    6  # AWS keeps 169.254.0.0/30 to 169.254.5.0/30 for itself ("Tunnel options", inside tunnel CIDR)
)
_BLOCKS = tuple(
    block for block in range(_FIRST_BLOCK, 256) if block != 169
)  # metadata servers: 169.254.169.x


@dataclass(frozen=True)
class Inside:
    """The /30 inside a tunnel, with the address of either end."""

    cidr: str
    first: str  # AWS's end, where one end is AWS's
    second: str


def tunnels_for(bytes_per_second: int, group: int = 2) -> int:
    """Tunnels such that half of them carry the rate, so that a gateway may die: the fewest, in whole groups.

    A group is what is made together: 2, one on each gateway; 4 where each gateway has a connection of two
    tunnels. One flow of packets follows one tunnel, so a single TCP connection never gets more than 1.25
    Gbit/s. Raise UsageError beyond MOST_TUNNELS.
    """
    carrying = max(1, -(-bytes_per_second // TUNNEL_BYTES_PER_SECOND))
    tunnels = -(-2 * carrying // group) * group
    if tunnels > MOST_TUNNELS:
        most = MOST_TUNNELS // group * group // 2 * TUNNEL_BYTES_PER_SECOND * 8 / 1e9
        raise UsageError(
            f"{bytes_per_second * 8 / 1e9:g} Gbit/s need {tunnels} tunnels, and {MOST_TUNNELS} are the most",
            f"write {most:g}Gbit/s or less, or order a line (Direct Connect, Interconnect) instead",
        )
    return tunnels


def insides(link: str, links: Sequence[str], count: int) -> tuple[Inside, ...]:
    """The addresses inside the tunnels of a link; `links` are all links of the estate, in declared order."""
    block = _blocks(links)[link]
    room = IPv4Network(f"169.254.{block}.0/{_BLOCK_BITS}").subnets(new_prefix=30)
    return tuple(_inside(network) for network, _ in zip(room, range(count), strict=False))


def _inside(network: IPv4Network) -> Inside:
    first, second = network.hosts()
    return Inside(str(network), str(first), str(second))


def _blocks(links: Sequence[str]) -> dict[str, int]:
    taken: dict[str, int] = {}
    if len(links) > len(_BLOCKS):
        raise UsageError(f"{len(links)} links are more than {len(_BLOCKS)}, the most that have addresses")
    for link in links:
        at = int.from_bytes(hashlib.sha256(link.encode()).digest()[:4]) % len(_BLOCKS)
        while _BLOCKS[at] in taken.values():
            at = (at + 1) % len(_BLOCKS)
        taken[link] = _BLOCKS[at]
    return taken
