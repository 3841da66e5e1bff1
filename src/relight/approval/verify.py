"""Is this answer believed? Either a `Verified`, or `Refused` that says exactly why not.

What can be told from the answer itself is told first, and cheaply; what counts in the end is ssh-keygen's
word.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from relight.approval.envelope import read_envelope
from relight.approval.explain import explained
from relight.approval.keygen import ask
from relight.approval.statement import NAMESPACE, Decision, Signed, Statement, read_statement
from relight.approval.trust import Trust
from relight.errors import Refused
from relight.units import format_duration

SKEW = timedelta(minutes=1)
"""How far a signer's clock may be ahead of ours."""


@dataclass(frozen=True)
class Asked:
    """The question that an answer must be for."""

    run: str
    gate: str
    digest: str
    identity: str
    decision: Decision = "approve"


@dataclass(frozen=True)
class Verified:
    """A signature that holds: whose, by which key (its fingerprint), over what."""

    identity: str
    key: str
    statement: Statement


def verify(
    signed: Signed, asked: Asked, trust: Trust, now: datetime, taken: Collection[str] = ()
) -> Verified:
    """Believe an answer, handed in `now`, or raise Refused with the reason.

    `taken` are the statements (their text) that the run has believed already: each counts once.
    """
    envelope = read_envelope(signed.signature)
    statement = read_statement(signed.statement)
    if envelope.namespace != NAMESPACE:
        raise Refused(
            f"wrong namespace: the signature is for {envelope.namespace[:60]!r}, not for {NAMESPACE!r}",
            "sign with relight sign",
        )
    _require_fit(statement, asked)
    if signed.statement in taken:
        raise Refused("replayed: this very answer was handed in before", "sign anew, if it is meant anew")
    _require_fresh(statement, trust.valid_for, now)
    answer = ask(statement.content, envelope, statement.identity, trust, now)
    if not answer.key:
        raise explained(answer, envelope, statement, trust, now)
    if answer.key != envelope.fingerprint:
        raise Refused("unknown format: the key in the signature is not in its plain form", "sign again")
    return Verified(statement.identity, answer.key, statement)


def verify_evidence(
    evidence: Mapping[str, str],
    allowed_signers: bytes,
    asked: Asked,
    at: datetime,
    *,
    valid_for: timedelta = timedelta(hours=1),
    revoked_keys: bytes | None = None,
) -> Verified:
    """Verify what an event kept, as of the time of the event; nothing else of ours is trusted.

    `allowed_signers` is the content of the file; `revoked_keys` only where keys revoked since are to count
    as revoked then. Raise Refused.
    """
    missing = [name for name in ("statement", "signature", "key") if not evidence.get(name)]
    if missing:
        raise Refused(f"the event has no {' and no '.join(missing)}", "it was not signed, or it was changed")
    with tempfile.TemporaryDirectory(prefix="relight-evidence-") as folder:
        signers, revoked = Path(folder) / "allowed_signers", Path(folder) / "revoked_keys"
        signers.write_bytes(allowed_signers)
        if revoked_keys is not None:
            revoked.write_bytes(revoked_keys)
        trust = Trust(signers, revoked if revoked_keys is not None else None, valid_for)
        verified = verify(Signed(evidence["statement"], evidence["signature"]), asked, trust, at)
    if verified.key != evidence["key"]:
        raise Refused(
            f"the event names another key than the one that signed, {verified.key}", "it was changed"
        )
    return verified


def _require_fit(statement: Statement, asked: Asked) -> None:
    """Raise Refused where the statement is about something else."""
    if statement.identity != asked.identity:
        raise Refused(
            f"forged: {asked.identity} hands in what {statement.identity} signed", "each signs for themselves"
        )
    for what, signed, wanted in (
        ("run", statement.run, asked.run),
        ("gate", statement.gate, asked.gate),
        ("plan", statement.digest, asked.digest),
        ("answer", statement.decision, asked.decision),
    ):
        if signed != wanted:
            raise Refused(
                f"replayed: it was signed for the {what} {signed}, and this is {wanted}", "sign for this one"
            )


def _require_fresh(statement: Statement, valid_for: timedelta, now: datetime) -> None:
    """Raise Refused where the statement is too old, or not of our time yet."""
    age = now - statement.at
    if age > valid_for:
        raise Refused(
            f"expired: it was signed {format_duration(_rounded(age))} ago, and a signature holds for "
            f"{format_duration(valid_for)}",
            "sign again",
        )
    if -age > SKEW:
        raise Refused(
            f"from the future: the signer's clock was {format_duration(_rounded(-age))} ahead", "set it right"
        )


def _rounded(age: timedelta) -> timedelta:
    return timedelta(seconds=round(age.total_seconds()))
