"""Sites: failure domains that can die as a whole, told apart by `kind`."""

from __future__ import annotations

import re
from functools import lru_cache
from math import prod
from typing import Annotated, Literal

from ClusterShell.NodeSet import RESOLVER_NOGROUP, NodeSet, NodeSetException
from pydantic import AfterValidator, Field

from relight.canonical import Frozen
from relight.estate.identifiers import Identifier
from relight.estate.ssh import Ssh
from relight.units import Rate

Capability = Literal["compute", "storage", "fabric", "power", "ingress", "control-plane"]
"""What of a site can fail on its own."""

_MOST_NODES = 100_000
_NODE_CHARACTERS = re.compile(r"[A-Za-z0-9._,/!&^\[\]-]*")
_PATTERN = re.compile(r"(?:[^\[\],!&^]|\[[^\]]*\])+")
_BRACKETS = re.compile(r"\[([^\]]*)\]")
_LONG_NUMBER = re.compile(r"[0-9]{19}")
_LONGEST_SET, _MOST_BRACKETS = 200_000, 2_000  # 10,000 names written one by one have 150,000 characters
_MOST_COMPUTED = 50  # parts of a set with !, & or ^: what they cost grows with the square
_HOW = 'write "gpu[0001-1000]" or "a1,a2"'


def _check_nodes(text: str) -> str:
    if not _NODE_CHARACTERS.fullmatch(text):
        raise ValueError(f"the node set has characters that node names have not; {_HOW}")
    if len(text) > _LONGEST_SET or text.count("[") > _MOST_BRACKETS or _LONG_NUMBER.search(text):
        raise ValueError(f"the node set is too long, or a number in it is; {_HOW}")
    patterns = _PATTERN.findall(text)
    if len(patterns) > _MOST_COMPUTED and set("!&^") & set(text):
        raise ValueError(f"the node set computes with more than {_MOST_COMPUTED} parts; write the nodes out")
    if sum(_most_named_by(pattern) for pattern in patterns) > _MOST_NODES:
        raise ValueError(f"the node set has more than {_MOST_NODES:,} nodes; split the site")
    try:
        count = _count_nodes(text)
    except NodeSetException as error:
        why = str(error)
        raise ValueError(f"not a node set: {why if len(why) <= 80 else why[:79] + '…'}; {_HOW}") from None
    if not count:
        raise ValueError(f"the node set is empty; {_HOW}")
    return text


@lru_cache(maxsize=1024)
def _count_nodes(text: str) -> int:
    # Without groups: they would be read from files and commands of whatever machine this runs on.
    patterns = _PATTERN.findall(text)
    if len(patterns) < 2 or ",".join(patterns) != text:
        return len(NodeSet(text, resolver=RESOLVER_NOGROUP))
    # A plain list is joined here: ClusterShell takes quadratic time for names with two numbers or more.
    names = {pattern for pattern in patterns if "[" not in pattern}
    for pattern in patterns:
        if "[" in pattern:
            names.update(NodeSet(pattern, resolver=RESOLVER_NOGROUP))
    return len(names)


def _most_named_by(pattern: str) -> int:
    """How many nodes a part of a node set may unfold to, counted before it is unfolded."""
    return prod(_most_in(ranges) for ranges in _BRACKETS.findall(pattern))


def _most_in(ranges: str) -> int:
    total = 0
    for part in ranges.split(","):
        first, _, last = part.partition("/")[0].partition("-")
        if first.isdecimal() and last.isdecimal():
            total += max(1, int(last) - int(first) + 1)
        else:
            total += 1
    return total


NodeRange = Annotated[str, AfterValidator(_check_nodes)]
"""Nodes as ClusterShell writes them: "gpu[0001-1000]"."""


class SandboxSite(Frozen):
    """A small site on loopback, made of real processes, which the sandbox starts."""

    kind: Literal["sandbox"] = Field(description="processes on loopback")
    agent: str = Field(pattern=r"^https?://", description="URL of the site's agent, its control plane")
    nodes: NodeRange = Field(description='the nodes, as "n[1-4]"')
    gpus_per_node: int = Field(ge=1, le=64, default=8, description="GPUs in each node")
    data: str = Field(description="folder that workloads read from, writable by the controller")
    store: Identifier = Field(description="the object store that stands in this site")
    probes: dict[Capability, str] = Field(
        min_length=1, description="URL that observers ask, per capability; any 2xx is a sign of life"
    )
    bandwidth: Rate = Field(description="from stores into this site, bytes per second", default=100_000_000)
    ssh: Ssh | None = Field(
        default=None, title="SSH", description="how its nodes are reached; none: no playbook runs there"
    )

    @property
    def node_count(self) -> int:
        """How many nodes the site has."""
        return _count_nodes(self.nodes)

    @property
    def gpus(self) -> int:
        """How many GPUs the site has."""
        return self.node_count * self.gpus_per_node


Site = SandboxSite
"""Every kind of site; metal, aws, gcp and kubernetes join this union, told apart by `kind`."""
