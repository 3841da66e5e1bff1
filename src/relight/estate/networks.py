"""Do networks keep apart, and do links join what can be joined?"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from itertools import combinations

from relight.estate.check import Check, doubtful, wrong
from relight.estate.clouds import GoogleProject
from relight.estate.links import Link
from relight.estate.model import Estate
from relight.estate.sites import AwsSite, GoogleSite, MetalSite

_WIDEST_VPN = 30_000_000_000  # bit/s: 48 tunnels of 1.25 Gbit/s, half of them on the other gateway
_PRIVATE = (range(64512, 65535), range(4_200_000_000, 4_294_967_295))  # RFC 6996


def check_networks(estate: Estate) -> Iterator[Check]:
    """Networks that overlap or do not fit, and links that cannot be made."""
    yield from _check_sizes(estate)
    yield from _check_overlaps(estate)
    for name, site in estate.sites.items():
        if isinstance(site, MetalSite):
            yield from _check_way_in(f"sites.{name}", site)
    for name, link in estate.links.items():
        yield from _check_link(estate, f"links.{name}", link)


def _check_sizes(estate: Estate) -> Iterator[Check]:
    for name, site in estate.sites.items():
        bounds: dict[str, tuple[str, int, int]] = {}
        if isinstance(site, AwsSite):
            bounds = {"cidr": (site.cidr, 16, 20)}
        elif isinstance(site, GoogleSite):
            bounds = {
                "cidr": (site.cidr, 8, 26),
                "pods": (site.pods, 8, 21),
                "services": (site.services, 8, 27),
                "control_plane": (site.control_plane, 28, 28),
            }
        for field, (cidr, largest, smallest) in bounds.items():
            if not largest <= IPv4Network(cidr).prefixlen <= smallest:
                says = f"a /{largest}" if largest == smallest else f"/{largest} to /{smallest}"
                yield wrong(
                    "network-of-wrong-size",
                    f"sites.{name}.{field}",
                    f"{cidr} is none that the cloud takes here",
                    f"write {says}",
                )


def _networks(estate: Estate) -> Iterator[tuple[str, str, IPv4Network]]:
    """Every network of every site: its place, its site, and itself."""
    for name, site in estate.sites.items():
        if isinstance(site, AwsSite):
            yield f"sites.{name}.cidr", name, IPv4Network(site.cidr)
        elif isinstance(site, GoogleSite):
            for field in ("cidr", "pods", "services", "control_plane"):
                yield f"sites.{name}.{field}", name, IPv4Network(getattr(site, field))
        elif isinstance(site, MetalSite):
            for index, cidr in enumerate(site.networks):
                yield f"sites.{name}.networks.{index}", name, IPv4Network(cidr)
            if site.out_of_band:
                yield f"sites.{name}.out_of_band", name, IPv4Network(site.out_of_band)


def _check_overlaps(estate: Estate) -> Iterator[Check]:
    for (path, site, network), (other_path, other_site, other) in combinations(_networks(estate), 2):
        if network.overlaps(other):
            where = "" if other_site == site else f' of "{site}"'
            yield wrong(
                "networks-overlap",
                other_path,
                f"{other} overlaps {network}{where} ({path}): no link could tell them apart",
                "give each its own",
            )


_JUMP = IPv4Network("100.64.0.0/27")  # where the way to the BMCs stands in the cloud (RFC 6598)


def _check_way_in(path: str, site: MetalSite) -> Iterator[Check]:
    """Whether the BMCs of a site on premises can be reached from the cloud that holds its way in."""
    gateway = site.gateway
    if site.out_of_band is not None and site.cloud is not None and gateway is None:
        yield wrong(
            "no-way-in",
            f"{path}.out_of_band",
            "no tunnel can lead to the BMCs without a gateway",
            "add gateway: {address: …, asn: …}",
        )
    if gateway is None:
        return
    if gateway.address == gateway.second_address:
        yield wrong(
            "one-router-twice",
            f"{path}.gateway.second_address",
            f"{gateway.address} is the first router",
            "write the address of another one, or leave it out",
        )
    if site.out_of_band and isinstance(site.cloud, GoogleProject) and gateway.preshared_key is None:
        yield wrong(
            "no-preshared-key",
            f"{path}.gateway",
            "nothing makes the key of the tunnels to the BMCs: only AWS does that by itself",
            "add preshared_key: env:NAME",
        )
    for cidr in site.cidrs:
        if IPv4Network(cidr).overlaps(_JUMP):
            yield wrong(
                "networks-overlap",
                path,
                f"{cidr} overlaps {_JUMP}, where the way to the BMCs stands",
                "number it otherwise",
            )


def _check_link(estate: Estate, path: str, link: Link) -> Iterator[Check]:
    first, second = link.between
    kinds = {site.kind for end in link.between if (site := estate.sites.get(end))}
    if first == second:
        yield wrong(
            "link-to-itself", f"{path}.between", f'joins "{first}" with itself', "name two different sites"
        )
    if link.replication >= link.bandwidth:
        yield wrong(
            "nothing-left",
            f"{path}.replication",
            "replication may take all that the link carries: serving would starve",
            "set less apart than the bandwidth",
        )
    if link.bandwidth * 8 > _WIDEST_VPN and kinds != {"aws"}:
        yield wrong(
            "too-wide-for-tunnels",
            f"{path}.bandwidth",
            "tunnels carry 30 Gbit/s at most, with half of them dead",
            "write less, or order a dedicated line and leave the link out",
        )
    numbers: dict[int, str] = {}
    for index, end in enumerate(link.between):
        yield from _check_end(estate, f"{path}.between.{index}", end)
        number = asn_of(estate, end)
        if number is None:
            continue
        if number in numbers and numbers[number] != end:
            yield wrong(
                "one-asn-for-two",
                f"{path}.between.{index}",
                f'"{numbers[number]}" and "{end}" both are AS {number}: BGP would refuse the routes',
                f"give sites.{end} another asn",
            )
        numbers[number] = end
    if "aws" not in kinds and link.preshared_key is None and kinds & {"gcp"}:
        yield wrong(
            "no-preshared-key",
            path,
            "nothing makes the key of these tunnels: only AWS does that by itself",
            "add preshared_key: env:NAME",
        )


def asn_of(estate: Estate, site: str) -> int | None:
    """The BGP number of a site; None: it has none."""
    declared = estate.sites.get(site)
    if isinstance(declared, (AwsSite, GoogleSite)):
        return declared.asn
    return declared.gateway.asn if isinstance(declared, MetalSite) and declared.gateway else None


def _check_end(estate: Estate, path: str, end: str) -> Iterator[Check]:
    site = estate.sites.get(end)
    if site is None:
        return
    if not isinstance(site, (AwsSite, GoogleSite, MetalSite)):
        yield wrong(
            "no-way-in",
            path,
            f'"{end}" is a site of kind {site.kind}, which no link leads to',
            "leave the link out: its cluster's network is somebody else's",
        )
    elif isinstance(site, MetalSite) and site.gateway is None:
        yield wrong("no-way-in", path, f'"{end}" declares no gateway', f"add sites.{end}.gateway")
    elif isinstance(site, MetalSite) and not site.networks:
        yield wrong("no-way-in", path, f'"{end}" declares no networks', f"add sites.{end}.networks")
    number = asn_of(estate, end)
    if number is not None and not any(number in numbers for numbers in _PRIVATE):
        told = doubtful if isinstance(site, MetalSite) else wrong  # a cloud's own end takes no other
        yield told("public-asn", path, f'AS {number} of "{end}" is no private number', "write 64512 to 65534")
