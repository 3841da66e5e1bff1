"""Approvals: whose SSH keys an answer may be signed with, and for how long a signature holds good."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field, StringConstraints

from relight.canonical import Frozen
from relight.units import Duration

ProjectPath = Annotated[str, StringConstraints(pattern=r"^\S(.*\S)?$")]
"""Where a file is: absolute, or from the folder of the estate."""


class Approvals(Frozen):
    """Where this is declared, every answer of a person must carry an SSH signature."""

    allowed_signers: ProjectPath = Field(
        description="whose key is whose, as OpenSSH's allowed_signers; from the estate's folder"
    )
    revoked_keys: ProjectPath | None = Field(
        default=None, description="keys that count no more: a KRL, or public keys line by line"
    )
    valid_for: Duration = Field(
        default=timedelta(hours=1), description="how old a signature may be when it is handed in"
    )
