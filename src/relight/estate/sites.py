"""Sites: failure domains that can die as a whole, told apart by `kind`."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from ClusterShell.NodeSet import NodeSet, NodeSetException
from pydantic import AfterValidator, Field

from relight.canonical import Frozen
from relight.estate.identifiers import Identifier
from relight.units import Rate

Capability = Literal["compute", "storage", "fabric", "power", "ingress", "control-plane"]
"""What of a site can fail on its own."""


def _check_nodes(text: str) -> str:
    try:
        nodes = NodeSet(text)
    except NodeSetException as error:
        raise ValueError(f'not a node set: {error}; write "gpu[0001-1000]" or "a1,a2"') from None
    if not len(nodes):
        raise ValueError('the node set is empty; write "gpu[0001-1000]" or "a1,a2"')
    return text


NodeRange = Annotated[str, AfterValidator(_check_nodes)]
"""Nodes as ClusterShell writes them: "gpu[0001-1000]"."""


class SandboxSite(Frozen):
    """A small site on loopback, made of real processes, which the sandbox starts."""

    kind: Literal["sandbox"]
    agent: str = Field(pattern=r"^https?://", description="URL of the site's agent, its control plane")
    nodes: NodeRange = Field(description='the nodes, as "n[1-4]"')
    gpus_per_node: int = Field(ge=1, le=64, default=8)
    data: str = Field(description="folder that workloads read from, writable by the controller")
    store: Identifier = Field(description="the object store that stands in this site")
    probes: dict[Capability, str] = Field(
        min_length=1, description="URL that observers ask, per capability; any 2xx is a sign of life"
    )
    bandwidth: Rate = Field(description="from stores into this site, bytes per second", default=100_000_000)

    @cached_property
    def node_count(self) -> int:
        """How many nodes the site has."""
        return len(NodeSet(self.nodes))

    @property
    def gpus(self) -> int:
        """How many GPUs the site has."""
        return self.node_count * self.gpus_per_node


Site = SandboxSite
"""Every kind of site; metal, aws, gcp and kubernetes join this union, told apart by `kind`."""
