"""What an answer is believed by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path


@dataclass(frozen=True)
class Trust:
    """Whose signatures count, and how fresh they must be."""

    allowed_signers: Path
    revoked_keys: Path | None = None
    valid_for: timedelta = timedelta(hours=1)
