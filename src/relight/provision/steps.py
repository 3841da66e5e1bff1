"""Kinds of step that stacks bring."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from relight.canonical import Frozen
from relight.plan import Facts, Input, Interruption, Spec
from relight.provision.port import Approved
from relight.units import Duration

_MINUTE = timedelta(minutes=1)


class StackUpFacts(Facts):
    """What the update did; `adopted` was found in the cloud after an update that had been cut off."""

    counts: dict[str, int]  # resources per op, as {"create": 3, "same": 12}
    adopted: tuple[str, ...] = ()  # logical names
    seconds: float = 0.0


class StackUp(Spec):
    """Make a stack as the program has it: an update of the engine, as the step's process.

    An update that was cut off is finished, never done twice: what it had begun to create is looked up in the
    cloud by tag or client token and adopted. What is then left must still be part of what was approved. A
    lock that a dead update left fails the step, naming it; it is taken away only where `cancel_lock` names
    that very lock, which somebody approved with the step.
    """

    kind: ClassVar[str] = "provision.stack-up"
    summary: ClassVar[str] = "bring a stack to what the program declares"
    facts: ClassVar[type[Facts]] = StackUpFacts
    interrupted: ClassVar[Interruption] = "probe"
    usual: ClassVar[tuple[timedelta, timedelta]] = (10 * _MINUTE, 25 * _MINUTE)

    stack: str
    targets: tuple[str, ...] = Field(default=(), description="URNs; none: the whole stack")
    expect_digest: str | None = Field(
        default=None, description="digest of the preview in the plan: another one stops the step"
    )
    expect_changes: tuple[Approved, ...] = Field(
        default=(), description="the changes of that preview: after a cut-off, what is left must be of them"
    )
    cancel_lock: Input[str] | None = Field(default=None, description="id of the dead lock to take away")
    settle: Duration = Field(
        default=_MINUTE,
        description="how long a cut-off create may take to show in the cloud, once nothing here works at it",
    )


class ScalePoolFacts(Facts):
    """How large the pool was made, and by which way."""

    sizes: dict[str, int]  # nodes asked for, per rung
    ready: dict[str, int]  # nodes that are up, per rung
    via: Literal["engine", "cloud-api"]
    drift: bool = False  # the state does not know of it: the next update must see the same sizes
    why: str = ""  # why the engine was passed by
    moved: tuple[str, ...] = ()  # rungs that did not deliver
    short: int = 0  # nodes wanted that no rung had room for
    for_pods: dict[str, int] = {}  # asked of rungs that give nodes only once pods wait for them


class ScalePool(Spec):
    """Turn one pool's knob: write the intent, then change the sizes of its resources and nothing else.

    The nodes are spread over the pool's rungs in their order. Where a best-effort rung does not deliver
    within `patience`, what is missing moves to the next that has room.

    The engine does it only where its preview shows the sizes that were decided, and nothing else. A living
    update of the stack is waited for, two minutes at most; one minute where nobody can tell whether it lives.
    Wherever the engine does not get there (locked, its state out of reach, more than sizes would change, no
    `pulumi` here, an error) and `allow_direct` says so, the cloud's own API is asked for the sizes, and why,
    and the drift, are on record.

    Nodes of a flex-start rung come for pods that wait for them: its size is a limit. They are not waited for,
    as the pods come after this step, and what they lack does not move on; so it belongs last, behind rungs
    that give nodes by themselves.
    """

    kind: ClassVar[str] = "provision.scale-pool"
    summary: ClassVar[str] = "set the size of a pool, and wait for its nodes"
    facts: ClassVar[type[Facts]] = ScalePoolFacts
    interrupted: ClassVar[Interruption] = "probe"
    usual: ClassVar[tuple[timedelta, timedelta]] = (6 * _MINUTE, 20 * _MINUTE)

    site: str
    pool: str
    nodes: Input[int] | None = Field(default=None, description="in all, spread over the rungs")
    sizes: dict[str, int] = Field(default={}, description="or nodes per rung, as they are")
    epoch: Input[int] = Field(description="that the fence has raised")
    active: bool = Field(default=True, description="whether the site is to work")
    quiet: bool = Field(
        default=False, description="the size is the estate's for quiet times, which the pool follows again"
    )
    allow_direct: bool = Field(default=True, description="fall back to the cloud's own API")
    patience: Duration | None = Field(
        default=None, description="for a best-effort rung, before the next is tried; none: as the pool has it"
    )

    @model_validator(mode="after")
    def _check_size(self) -> Self:
        if (self.nodes is None) == (not self.sizes):
            raise ValueError("give either nodes or sizes")
        if any(size < 0 for size in self.sizes.values()):
            raise ValueError("no size is below 0")
        return self


class StackDriftFacts(Facts):
    """What is not as the state has it."""

    clean: tuple[str, ...] = ()
    drifted: dict[str, tuple[str, ...]] = {}  # per stack, "TYPE NAME: property, property"
    unknown: dict[str, str] = {}  # stacks that could not be looked at, or not wholly, and why
    never_up: tuple[str, ...] = ()  # stacks with nothing in them


class StackDrift(Spec):
    """Compare the cloud with the state of each stack; changes neither. Drift is a fact, not a failure."""

    kind: ClassVar[str] = "provision.stack-drift"
    summary: ClassVar[str] = "look for drift between stacks and clouds"
    facts: ClassVar[type[Facts]] = StackDriftFacts
    interrupted: ClassVar[Interruption] = "repeat"
    usual: ClassVar[tuple[timedelta, timedelta]] = (timedelta(seconds=10), 2 * _MINUTE)

    stacks: tuple[str, ...] = Field(min_length=1)


class RungCapacity(Frozen):
    """One rung, as it stands."""

    rung: str
    kind: str
    promise: str  # "guaranteed", "booked", "best-effort"
    nodes: int  # declared
    free: int | None  # None: unknown
    note: str


class CapacityFacts(Facts):
    """What a pool could get now; only what is guaranteed may carry an RTO."""

    rungs: tuple[RungCapacity, ...]
    guaranteed: int  # nodes that are sure now


class CapacityCheck(Spec):
    """Ask what each rung of a pool would get. Best-effort rungs are unknown: no cloud tells."""

    kind: ClassVar[str] = "provision.capacity-check"
    summary: ClassVar[str] = "see which rungs of a pool have room"
    facts: ClassVar[type[Facts]] = CapacityFacts
    interrupted: ClassVar[Interruption] = "repeat"

    site: str
    pool: str
