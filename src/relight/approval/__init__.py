"""Approvals that need no server: a person's answer is an SSH signature over run, gate and plan.

`sign` has `ssh-keygen` make one (a key in a file, in an agent, or on a FIDO token), `verify` has it checked
with no network and nothing but the estate's `allowed_signers`; `Judge` is what the engine asks before it
believes an answer, and `verify_evidence` what a stranger asks years later. No private key is read here.
"""

from relight.approval.checks import check_approvals
from relight.approval.handover import body_of, pack, unpack
from relight.approval.judge import EVIDENCE, Judge
from relight.approval.keys import find_key
from relight.approval.signers import Signer, read_signers
from relight.approval.signing import sign
from relight.approval.statement import NAMESPACE, Decision, Signed, Statement, new_statement, read_statement
from relight.approval.trust import Trust
from relight.approval.verify import Asked, Verified, verify, verify_evidence

__all__ = [
    "EVIDENCE",
    "NAMESPACE",
    "Asked",
    "Decision",
    "Judge",
    "Signed",
    "Signer",
    "Statement",
    "Trust",
    "Verified",
    "body_of",
    "check_approvals",
    "find_key",
    "new_statement",
    "pack",
    "read_signers",
    "read_statement",
    "sign",
    "unpack",
    "verify",
    "verify_evidence",
]
