"""What a plan has to say about itself before it runs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from relight.canonical import Frozen

Strength = Literal["note", "warning", "override", "block"]
"""note and warning inform; an override needs people to sign; a block is impossible."""


class Finding(Frozen):
    """One statement about a plan. `code` and `subject` name it and stay the same when a re-plan means the
    same; `message` may carry observed numbers."""

    strength: Strength
    code: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    subject: str
    message: str
    remedy: str = ""
    identities: int = Field(default=1, ge=1, description="people who must sign an override")

    @property
    def gate(self) -> str:
        """The gate that people approve to override it."""
        return f"override:{self.code}:{self.subject}"
