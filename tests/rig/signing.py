"""People with SSH keys of their own, made by ssh-keygen; what they sign, and the lists that name them.

FIDO keys (sk-…) cannot be made without a token: their form is covered, their signatures are not.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from relight.approval import Asked, Signed, Statement, Trust, new_statement, sign

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
RUN, GATE = "site-failover-0301-0300-k7f3", "override:site-doubt:north"
DIGEST = "sha256:" + "0123456789abcdef" * 4


@dataclass(frozen=True)
class Person:
    name: str
    key: Path

    @property
    def public(self) -> str:
        return self.key.with_suffix(".pub").read_text(encoding="utf-8").strip()

    def line(self, options: str = "", principals: str = "") -> str:
        return " ".join(part for part in (principals or self.name, options, self.public) if part) + "\n"


def make_key(path: Path, kind: str = "ed25519", passphrase: str = "", *options: str) -> Path:
    if not shutil.which("ssh-keygen"):
        pytest.skip("needs ssh-keygen: apt-get install openssh-client")
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "", "-f", str(path), *options]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


def people(folder: Path) -> Mapping[str, Person]:
    """Ada signs with ed25519, Grace with ECDSA, Linus with RSA; Mallory is in no list."""
    kinds = {"ada": "ed25519", "grace": "ecdsa", "linus": "rsa", "mallory": "ed25519"}
    return {name: Person(name, make_key(folder / name, kind)) for name, kind in kinds.items()}


def a_statement(**changes: Any) -> Statement:
    said: dict[str, Any] = {
        "run": RUN,
        "gate": GATE,
        "digest": DIGEST,
        "decision": "approve",
        "identity": "ada",
        "reason": "north is dark, I called them",
        "at": NOW - timedelta(minutes=5),
    }
    return new_statement(**(said | changes))


@cache
def signed_by(person: Person, **changes: Any) -> Signed:
    return sign(a_statement(**({"identity": person.name} | changes)), person.key)


def signed_for(person: Person, namespace: str, content: bytes) -> str:
    """What somebody signed for something else."""
    command = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(person.key), "-n", namespace]
    return subprocess.run(command, input=content, capture_output=True, check=True).stdout.decode()


def an_asking(**changes: Any) -> Asked:
    asked = {"run": RUN, "gate": GATE, "digest": DIGEST, "identity": "ada"}
    return Asked(**(asked | changes))


def trust_in(folder: Path, *lines: str, revoked: str | bytes | None = None) -> Trust:
    signers = folder / "allowed_signers"
    signers.write_text("".join(lines), encoding="utf-8")
    path = None
    if revoked is not None:
        path = folder / "revoked_keys"
        path.write_bytes(revoked if isinstance(revoked, bytes) else revoked.encode())
    return Trust(signers, path)
