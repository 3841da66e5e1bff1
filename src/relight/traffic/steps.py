"""Kinds of step that traffic brings."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from relight.plan import Facts, Interruption, Spec


class SwappedName(Facts):
    """Where the name points now, per server; a server that did not answer still gives the old address."""

    updated: tuple[str, ...]
    unreachable: tuple[str, ...]


class SwapName(Spec):
    """Point a name at a new address, on every server of it that can be reached.

    Looks first: a server that has the new address already is left alone, one that has an address which is
    neither old nor new fails the step (somebody else changed it). Done when at least `at_least` servers give
    the new one and the others did not answer.
    """

    kind: ClassVar[str] = "traffic.swap-name"
    summary: ClassVar[str] = "point a DNS name at another site"
    facts: ClassVar[type[Facts]] = SwappedName
    interrupted: ClassVar[Interruption] = "probe"
    usual: ClassVar[tuple[timedelta, timedelta]] = (timedelta(seconds=0.1), timedelta(seconds=2))

    name: str = Field(description="fully qualified")
    zone: str
    ttl_seconds: int = Field(ge=0)
    servers: tuple[str, ...] = Field(min_length=1, description="name servers, as the estate calls them")
    at_least: int = Field(default=1, ge=1)
    old: str
    new: str


class VerifiedClient(Facts):
    """What a client saw."""

    address: str
    status: int
    milliseconds: float


class VerifyClient(Spec):
    """Ask as a client does: resolve the name at any server that answers, then get the URL from there.

    Done after `times` answers in a row from `expect`, each with a 2xx status, and once the TTL has passed:
    until then clients with caches may still go to the old address, and a workload is not back before its
    clients are.
    """

    kind: ClassVar[str] = "traffic.verify-client"
    summary: ClassVar[str] = "ask as a client does, until the new site answers"
    facts: ClassVar[type[Facts]] = VerifiedClient
    interrupted: ClassVar[Interruption] = "repeat"
    usual: ClassVar[tuple[timedelta, timedelta]] = (timedelta(seconds=1), timedelta(seconds=5))

    name: str
    servers: tuple[str, ...] = Field(min_length=1)
    url: str
    expect: str = Field(description="the address that must answer")
    times: int = Field(default=3, ge=1)
    ttl_seconds: int = Field(
        default=0,
        ge=0,
        description="not Done sooner after the step began: caches hold the old address so long",
    )
