"""Pools: nodes of one kind that grow and shrink together, and the rungs of capacity that they come from.

A pool has no size here but its full one: how large it is in quiet times the topology says, and how large it
is in an incident the intent says, which is kept in the witness.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field, model_validator

from relight.canonical import Frozen
from relight.estate.hardware import machine_of
from relight.estate.identifiers import Identifier
from relight.units import Duration

RungKind = Literal["reservation", "own-metal", "capacity-block", "on-demand", "spot", "flex-start"]
Capacity = Literal["guaranteed", "booked", "best-effort"]

CAPACITY: dict[RungKind, Capacity] = {
    "reservation": "guaranteed",
    "own-metal": "guaranteed",
    "capacity-block": "booked",
    "on-demand": "best-effort",
    "spot": "best-effort",
    "flex-start": "best-effort",
}
"""What a kind of rung promises: nodes that are there; nodes from a date to a date; nodes if there are any."""


class Rung(Frozen):
    """One source of nodes of a pool; rungs are tried in order."""

    kind: RungKind = Field(description="where the nodes come from")
    name: Identifier | None = Field(default=None, description="none: its kind")
    nodes: int = Field(ge=1, le=10_000, description="how many it may give at most")
    id: str | None = Field(
        default=None, min_length=1, description="of the reservation or block, as the cloud calls it"
    )
    placement_group: str | None = Field(
        default=None,
        min_length=1,
        description="of an AWS reservation: the cluster placement group it was made in",
    )
    starts: datetime | None = Field(default=None, description="of a block: from when it is booked, with zone")
    ends: datetime | None = Field(default=None, description="of a block: until when")
    ready_in: Duration | None = Field(
        default=None, description="how long until its nodes work; only guaranteed capacity may say so"
    )
    usd_per_node_hour: float | None = Field(default=None, ge=0, description="while a node of it runs")
    usd_per_month: float | None = Field(default=None, ge=0, description="committed, used or not")

    @property
    def key(self) -> str:
        """Its name in the pool."""
        return self.name or self.kind

    @property
    def capacity(self) -> Capacity:
        """What it promises."""
        return CAPACITY[self.kind]

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Rung:
        if self.kind in ("reservation", "capacity-block") and self.id is None:
            raise ValueError(f"a {self.kind} has an id; write the one that the cloud gave it")
        if self.kind not in ("reservation", "capacity-block") and self.id is not None:
            raise ValueError(f"{self.kind} has no id; leave it out, or write kind: reservation")
        if self.placement_group is not None and self.kind != "reservation":
            raise ValueError(f"{self.kind} is placed by its pool; leave placement_group out")
        if self.ready_in is not None and self.capacity != "guaranteed":
            raise ValueError(
                f"ready_in is a promise, and {self.kind} is {self.capacity}; leave it out: nobody knows"
            )
        if self.kind != "capacity-block":
            if self.starts or self.ends:
                raise ValueError(f"{self.kind} is not booked by date; leave starts and ends out")
            return self
        if self.starts is None or self.ends is None:
            raise ValueError("a capacity-block is booked from a time to a time; write starts and ends")
        if self.starts.tzinfo is None or self.ends.tzinfo is None:
            raise ValueError('starts and ends need their zone; write "2026-12-01T11:30:00Z"')
        if self.ends <= self.starts:
            raise ValueError("ends before it starts; write a later end")
        return self


class Pool(Frozen):
    """What pools of every cloud have."""

    nodes: int = Field(ge=1, le=10_000, description="what its share of the work needs, at full size")
    rungs: tuple[Rung, ...] = Field(min_length=1, description="where its nodes come from, tried in order")
    gpus_per_node: int | None = Field(default=None, ge=1, le=72, description="none: as its machine has")
    patience: Duration = Field(
        default=timedelta(minutes=10), description="how long a rung may take to give its nodes"
    )

    def rung(self, key: str) -> Rung | None:
        """The rung of a name."""
        return next((rung for rung in self.rungs if rung.key == key), None)

    @property
    def most_nodes(self) -> int:
        """What all its rungs could give together."""
        return sum(rung.nodes for rung in self.rungs)

    @property
    def guaranteed_nodes(self) -> int:
        """What the rungs give for certain."""
        return sum(rung.nodes for rung in self.rungs if rung.capacity == "guaranteed")


class CloudPool(Pool):
    """Nodes of one machine type of a cloud."""

    machine: str = Field(min_length=1, description='as the cloud calls it: "p5.48xlarge", "a3-highgpu-8g"')
    form: Literal["cluster", "instances"] = Field(
        default="cluster",
        description="nodes of a managed Kubernetes (EKS, GKE), or machines (Auto Scaling, instance groups)",
    )
    image: str | None = Field(default=None, min_length=1, description="of machines: it must exist there")
    zone: str | None = Field(
        default=None, description="where all of it stands, close together; none: the first zone of the site"
    )
    warm: int = Field(default=0, ge=0, le=1000, description="of AWS machines: kept stopped, to start sooner")
    disk_gib: int = Field(default=500, ge=50, le=64_000, description="root disk of each node, GiB")

    @property
    def gpus_each(self) -> int:
        """GPUs of each node: as declared, else as the machine has; 0: nobody knows."""
        known = machine_of(self.machine)
        return self.gpus_per_node or (known.gpus if known else 0)


class ClusterPool(Pool):
    """Room in a Kubernetes cluster that is there: workloads of the pool follow its size."""

    selector: dict[str, str] = Field(
        default={}, description='labels of its nodes, as {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}'
    )
    resource: str = Field(default="nvidia.com/gpu", description="what a GPU is called as a resource")
    tolerate: tuple[str, ...] = Field(
        default=("nvidia.com/gpu",), description="keys of taints that its pods tolerate"
    )

    @property
    def gpus_each(self) -> int:
        """GPUs of each node; 8 where nothing is declared."""
        return self.gpus_per_node or 8
