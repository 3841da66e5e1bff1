"""One byte form for every value that is hashed, signed or compared, and the digest of it.

The form is JSON with sorted keys, no white space and plain UTF-8, so that anyone can compute it again
with any JSON library; the digest is SHA-256, so that anyone can check it with the tools they have.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A value: immutable, and strict about names it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=False)


def canonical_json(value: Any) -> bytes:
    """The canonical bytes of a JSON-like value. Raise ValueError for NaN and infinities."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def digest(content: bytes) -> str:
    """The digest of some bytes, its algorithm in front: "sha256:9f86d0…"."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def digest_of(value: Any) -> str:
    """The digest of a JSON-like value's canonical bytes."""
    return digest(canonical_json(value))
