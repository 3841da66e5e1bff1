"""Sites: failure domains that can die as a whole, told apart by `kind`."""

from __future__ import annotations

import re
from functools import lru_cache
from math import prod
from typing import Annotated, Literal

from ClusterShell.NodeSet import RESOLVER_NOGROUP, NodeSet, NodeSetException
from pydantic import AfterValidator, Field, model_validator

from relight.canonical import Frozen
from relight.estate.adopted import AwsAdopted, ClusterAdopted, GoogleAdopted
from relight.estate.caches import AwsCache, GoogleCache
from relight.estate.clouds import ACCOUNT, PROJECT, AwsCredentials, CloudAccount, GoogleCredentials
from relight.estate.identifiers import Address, Cidr, Identifier
from relight.estate.pools import CloudPool, ClusterPool
from relight.estate.secrets import SecretRef
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


class _Place(Frozen):
    """What sites of every kind have."""

    agent: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="URL of what starts and stops workloads there; none: nothing of Relight's does",
    )
    data: str = Field(default="/data", description="folder that workloads read from")
    store: Identifier = Field(description="the object store that stands in this site")
    probes: dict[Capability, str] = Field(
        min_length=1, description="URL that observers ask, per capability; any 2xx is a sign of life"
    )
    bandwidth: Rate = Field(description="from stores into this site, bytes per second", default=100_000_000)


class _OwnNodes(_Place):
    """Sites whose nodes are theirs, and known by name."""

    nodes: NodeRange = Field(description='the nodes, as "n[1-4]"')
    gpus_per_node: int = Field(ge=1, le=64, default=8, description="GPUs in each node")
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


class SandboxSite(_OwnNodes):
    """A small site on loopback, made of real processes, which the sandbox starts."""

    kind: Literal["sandbox"] = Field(description="processes on loopback")
    agent: str = Field(pattern=r"^https?://", description="URL of the site's agent, its control plane")
    data: str = Field(description="folder that workloads read from, writable by the controller")


class Gateway(Frozen):
    """The router that speaks for a site on premises."""

    address: Address = Field(description="its public IPv4 address, as clouds see it")
    second_address: Address | None = Field(
        default=None, description="of a second router, so that one may fail"
    )
    asn: int = Field(ge=1, le=4_294_967_294, description="its BGP autonomous system number")
    preshared_key: SecretRef | None = Field(
        default=None, description="where the key of its out-of-band tunnels is; none: AWS makes one"
    )


class MetalSite(_OwnNodes):
    """Nodes of one's own, on premises; a cloud holds its images and its way in."""

    kind: Literal["metal"] = Field(description="nodes of one's own, on premises")
    cloud: CloudAccount | None = Field(
        default=None, description="holds images, gateway and the way in for this site; none: it has no stack"
    )
    networks: tuple[Cidr, ...] = Field(default=(), description="its networks, as other sites reach them")
    gateway: Gateway | None = Field(
        default=None, title="Gateway", description="its router; none: no link leads here"
    )
    out_of_band: Cidr | None = Field(
        default=None, description="network of its BMCs, reached when nothing else of it is"
    )
    image_bucket: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        description="bucket for system images and netboot files; none: no such bucket",
    )

    @property
    def cidrs(self) -> tuple[str, ...]:
        """Its networks, as other sites reach them."""
        return self.networks + ((self.out_of_band,) if self.out_of_band else ())


class AwsSite(_Place):
    """A site in one region of AWS."""

    kind: Literal["aws"] = Field(description="a region of Amazon Web Services")
    account: str = Field(pattern=ACCOUNT, description="the account's 12 digits")
    region: str = Field(description='as "us-east-1"')
    zones: tuple[str, ...] = Field(min_length=2, description="availability zones, the pools' own zone first")
    cidr: Cidr = Field(description="network of the site, /16 to /20; no other site's overlaps")
    credentials: AwsCredentials = Field(description="as whom: profile, role or environment: true")
    pools: dict[Identifier, CloudPool] = Field(default={}, description="GPU nodes")
    cache: AwsCache | None = Field(
        default=None, title="Cache", description="file system that workloads read from"
    )
    kubernetes: str = Field(default="1.34", pattern=r"^1\.[0-9]{2}$", description="version of EKS")
    asn: int = Field(default=64512, ge=1, le=4_294_967_294, description="BGP number of its transit gateway")
    adopt: AwsAdopted = Field(default=AwsAdopted(), description="what is there already, and is built upon")

    @property
    def cidrs(self) -> tuple[str, ...]:
        """Its networks, as other sites reach them."""
        return (self.cidr,)

    @property
    def gpus(self) -> int:
        """How many GPUs its pools have at full size."""
        return sum(pool.nodes * pool.gpus_each for pool in self.pools.values())


