"""What a link joins: the two sites, clouds first, and all that is refused before an engine starts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from relight.errors import Reason, UsageError
from relight.estate import AwsSite, ClusterSite, Estate, GoogleSite, Link, MetalSite, SandboxSite
from relight.topology.links.tunnels import TUNNEL_BYTES_PER_SECOND

_ORDER = ("aws", "gcp", "metal")
_PRIVATE_ASNS = (range(64_512, 65_535), range(4_200_000_000, 4_294_967_295))


@dataclass(frozen=True)
class End:
    """One end of a link."""

    name: str
    site: AwsSite | GoogleSite | MetalSite

    @property
    def asn(self) -> int:
        """Its BGP autonomous system number."""
        if isinstance(self.site, MetalSite):
            return self.site.gateway.asn if self.site.gateway else 0
        return self.site.asn

    @property
    def cidrs(self) -> tuple[str, ...]:
        """Its networks, as the other end reaches them."""
        return self.site.cidrs


def ends_of(estate: Estate, name: str) -> tuple[End, End]:
    """The ends of a link, clouds first. Raise UsageError with all that is wrong with the link."""
    link = estate.links.get(name)
    if link is None:
        raise UsageError(
            f'there is no link "{name}"', f"links of this estate: {', '.join(estate.links) or 'none'}"
        )
    faults = tuple(_faults(estate, link, f"links.{name}"))
    if faults:
        raise UsageError(f"the link {name} cannot be provisioned as it is declared", reasons=faults)
    first, second = sorted(_ends(estate, link), key=lambda end: _ORDER.index(end.site.kind))
    return first, second


def parallel_flows(link: Link) -> int:
    """TCP connections that replication needs at least: each follows one tunnel."""
    return max(1, -(-link.replication // TUNNEL_BYTES_PER_SECOND))


def _ends(estate: Estate, link: Link) -> list[End]:
    sites = {name: estate.sites.get(name) for name in link.between}
    return [
        End(name, site) for name, site in sites.items() if isinstance(site, AwsSite | GoogleSite | MetalSite)
    ]


def _faults(estate: Estate, link: Link, path: str) -> Iterator[Reason]:
    if link.between[0] == link.between[1]:
        yield Reason("it joins a site with itself", "name two sites", path=f"{path}.between")
    for at, name in enumerate(link.between):
        match estate.sites.get(name):
            case None:
                yield Reason(
                    f'there is no site "{name}"', "name one of the estate", path=f"{path}.between.{at}"
                )
            case ClusterSite() | SandboxSite() as site:
                yield Reason(
                    f"{name} is of kind {site.kind}: its network is not Relight's to join",
                    "name sites of kind aws, gcp or metal",
                    path=f"{path}.between.{at}",
                )
            case MetalSite(gateway=None):
                yield Reason(f"{name} has no gateway", "declare its router", path=f"sites.{name}.gateway")
            case MetalSite(networks=()):
                yield Reason(f"{name} has no networks", "declare them", path=f"sites.{name}.networks")
            case _:
                pass
    if link.replication > link.bandwidth:
        yield Reason(
            "more is set apart for replication than the link carries",
            "write the bandwidth or less",
            path=f"{path}.replication",
        )
    ends = _ends(estate, link)
    if len(ends) == 2:
        yield from _pair_faults(link, (ends[0], ends[1]), path)


def _pair_faults(link: Link, ends: tuple[End, End], path: str) -> Iterator[Reason]:
    kinds = {end.site.kind for end in ends}
    if kinds == {"metal"}:
        yield Reason(
            "no end of it is in a cloud", "let the two routers speak to each other", path=f"{path}.between"
        )
        return
    if ends[0].asn == ends[1].asn:
        yield Reason(
            f"both ends have the AS number {ends[0].asn}, and BGP drops its own routes",
            "give each site its own asn",
            path=f"sites.{ends[1].name}.asn",
        )
    if "aws" not in kinds and link.preshared_key is None:
        yield Reason(
            "nobody makes the tunnels' key: AWS would, and no end is there",
            "write preshared_key: env:NAME",
            path=f"{path}.preshared_key",
        )
    for end in ends:
        if end.site.kind != "metal" and not any(end.asn in private for private in _PRIVATE_ASNS):
            yield Reason(
                f"{end.asn} is not a private AS number, and clouds take no other",
                "write one of 64512 to 65534 or 4200000000 to 4294967294",
                path=f"sites.{end.name}.asn",
            )
