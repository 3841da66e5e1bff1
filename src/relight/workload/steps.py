"""Kinds of step that workloads bring."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from relight.plan import Facts, Input, Interruption, Spec


class MadeRoom(Facts):
    """What was stopped to make room; it is to be started again when the room is given back."""

    stopped: tuple[str, ...]
    free_gpus: int


class MakeRoom(Spec):
    """Have `gpus` free at a site, stopping what may be stopped, in the order given, and no more of it."""

    kind: ClassVar[str] = "workload.make-room"
    summary: ClassVar[str] = "free GPUs at the site that takes over"
    facts: ClassVar[type[Facts]] = MadeRoom
    interrupted: ClassVar[Interruption] = "probe"

    site: str
    gpus: int = Field(ge=0)
    may_stop: tuple[str, ...] = ()


class Started(Facts):
    """It runs."""

    token: str


class Start(Spec):
    """Start a workload at a site, from a restored point if one is given; Done once it runs."""

    kind: ClassVar[str] = "workload.start"
    summary: ClassVar[str] = "start a workload"
    facts: ClassVar[type[Facts]] = Started
    interrupted: ClassVar[Interruption] = "probe"
    usual: ClassVar[tuple[timedelta, timedelta]] = (timedelta(seconds=2), timedelta(seconds=5))

    site: str
    workload: str
    gpus: int = 0
    epoch: Input[int]
    point: Input[str] | None = None
    folder: Input[str] | None = None


class Drained(Facts):
    """The last point that it sealed before it ended."""

    point: str
    step: int


class Drain(Spec):
    """Let a workload seal a last point and end: nothing is lost."""

    kind: ClassVar[str] = "workload.drain"
    summary: ClassVar[str] = "let a workload seal a last point and end"
    facts: ClassVar[type[Facts]] = Drained
    interrupted: ClassVar[Interruption] = "probe"
    usual: ClassVar[tuple[timedelta, timedelta]] = (timedelta(seconds=1), timedelta(seconds=5))

    site: str
    workload: str


class Stop(Spec):
    """End a workload. Where `if_reachable`, a site that does not answer counts as Done: it was fenced."""

    kind: ClassVar[str] = "workload.stop"
    summary: ClassVar[str] = "end a workload"
    interrupted: ClassVar[Interruption] = "repeat"

    site: str
    workload: str
    if_reachable: bool = False


class TrainingResumed(Facts):
    """That training goes on: the first step after the restored one, its loss, and where it is now."""

    first_step: int
    first_loss: float
    expected_loss: float | None
    step: int


class VerifyTraining(Spec):
    """Prove that training went on from the restored point, with the losses it should have.

    The first step must be the one after the point's. Its loss must be the `next_loss` that was computed when
    the point was sealed, to `tolerance` relative; the steps after it must stay finite and below 1.5 times the
    highest loss in the manifest. Done after `steps` steps; Failed at the first that is wrong.
    """

    kind: ClassVar[str] = "workload.verify-training"
    summary: ClassVar[str] = "prove that training goes on from the point, with the right losses"
    facts: ClassVar[type[Facts]] = TrainingResumed
    interrupted: ClassVar[Interruption] = "repeat"
    usual: ClassVar[tuple[timedelta, timedelta]] = (timedelta(seconds=2), timedelta(seconds=6))

    site: str
    workload: str
    started: Input[str] = Field(description="the token it was started with")
    point_step: Input[int]
    next_loss: Input[float | None]
    highest_loss: Input[float]
    steps: int = Field(default=5, ge=1)
    tolerance: float = Field(default=1e-4, gt=0, description="of other hardware's arithmetic")
