"""The plan as data: steps, claims, findings, and a digest of what approvals are given for."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_serializer,
    model_validator,
)

from relight.canonical import Frozen, digest_of
from relight.plan.findings import Finding
from relight.plan.specs import Irreversible, Spec
from relight.units import Duration


class Estimate(Frozen):
    """How long a step takes: half of the tries within `p50`, nine of ten within `p90`."""

    p50: Duration
    p90: Duration
    at_least: bool = Field(
        default=False, description="nobody knows how much longer: it waits for capacity that is no promise"
    )

    @model_serializer(mode="wrap")
    def _without_default(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        dumped: dict[str, Any] = handler(self)
        return {k: v for k, v in dumped.items() if k != "at_least" or v}


class RetryPolicy(Frozen):
    """Up to `attempts` tries; the wait grows by `factor` from `first` to at most `longest`, jittered."""

    attempts: int = Field(default=3, ge=1, le=1000)
    first: Duration = timedelta(seconds=1)
    factor: float = Field(default=2.0, ge=1, le=10)
    longest: Duration = timedelta(seconds=30)


class Gate(Frozen):
    """A question that people answer before the step may start.

    Nobody may be awake: after `escalate_after` the people in `escalate_to` are called too, and their answer
    counts; after `expire_after` the `fallback` is the answer, and the record says that nobody gave one.
    """

    question: str
    identities: int = Field(default=1, ge=1)
    escalate_after: Duration | None = None
    escalate_to: tuple[str, ...] = ()
    expire_after: Duration | None = None
    fallback: Literal["approve", "refuse"] = "refuse"

    @model_validator(mode="after")
    def _check_order(self) -> Gate:
        if self.escalate_to and self.escalate_after is None:
            raise ValueError("a gate that escalates says when: escalate_after")
        if self.escalate_after and self.expire_after and self.expire_after <= self.escalate_after:
            raise ValueError("a gate escalates before it expires")
        return self


class Window(Frozen):
    """A rolling window over groups of steps, such as the nodes of a hall.

    Up to `size` groups are under way at once, and the next begins when one ends: no barrier. Before that,
    `canaries` groups must have come through. When more than `budget` groups have failed, no further group
    begins until people say so.
    """

    size: int = Field(ge=1)
    canaries: int = Field(default=0, ge=0)
    budget: int = Field(default=0, ge=0, description="groups that may fail before people are asked")
    identities: int = Field(default=1, ge=1, description="people who must agree to go on beyond the budget")


class Step(Frozen):
    """A node of a plan."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$")
    title: str
    spec: Spec
    after: tuple[str, ...] = ()
    at_least: int | None = Field(
        default=None, ge=1, description="how many of `after` must succeed; None: all"
    )
    undo: Spec | Irreversible | None = None
    lane: str | None = None
    window: str | None = None
    group: str | None = Field(default=None, description="which member of the window: a node, a rack")
    timeout: Duration = timedelta(minutes=10)
    retry: RetryPolicy = RetryPolicy()
    gate: Gate | None = None
    estimate: Estimate | None = None

    @field_validator("spec", mode="wrap")
    @classmethod
    def _decode_spec(cls, value: Any, _handler: Any, info: ValidationInfo) -> Spec:
        if isinstance(value, Spec):
            return value
        if not info.context or "catalogue" not in info.context:
            raise ValueError("a plan is decoded by Catalogue.decode")
        spec: Spec = info.context["catalogue"].decode_spec(value)
        return spec

    @field_validator("undo", mode="wrap")
    @classmethod
    def _decode_undo(cls, value: Any, handler: Any, info: ValidationInfo) -> Spec | Irreversible | None:
        if value is None or isinstance(value, Irreversible):
            return value
        if isinstance(value, dict) and "irreversible" in value:
            return TypeAdapter(Irreversible).validate_python(value)
        return cls._decode_spec(value, handler, info)

    @field_serializer("spec")
    def _encode_spec(self, spec: Spec) -> dict[str, Any]:
        # By the spec's own type: a field typed by its base class would serialise to nothing.
        return {"kind": spec.kind, **spec.model_dump(mode="json")}

    @field_serializer("undo")
    def _encode_undo(self, undo: Spec | Irreversible | None) -> dict[str, Any] | None:
        if isinstance(undo, Irreversible):
            return {"irreversible": undo.irreversible}
        return None if undo is None else self._encode_spec(undo)

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        dumped: dict[str, Any] = handler(self)
        return {k: v for k, v in dumped.items() if v not in (None, [], ()) and not self._is_default(k)}

    def _is_default(self, name: str) -> bool:
        return name in ("timeout", "retry") and getattr(self, name) == type(self).model_fields[name].default

    @property
    def needed(self) -> int:
        """How many of `after` must succeed before this step may start."""
        return len(self.after) if self.at_least is None else self.at_least


