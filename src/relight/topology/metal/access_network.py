"""The small network in a cloud from which a site's BMCs are reached."""

from __future__ import annotations

from ipaddress import IPv4Network

from relight.errors import UsageError
from relight.estate import MetalSite

ACCESS_CIDR = "100.64.0.0/27"
"""From the shared address space (RFC 6598), which no site on premises should use inside."""
BMC_PORTS = (("tcp", 443), ("tcp", 22), ("udp", 623))
"""Redfish, serial console, IPMI; a BMC is asked for nothing else."""


def access_subnets() -> list[str]:
    """Its two halves, one for each zone."""
    return [str(subnet) for subnet in IPv4Network(ACCESS_CIDR).subnets(prefixlen_diff=1)]


def require_apart(name: str, site: MetalSite) -> None:
    """Return if no network of the site overlaps with it. Raise UsageError."""
    for cidr in site.cidrs:
        if IPv4Network(cidr).overlaps(IPv4Network(ACCESS_CIDR)):
            raise UsageError(
                f"{cidr} of {name} overlaps with {ACCESS_CIDR}, from which its BMCs are reached",
                "give the site another network",
            )
