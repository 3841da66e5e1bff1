"""What the engine asks before it believes a person's answer, and what it keeps of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path

from relight.approval.envelope import armored, read_envelope
from relight.approval.statement import Decision, Signed
from relight.approval.trust import Trust
from relight.approval.verify import Asked, verify
from relight.errors import Refused
from relight.estate import Estate

EVIDENCE = ("statement", "signature", "key")
"""What of a signed answer is kept in its event."""


class Judge:
    """Judges answers by the estate of the project at `root`.

    The lists of keys are read anew each time: a key that is revoked in the middle of an incident counts no
    more at once.
    """

    def __init__(self, root: Path, estate: Estate) -> None:
        self._approvers = frozenset(estate.approvers)
        declared = estate.approvals
        self._trust: Trust | None = None
        if declared is not None:
            revoked = root / declared.revoked_keys if declared.revoked_keys else None
            self._trust = Trust(root / declared.allowed_signers, revoked, declared.valid_for)

    @property
    def needs_signatures(self) -> bool:
        """Whether every answer must be signed."""
        return self._trust is not None

    def why_not(
        self,
        run: str,
        digest: str,
        identity: str,
        body: Mapping[str, str],
        now: datetime,
        *,
        decision: Decision = "approve",
        taken: Collection[str] = (),
        also: Collection[str] = (),
    ) -> str:
        """Why an answer to a gate of this run, whose plan has this digest, is not believed; "": it is.

        `body` has gate, reason and digest, and where answers are signed statement, signature and key, as
        `body_of` makes it: once it is believed, all of it is what the key signed. `taken` are the statements
        of the run's events so far: what opened a gate once does not open it again. `also` are people besides
        the approvers who may answer this gate. Takes one process of ssh-keygen (6 ms), two at most to
        explain a refusal; never raises.
        """
        if self._approvers and identity not in self._approvers and identity not in also:
            return f"{identity} is not among the estate's approvers ({', '.join(sorted(self._approvers))})"
        if self._trust is None:
            return ""
        asked = Asked(run, body.get("gate", ""), digest, identity, decision)
        try:
            _require(asked, body, self._trust, now, taken)
        except Refused as refused:
            return str(refused)
        except (OSError, ValueError) as error:  # a full disk; a zero byte in a path
            return f"it could not be verified: {error} (hand it in again once that is mended)"
        return ""

    def evidence(self, body: Mapping[str, str]) -> dict[str, str]:
        """What to keep of an answer that is believed: statement, signature, and `key`, its fingerprint.

        Empty where answers are not signed. A stranger verifies it with `verify_evidence`, or with ssh-keygen
        alone.
        """
        return {} if self._trust is None else {name: body[name] for name in EVIDENCE}


def _require(
    asked: Asked, body: Mapping[str, str], trust: Trust, now: datetime, taken: Collection[str]
) -> None:
    if not all(body.get(name) for name in EVIDENCE):
        raise Refused(
            "it is not signed, and the estate asks for signatures", "sign it: --key, or relight sign"
        )
    verified = verify(Signed(body["statement"], body["signature"]), asked, trust, now, taken)
    envelope = read_envelope(body["signature"])
    signed = {
        "reason": verified.statement.reason,
        "digest": verified.statement.digest,
        "key": verified.key,
        "signature": armored(envelope.blob),  # what is kept is what ssh-keygen alone reads later
    }
    for name, value in signed.items():
        if body.get(name, "") != value:
            raise Refused(f"the {name} is not the one that was signed", "hand in what was signed, unchanged")