class GoogleSite(_Place):
    """A site in one region of Google Cloud."""

    kind: Literal["gcp"] = Field(description="a region of Google Cloud")
    project: str = Field(pattern=PROJECT, description="the project's id")
    region: str = Field(description='as "us-central1"')
    zones: tuple[str, ...] = Field(min_length=2, description="zones, the pools' own zone first")
    cidr: Cidr = Field(description="network of the nodes; no other site's overlaps")
    pods: Cidr = Field(description="network of the pods, /21 or larger")
    services: Cidr = Field(description="network of the services")
    control_plane: Cidr = Field(description="network of the cluster's control plane, a /28")
    credentials: GoogleCredentials = Field(description="as whom: key_file, impersonate or environment: true")
    pools: dict[Identifier, CloudPool] = Field(default={}, description="GPU nodes")
    cache: GoogleCache | None = Field(default=None, description="file system that workloads read from")
    asn: int = Field(default=64513, ge=1, le=4_294_967_294, description="BGP number of its cloud router")
    adopt: GoogleAdopted = Field(
        default=GoogleAdopted(), description="what is there already, and is built upon"
    )

    @property
    def cidrs(self) -> tuple[str, ...]:
        """Its networks, as other sites reach them."""
        return (self.cidr, self.pods, self.services, self.control_plane)

    @property
    def gpus(self) -> int:
        """How many GPUs its pools have at full size."""
        return sum(pool.nodes * pool.gpus_each for pool in self.pools.values())


class ClusterCredentials(Frozen):
    """How a Kubernetes cluster is reached."""

    kubeconfig: SecretRef | None = Field(default=None, description="where the kubeconfig is, as file:PATH")
    context: str | None = Field(default=None, min_length=1, description="of the kubeconfig; none: its own")
    environment: bool = Field(default=False, description="true: KUBECONFIG, or ~/.kube/config")

    @model_validator(mode="after")
    def _names_a_cluster(self) -> ClusterCredentials:
        if not (self.kubeconfig or self.environment):
            raise ValueError("names no cluster; write kubeconfig: file:PATH, or environment: true")
        return self


class ClusterSite(_Place):
    """A site in a Kubernetes cluster that is there: anybody's, on premises too."""

    kind: Literal["kubernetes"] = Field(description="a Kubernetes cluster that is there")
    credentials: ClusterCredentials = Field(description="how it is reached: kubeconfig or environment: true")
    namespace: Identifier = Field(default="relight", description="where the workloads run")
    pools: dict[Identifier, ClusterPool] = Field(default={}, description="room for GPU workloads")
    reachable_from: tuple[Cidr, ...] = Field(
        default=(), description="networks that may call its workloads; none: only its own namespace"
    )
    adopt: ClusterAdopted = Field(default=ClusterAdopted(), description="what is there already")

    @property
    def cidrs(self) -> tuple[str, ...]:
        """Nothing: a cluster's networks are its own affair."""
        return ()

    @property
    def gpus(self) -> int:
        """How many GPUs its pools have at full size."""
        return sum(pool.nodes * pool.gpus_each for pool in self.pools.values())


Site = Annotated[SandboxSite | MetalSite | AwsSite | GoogleSite | ClusterSite, Field(discriminator="kind")]
"""Every kind of site, told apart by `kind`."""
OwnNodes = SandboxSite | MetalSite
"""Those whose nodes are known by name."""
CloudSite = AwsSite | GoogleSite | ClusterSite
"""Those that have pools, and a stack that sizes them."""
