"""Workloads: what runs, what it may lose, and how soon it must be back."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from relight.canonical import Frozen
from relight.estate.identifiers import Identifier
from relight.units import Duration

WorkloadKind = Literal["training", "inference", "registry", "dataset", "development"]


class Objective(Frozen):
    """What a workload may lose (RPO) and how soon it must be back (RTO)."""

    rpo: Duration
    rto: Duration


class DeclaredObjective(Frozen):
    """An objective as it is written: what is left out comes from the workload's kind."""

    rpo: Duration | None = Field(default=None, description="the work that may be lost, as time")
    rto: Duration | None = Field(default=None, description="how soon it must be back")


def _hours(rpo: float, rto: float) -> Objective:
    return Objective(rpo=timedelta(hours=rpo), rto=timedelta(hours=rto))


DEFAULT_OBJECTIVES: dict[WorkloadKind, Objective] = {
    "training": _hours(2, 4),
    "inference": Objective(rpo=timedelta(minutes=5), rto=timedelta(minutes=15)),
    "registry": _hours(1, 1),
    "dataset": _hours(24, 24),
    "development": _hours(24, 24),
}
"""Objectives that a kind carries where the estate says nothing: the tighter end of the usual ranges."""


class Container(Frozen):
    """How a workload runs in a Kubernetes cluster."""

    image: str = Field(min_length=1, description="by digest where it must be the same everywhere")
    command: tuple[str, ...] = Field(default=(), description="none: the image's own")
    gpus_each: int = Field(default=8, ge=1, le=72, description="GPUs of each replica")
    port: int | None = Field(default=None, ge=1, le=65535, description="where it serves; none: it does not")
    environment: dict[str, str] = Field(default={}, description="never secrets")
    secrets: tuple[str, ...] = Field(
        default=(), description="Kubernetes Secrets, by name, that it gets as its environment"
    )
    runs_as_root: bool = Field(
        default=False, description="true: its image needs root, and gets no more of it"
    )


class Workload(Frozen):
    """One thing that runs at a site and is to run again elsewhere when the site dies."""

    kind: WorkloadKind = Field(description="carries the objective, where none is declared")
    runs_on: Identifier = Field(description="the site where it runs in quiet times")
    priority: int = Field(default=100, ge=0, le=1000, description="higher comes back first")
    objective_declared: DeclaredObjective = Field(default=DeclaredObjective(), alias="objective")
    gpus: int = Field(default=0, ge=0, description="GPUs that it runs on")
    writes: tuple[Identifier, ...] = Field(
        default=(), description="stores that hold its recovery points; the first is where it seals"
    )
    checkpoint_every: Duration | None = Field(
        default=None, description="how often it seals a recovery point; no longer than its RPO"
    )
    reads: Identifier | None = Field(default=None, description="workload whose points it loads at start")
    depends_on: tuple[Identifier, ...] = Field(default=(), description="workloads that must run first")
    pool: Identifier | None = Field(
        default=None, description="the pool it runs in, at every site that has pools; none: the only one"
    )
    container: Container | None = Field(
        default=None,
        title="Container",
        description="how it runs in Kubernetes; none: a stack does not run it",
    )
    may_be_stopped: bool = Field(
        default=False, description="may be stopped to make room for workloads of higher priority"
    )

    @property
    def objective(self) -> Objective:
        """The objective in force: what is declared, else the default of the kind."""
        default, declared = DEFAULT_OBJECTIVES[self.kind], self.objective_declared
        return Objective(
            rpo=default.rpo if declared.rpo is None else declared.rpo,
            rto=default.rto if declared.rto is None else declared.rto,
        )

    @property
    def writes_points(self) -> bool:
        """Whether it writes something that two sites must never write at once."""
        return bool(self.writes)
