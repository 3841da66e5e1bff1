"""Topologies: where the work of a site goes when the site dies."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from relight.canonical import Frozen
from relight.estate.identifiers import Identifier


class ActivePassive(Frozen):
    """One site works, another stands by and takes the whole work over."""

    kind: Literal["active-passive"] = Field(description="one works, one stands by")
    primary: Identifier = Field(description="the site that works in quiet times")
    standby: Identifier = Field(description="the site that takes over")


Topology = ActivePassive
"""Every topology; active-active, pilot-light and cloud-burst join this union, told apart by `kind`."""
