"""Observers: small lookouts in several places, whose quorum concludes whether a site is lost."""

from __future__ import annotations

from pydantic import Field

from relight.canonical import Frozen
from relight.estate.identifiers import Identifier


class Observer(Frozen):
    """One place that looks at every site and says what it sees."""

    url: str = Field(pattern=r"^https?://", description="where it answers")
    site: Identifier | None = Field(default=None, description="the site it stands in; none: elsewhere")
