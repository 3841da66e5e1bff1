"""Why ssh-keygen did not find a signature good: in some cases it says so itself, in others it is silent."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from relight.approval.envelope import Envelope
from relight.approval.keygen import Answer, ask
from relight.approval.revoked import read_revoked
from relight.approval.signers import Signer, read_signers
from relight.approval.statement import NAMESPACE, Statement
from relight.approval.trust import Trust
from relight.errors import Refused

_LARGEST_LIST = 8 * 2**20  # bytes of allowed_signers; a thousand keys have half a megabyte


def explained(
    answer: Answer, envelope: Envelope, statement: Statement, trust: Trust, now: datetime
) -> Refused:
    """The refusal to raise; costs one more process where keys can be revoked, none otherwise."""
    if "Signature verification failed" in answer.said:
        return Refused("forged: the signature is not one over this statement by that key", "sign again")
    return _revocation(envelope, statement, trust, now) or _by_signers(
        answer, envelope, statement, trust, now
    )


def _revocation(envelope: Envelope, statement: Statement, trust: Trust, now: datetime) -> Refused | None:
    """Whether all would be well without the list of revoked keys."""
    if trust.revoked_keys is None:
        return None
    without = ask(statement.content, envelope, statement.identity, replace(trust, revoked_keys=None), now)
    if not without.key:
        return None
    _, trouble = read_revoked(trust.revoked_keys)
    if trouble:
        return Refused(f"{trust.revoked_keys.name} {trouble}: no key is believed while it is so", "mend it")
    return Refused(f"revoked: the key {without.key} counts no more", "sign with a key that does")


def _by_signers(
    answer: Answer, envelope: Envelope, statement: Statement, trust: Trust, now: datetime
) -> Refused:
    """What the list of signers says of the key."""
    file, key, who = trust.allowed_signers, envelope.fingerprint, statement.identity
    try:
        with file.open("rb") as stream:
            content = stream.read(_LARGEST_LIST)
    except OSError as error:
        return Refused(f"{file.name} cannot be read: {error.strerror}", "put it there again")
    lines, _ = read_signers(content.decode(errors="replace"))
    theirs = [line for line in lines if line.key == envelope.key and not line.is_authority]
    named = [line for line in theirs if line.speaks_for(who)]
    if named:
        return _not_usable(named[-1], key, now)
    if theirs:
        others = ", ".join(dict.fromkeys(line.principals for line in theirs))
        return Refused(f"forged: the key {key} speaks for {others}, not for {who}", "sign with your own key")
    said = answer.said.splitlines()[-1:] if any(line.is_authority for line in lines) else []
    hint = f" (ssh-keygen said: {said[0][:200]})" if said else ""
    return Refused(f"the key {key} is nobody's in {file.name}{hint}", "sign with a key that is in it")


def _not_usable(line: Signer, key: str, now: datetime) -> Refused:
    """Why a key counts for nothing although it is the right one."""
    if line.valid_before is not None and now > line.valid_before:
        until = f"{line.valid_before:%Y-%m-%d %H:%M:%S} UTC"
        return Refused(f"expired: the key {key} counted until {until}", "sign with another key")
    if line.valid_after is not None and now < line.valid_after:
        since = f"{line.valid_after:%Y-%m-%d %H:%M:%S} UTC"
        return Refused(f"from the future: the key {key} counts from {since} on", "sign with another key")
    if not line.may_approve(now):
        return Refused(
            f"wrong namespace: the key {key} may sign {line.namespaces}, not {NAMESPACE}",
            "add it to the namespaces of the key, or sign with another",
        )
    return Refused(f"ssh-keygen does not take the key {key}", f"see line {line.line} of the list of signers")