class Expectation(Frozen):
    """What the plan means to reach for one workload, and where the run will show what it reached."""

    workload: str
    rpo: Duration = Field(description="objective")
    rto: Duration = Field(description="objective")
    began: datetime | None = Field(default=None, description="when it was lost; None: when the run starts")
    began_at: str | None = Field(
        default=None, description="id of the step that ends its work on the old side, where it still runs"
    )
    back_at: str = Field(description="id of the step whose success means that it is back")
    point_from: str | None = Field(
        default=None, description="id of the step whose facts have the restored point's `step`, `sealed_at`"
    )
    last_step: int | None = Field(default=None, description="last training step seen before the loss")
    last_step_from: str | None = Field(
        default=None,
        description="id of the step whose facts have the last training step, where it was drained",
    )
    back: Estimate | None = Field(default=None, description="forecast, from the start of the run")
    unknown: str | None = Field(
        default=None, description="why nobody knows when it is back: it rests on capacity that is no promise"
    )
    gpus: int = 0


class Plan(Frozen):
    """The steps from the situation to the goal. Always decoded and checked by a `Catalogue`."""

    version: int = Field(default=1, ge=1, le=1)
    runbook: str
    source: str = Field(default="", description="digest of the runbook's source that built it")
    goal: str
    estate: str = Field(description="name of the estate")
    inputs: dict[str, str] = {}
    steps: tuple[Step, ...]
    claims: tuple[str, ...] = Field(default=(), description='as "site:north", "workload:digits", "dns:app"')
    lanes: dict[str, int] = Field(default={}, description="how many steps of each lane may run at once")
    windows: dict[str, Window] = {}
    when_stuck: Literal["ask", "end"] = Field(
        default="ask", description="a step failed for good: wait for people to retry, skip or abort, or end"
    )
    findings: tuple[Finding, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    observed_at: datetime
    forecast: Estimate | None = None

    @cached_property
    def digest(self) -> str:
        """What an approval is given for: goal, steps, claims, lanes and the findings to be overridden.

        Estimates, expectations and times of observation stay outside, so that a re-plan which means the
        same keeps its approvals.
        """
        steps = [step.model_dump(mode="json", exclude={"estimate"}) for step in self.steps]
        overrides = sorted([f.code, f.subject, f.identities] for f in self.overrides)
        return digest_of(
            {
                "runbook": self.runbook,
                "goal": self.goal,
                "estate": self.estate,
                "inputs": self.inputs,
                "steps": steps,
                "claims": sorted(self.claims),
                "lanes": self.lanes,
                "windows": {name: window.model_dump(mode="json") for name, window in self.windows.items()},
                "when_stuck": self.when_stuck,
                "overrides": overrides,
            }
        )

    @cached_property
    def by_id(self) -> dict[str, Step]:
        """The steps by their id."""
        return {step.id: step for step in self.steps}

    @property
    def overrides(self) -> tuple[Finding, ...]:
        """The findings that people must sign before the first effect."""
        return tuple(f for f in self.findings if f.strength == "override")

    @property
    def blocks(self) -> tuple[Finding, ...]:
        """The findings that make the plan impossible."""
        return tuple(f for f in self.findings if f.strength == "block")
