"""Kinds of step that the fence brings."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from relight.plan import Facts, Interruption, Spec
from relight.situation import Verdict


class VerdictSeen(Facts):
    """What the quorum concluded when the step asked."""

    verdict: Verdict


class ConfirmVerdict(Spec):
    """Ask every observer again, right before the first effect: Done if the verdict is one of `accept`.

    A verdict outside `accept` is Retry (observers need a moment to agree), so that the step's policy says
    how long to wait; its last reason names every observer and what it sees.
    """

    kind: ClassVar[str] = "fence.confirm-verdict"
    proof: ClassVar[bool] = True
    summary: ClassVar[str] = "ask the observers again whether the site is lost"
    facts: ClassVar[type[Facts]] = VerdictSeen
    interrupted: ClassVar[Interruption] = "repeat"
    usual: ClassVar[tuple[timedelta, timedelta]] = (timedelta(seconds=0.3), timedelta(seconds=2))

    site: str
    capability: str = "compute"
    accept: tuple[Verdict, ...] = Field(min_length=1)


class DeclaredAuthority(Facts):
    """Who may write now."""

    epoch: int
    active: str


class DeclareAuthority(Spec):
    """Say for the first time who may write for a workload: epoch 1. Who is declared already stays."""

    kind: ClassVar[str] = "fence.declare-authority"
    summary: ClassVar[str] = "say for the first time which site may write for a workload"
    facts: ClassVar[type[Facts]] = DeclaredAuthority
    interrupted: ClassVar[Interruption] = "repeat"
    usual: ClassVar[tuple[timedelta, timedelta]] = (timedelta(seconds=0.1), timedelta(seconds=1))

    workload: str
    active: str = Field(description="the site where it runs now")


class RaisedEpoch(Facts):
    """The epoch that the new side writes in."""

    epoch: int


class RaiseEpoch(Spec):
    """Make `active` the only site that may write for a workload; of two that try one wins."""

    kind: ClassVar[str] = "fence.raise-epoch"
    proof: ClassVar[bool] = True
    summary: ClassVar[str] = "take the right to write from the old site, in the witness"
    facts: ClassVar[type[Facts]] = RaisedEpoch
    interrupted: ClassVar[Interruption] = "probe"
    usual: ClassVar[tuple[timedelta, timedelta]] = (timedelta(seconds=0.1), timedelta(seconds=1))

    workload: str
    above: int = Field(ge=0, description="the epoch that the plan saw")
    active: str = Field(description="the site that may write from now on")
