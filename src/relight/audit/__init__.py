"""Proof: what a stranger can check about a run without trusting us."""

from relight.audit.verify import Fault, Verification, verify_run

__all__ = ["Fault", "Verification", "verify_run"]
