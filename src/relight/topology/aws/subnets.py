"""How the network of a site is cut into subnets."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network

from relight.errors import UsageError

MOST_ZONES = 6  # no region has more (us-east-1 has six)
RESERVED = 5  # addresses of each subnet that AWS keeps for itself (VPC guide, "Subnet sizing")


@dataclass(frozen=True)
class Subnet:
    """The two subnets of one zone."""

    zone: str
    private: str  # CIDR
    public: str  # CIDR

    @property
    def room(self) -> int:
        """How many addresses machines may have in the private one."""
        return IPv4Network(self.private).num_addresses - RESERVED


def plan_subnets(cidr: str, zones: tuple[str, ...]) -> tuple[Subnet, ...]:
    """A private and a public subnet for each zone, in their order.

    The network is cut into eighths: one for each zone's private subnet, and the last cut into eighths again
    for the public ones. A zone that is appended moves no subnet of the others. Raise UsageError for a
    network that is not /16 to /20, for no zones, more than six, or one named twice.
    """
    network = IPv4Network(cidr)
    if not 16 <= network.prefixlen <= 20:
        raise UsageError(f"{cidr} is too large or too small for a site in AWS", "write a /16 to /20")
    if not 0 < len(zones) <= MOST_ZONES or len(set(zones)) != len(zones):
        raise UsageError(
            f"{', '.join(zones) or 'no zones'}: a site has one to six zones", "name each zone once"
        )
    *eighths, last = network.subnets(prefixlen_diff=3)
    outer = last.subnets(prefixlen_diff=3)
    return tuple(
        Subnet(zone, str(private), str(public))
        for zone, private, public in zip(zones, eighths, outer, strict=False)
    )
