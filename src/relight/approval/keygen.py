"""Asking ssh-keygen whether a signature holds: one process, no shell, no network, and an end in any case."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime

from relight.approval.envelope import Envelope, armored
from relight.approval.statement import NAMESPACE
from relight.approval.trust import Trust
from relight.errors import Refused

_SECONDS = 2.0  # it takes six milliseconds; a list of signers may be a pipe that nobody writes to
_GOOD = re.compile(r'Good "(\S+)" signature for (\S+) with \S+ key (SHA256:[A-Za-z0-9+/]{43})')


@dataclass(frozen=True)
class Answer:
    """What ssh-keygen said: the fingerprint of the key whose signature holds, else "" and why."""

    key: str
    said: str


def ask(content: bytes, envelope: Envelope, identity: str, trust: Trust, at: datetime) -> Answer:
    """Have a signature over `content` verified, for an identity, at a time. Raise Refused if it cannot be."""
    with tempfile.NamedTemporaryFile("w", prefix="relight-", suffix=".sig", encoding="ascii") as signature:
        signature.write(armored(envelope.blob))
        signature.flush()
        command = ["ssh-keygen", "-Y", "verify", "-n", NAMESPACE, "-I", identity, "-s", signature.name]
        command += ["-f", str(trust.allowed_signers.absolute())]
        command += ["-r", str(trust.revoked_keys.absolute())] if trust.revoked_keys else []
        # Without Z, which OpenSSH knows since 9.1 only: the zone is in the environment.
        command += ["-O", f"verify-time={at.astimezone(UTC):%Y%m%d%H%M%S}"]
        done = _run(command, content)
    found = _GOOD.fullmatch(done.stdout.decode(errors="replace").strip())
    if done.returncode == 0 and found and (found[1], found[2]) == (NAMESPACE, identity):
        return Answer(found[3], "")
    return Answer("", done.stderr.decode(errors="replace").strip())


def _run(command: list[str], content: bytes) -> subprocess.CompletedProcess[bytes]:
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC0"}
    try:
        return subprocess.run(
            command, input=content, capture_output=True, env=environment, timeout=_SECONDS, check=False
        )
    except FileNotFoundError:
        raise Refused(
            "there is no ssh-keygen here, and nothing is believed without it", "install OpenSSH's client"
        ) from None
    except subprocess.TimeoutExpired:
        raise Refused(
            f"ssh-keygen did not answer in {_SECONDS:g} s", "are the lists of keys plain files?"
        ) from None
