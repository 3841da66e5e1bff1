"""Proof: what a stranger can check about a run without trusting us."""

from relight.audit.answers import answer_faults
from relight.audit.verify import Fault, Verification, verify_run

__all__ = ["Fault", "Verification", "answer_faults", "verify_run"]
