"""What a person signs: one answer to one gate of one run, for one plan.

The bytes that are signed are the canonical JSON of the statement, and only those: a statement that says the
same in other bytes is refused, so that every answer has one form, and one handed in twice is known again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, AwareDatetime, StringConstraints, ValidationError

from relight.canonical import Frozen, canonical_json
from relight.errors import Refused, UsageError
from relight.estate import Person

NAMESPACE = "approval@relight"
"""What the signatures are for: ssh-keygen refuses one that was made for anything else, as a git commit."""

LARGEST_STATEMENT = 32 * 1024  # bytes; the longest that can be written here has 16 KiB

Decision: TypeAlias = Literal["approve", "refuse"]

_LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"


def _require_utc(at: datetime) -> datetime:
    if at.utcoffset() != timedelta(0):
        raise ValueError("not in UTC")
    return at


class Statement(Frozen):
    """One answer. `run`, `gate` and `reason` are one line each; `at` is the signer's clock, in UTC."""

    version: Literal[1] = 1
    run: Annotated[str, StringConstraints(pattern=_LINE, max_length=200)]
    gate: Annotated[str, StringConstraints(pattern=_LINE, max_length=400)]
    digest: Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
    decision: Decision
    identity: Person
    reason: Annotated[str, StringConstraints(pattern=_LINE, max_length=2000)]
    at: Annotated[AwareDatetime, AfterValidator(_require_utc)]

    @property
    def content(self) -> bytes:
        """The bytes that are signed."""
        return canonical_json(self.model_dump(mode="json"))


@dataclass(frozen=True)
class Signed:
    """A statement, as the text of its signed bytes, and its signature, as ssh-keygen writes it."""

    statement: str
    signature: str


_WRITE = {
    "run": "write the run's whole name",
    "gate": "write the gate's name, as relight show has it",
    "digest": 'write the whole digest of the plan that you read: "sha256:" and 64 digits',
    "identity": 'write a name as in allowed_signers: "ada" or "ada@example.net"',
    "reason": "say why, in one line of at most 2,000 characters",
    "at": "give a time in UTC",
}


def new_statement(
    *, run: str, gate: str, digest: str, decision: Decision, identity: str, reason: str, at: datetime
) -> Statement:
    """An answer to sign. Raise UsageError where a part of it cannot be what it should."""
    try:
        return Statement(
            run=run, gate=gate, digest=digest, decision=decision, identity=identity, reason=reason, at=at
        )
    except ValidationError as error:
        part = str(error.errors(include_url=False)[0]["loc"][0])
        raise UsageError(f"the {part} cannot be signed as it is", _WRITE.get(part, "")) from None


def read_statement(text: str) -> Statement:
    """The statement in the text of its bytes, not verified. Raise Refused where it is not exactly one."""
    content = encoded(text, LARGEST_STATEMENT, "statement")
    try:
        statement = Statement.model_validate_json(content, strict=True)
    except ValidationError as error:
        # Neither pydantic's words nor the value: it comes from anybody.
        told = {".".join(map(str, found["loc"])) for found in error.errors(include_input=False)}
        where = ", ".join(sorted(part for part in told if part in Statement.model_fields))
        raise Refused(
            "unknown format: this is no statement" + (f", for its {where}" if where else ""),
            "sign again with relight sign, of a version that fits",
        ) from None
    if statement.content != content:
        raise Refused(
            "unknown format: the statement is not in its canonical form", "sign again with relight sign"
        )
    return statement


def encoded(text: str, largest: int, what: str) -> bytes:
    """The bytes of a text that somebody handed in. Raise Refused where it is too large or no text."""
    if len(text) > largest:
        raise Refused(f"oversized: the {what} has more than {largest:,} bytes", "hand in the right file")
    try:
        content = text.encode()
    except UnicodeEncodeError:
        raise Refused(f"unknown format: the {what} is no text", "hand in the right file") from None
    if len(content) > largest:
        raise Refused(f"oversized: the {what} has more than {largest:,} bytes", "hand in the right file")
    return content
