"""Topologies: where the work of a site goes when the site dies, and how much stands ready for it."""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from typing import Annotated, Literal

from pydantic import Field

from relight.canonical import Frozen
from relight.estate.identifiers import Identifier
from relight.units import Duration


class _Pair(Frozen):
    """One site works and another takes over."""

    primary: Identifier = Field(description="the site that works in quiet times")
    standby: Identifier = Field(description="the site that takes over")

    @property
    def members(self) -> tuple[str, ...]:
        """Its sites, the one that works first."""
        return tuple(dict.fromkeys((self.primary, self.standby)))

    def successor(self, site: str) -> str:
        """Where the work of `site` goes: the standby for the primary, the primary for any other."""
        return self.standby if site == self.primary else self.primary

    def works_quietly(self, site: str) -> bool:
        """Whether a site works in quiet times."""
        return site == self.primary

    def full_nodes(self, site: str, nodes: int) -> int:  # noqa: ARG002 (the same everywhere)
        """How many nodes a pool has while its site carries all that it is meant to carry."""
        return nodes


class ActivePassive(_Pair):
    """One site works; a part of the other runs, and grows to take the whole work over."""

    kind: Literal["active-passive"] = Field(description="one works, a part of the other stands by")
    standby_share: float = Field(
        default=0.2, gt=0, le=1, description="part of each pool that runs in the standby in quiet times"
    )
    full_within: Duration = Field(
        default=timedelta(minutes=30), description="how soon the standby must be at full size"
    )

    def quiet_nodes(self, site: str, nodes: int) -> int:
        """How many nodes of a pool run in quiet times."""
        return nodes if site == self.primary else ceil(nodes * self.standby_share)


class PilotLight(_Pair):
    """One site works; of the other only network, data, identity, control plane and images are alive."""

    kind: Literal["pilot-light"] = Field(description="one works, the core of the other is alive")
    full_within: Duration = Field(
        default=timedelta(hours=2), description="how soon the standby must be at full size"
    )

    def quiet_nodes(self, site: str, nodes: int) -> int:
        """How many nodes of a pool run in quiet times."""
        return nodes if site == self.primary else 0


class CloudBurst(Frozen):
    """One site works, on premises; its work bursts into clouds, rung by rung, wherever there is capacity."""

    kind: Literal["cloud-burst"] = Field(description="one works on premises, clouds are the ladder")
    primary: Identifier = Field(description="the site that works in quiet times")
    ladder: tuple[Identifier, ...] = Field(
        min_length=1, description="sites to burst into, in order: region, second region, second cloud"
    )

    @property
    def standby(self) -> str:
        """The first site to burst into."""
        return self.ladder[0]

    @property
    def members(self) -> tuple[str, ...]:
        """Its sites, the one that works first."""
        return tuple(dict.fromkeys((self.primary, *self.ladder)))

    @property
    def full_within(self) -> None:
        """Nobody knows: capacity decides."""
        return None

    def successor(self, site: str) -> str:
        """Where the work of `site` goes: up the ladder from the primary, back to it from any other."""
        return self.standby if site == self.primary else self.primary

    def quiet_nodes(self, site: str, nodes: int) -> int:
        """How many nodes of a pool run in quiet times: none in the clouds."""
        return nodes if site == self.primary else 0

    def works_quietly(self, site: str) -> bool:
        """Whether a site works in quiet times."""
        return site == self.primary

    def full_nodes(self, site: str, nodes: int) -> int:  # noqa: ARG002 (the same everywhere)
        """How many nodes a pool has while its site carries all that it is meant to carry."""
        return nodes


class ActiveActive(Frozen):
    """Every site works; each holds its share of the work times n/(n-1), so that one of n may die."""

    kind: Literal["active-active"] = Field(description="every site works, and one may die")
    sites: tuple[Identifier, ...] = Field(min_length=2, description="the sites, each of which works")
    weights: dict[Identifier, int] = Field(
        default={}, description="share of the traffic per site, 0 to 255; a site that is left out: 100"
    )

    @property
    def primary(self) -> str:
        """The first site; in quiet times it is as good as any other."""
        return self.sites[0]

    @property
    def standby(self) -> str:
        """The site that takes over from the first."""
        return self.successor(self.primary)

    @property
    def members(self) -> tuple[str, ...]:
        """Its sites."""
        return tuple(dict.fromkeys(self.sites))

    @property
    def full_within(self) -> timedelta:
        """At once: what the others hold is there already."""
        return timedelta(0)

    def successor(self, site: str) -> str:
        """Where work goes that may run at one site only: to the next one, around the circle."""
        after = self.sites.index(site) + 1 if site in self.sites else 0
        return self.sites[after % len(self.sites)]

    def weight(self, site: str) -> int:
        """The site's share of the traffic, against the others'."""
        return self.weights.get(site, 100)

    def works_quietly(self, site: str) -> bool:
        """Whether a site works in quiet times: every one does."""
        return site in self.sites

    def quiet_nodes(self, site: str, nodes: int) -> int:
        """How many nodes of a pool run in quiet times: its share times n/(n-1), rounded up."""
        return self.full_nodes(site, nodes)

    def full_nodes(self, site: str, nodes: int) -> int:  # noqa: ARG002 (every site is alike)
        """How many nodes a pool has while its site carries all that it is meant to carry."""
        n = len(self.members)
        return -(-nodes * n // max(1, n - 1))


Topology = Annotated[ActivePassive | PilotLight | CloudBurst | ActiveActive, Field(discriminator="kind")]
"""Every topology, told apart by `kind`."""
