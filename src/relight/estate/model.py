"""The estate: every section, as one frozen value."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from relight.canonical import Frozen, digest_of
from relight.estate.approvals import Approvals
from relight.estate.identifiers import Identifier
from relight.estate.links import Link
from relight.estate.names import Dns
from relight.estate.observers import Observer
from relight.estate.sites import OwnNodes, Site
from relight.estate.stacks import Stacks
from relight.estate.stores import Store, Witness
from relight.estate.topologies import CloudBurst, Topology
from relight.estate.traffic import Traffic
from relight.estate.workloads import Workload

Person = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,79}$")]


class Estate(Frozen):
    """All that is declared. Sections refer to each other by name; `check_estate` follows the names."""

    version: Literal[1] = Field(description="of this format")
    name: Identifier = Field(description="what the estate is called in plans and reports")
    sites: dict[Identifier, Site] = Field(min_length=1, description="failure domains that can die as a whole")
    topology: Topology = Field(description="where work goes when a site dies, and what stands ready")
    stores: dict[Identifier, Store] = Field(min_length=1, description="where recovery points live")
    witness: Witness
    observers: dict[Identifier, Observer] = Field(
        min_length=1,
        description="lookouts whose majority calls a site lost: an odd number, in several places",
    )
    workloads: dict[Identifier, Workload] = Field(
        min_length=1, description="what runs, what each may lose and how soon it must be back"
    )
    dns: Dns = Dns()
    traffic: Traffic | None = Field(
        default=None, title="Traffic", description="names in a cloud's DNS that follow the work"
    )
    links: dict[Identifier, Link] = Field(default={}, description="private ways between sites")
    stacks: Stacks | None = Field(
        default=None,
        title="Stacks",
        description="where Pulumi keeps its state; none: nothing is provisioned from here",
    )
    approvers: tuple[Person, ...] = Field(
        default=(), description="who may approve; none: anyone who can run the command here"
    )
    approvals: Approvals | None = Field(
        default=None,
        title="Approvals",
        description="SSH keys that answers must be signed with; none: a name is believed",
    )

    @cached_property
    def digest(self) -> str:
        """The digest of all that is declared; it holds references to secrets, never their values."""
        return digest_of(self.model_dump(mode="json", by_alias=True))

    def workloads_at(self, site: str) -> dict[str, Workload]:
        """The workloads that run at a site in quiet times, those of higher priority first."""
        here = {name: w for name, w in self.workloads.items() if w.runs_on == site}
        return dict(sorted(here.items(), key=lambda item: (-item[1].priority, item[0])))

    def gpus_at(self, site: str) -> int:
        """GPUs of a site while it carries all that the topology may ask of it."""
        declared = self.sites[site]
        if isinstance(declared, OwnNodes):
            return declared.gpus
        return sum(
            self.topology.full_nodes(site, pool.nodes) * pool.gpus_each for pool in declared.pools.values()
        )

    def quiet_nodes(self, site: str, nodes: int) -> int:
        """How many of a pool's nodes run in quiet times; a site that no topology names carries nothing."""
        return self.topology.quiet_nodes(site, nodes) if site in self.topology.members else 0

    def is_burst_into(self, site: str) -> bool:
        """Whether a site is one of the clouds that work bursts into, and sleeps until then."""
        return isinstance(self.topology, CloudBurst) and site in self.topology.ladder

    def other_site(self, site: str) -> str:
        """Where the work of `site` goes when it dies."""
        return self.topology.successor(site)
