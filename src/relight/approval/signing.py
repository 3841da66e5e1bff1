"""Having a statement signed by a person's key: in a file, in an agent, on a FIDO token.

ssh-keygen asks for passphrase, PIN or touch itself, on the terminal; nothing of ours sees a private key.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from relight.approval.envelope import read_envelope
from relight.approval.statement import NAMESPACE, Signed, Statement
from relight.errors import Refused, UsageError

_PATIENCE_SECONDS = 300.0  # a person looks for the token, touches it, types a passphrase


def sign(statement: Statement, key: Path | str) -> Signed:
    """Sign with the private key in a file, or with the agent's, given its public key as a line or a file.

    Raise UsageError where there is no such key, Refused where nothing was signed.
    """
    if isinstance(key, Path) and not key.is_file():
        raise UsageError(f"there is no key {key}", "name a private key, or the .pub of one in your agent")
    with tempfile.TemporaryDirectory(prefix="relight-sign-") as folder:
        # In a file, for standard input must stay the terminal: ssh-keygen asks for passphrases there.
        content = Path(folder) / "statement"
        content.write_bytes(statement.content)
        if isinstance(key, str):
            public = Path(folder) / "key.pub"
            public.write_text(key + "\n", encoding="utf-8")
            key = public
        _run(
            ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key.absolute()), "-n", NAMESPACE, str(content)], key
        )
        signature = Path(folder) / "statement.sig"
        if not signature.is_file():
            raise Refused(f"ssh-keygen signed nothing with {key}", "see what it said")
        text = signature.read_text(encoding="ascii")
    read_envelope(text)
    return Signed(statement.content.decode(), text)


def _run(command: list[str], key: Path) -> None:
    # At a terminal what it says must be seen while it waits: "Confirm user presence for key …".
    is_watched = sys.stderr.isatty()
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.DEVNULL,
            stderr=None if is_watched else subprocess.PIPE,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise UsageError("there is no ssh-keygen here", "install OpenSSH's client") from None
    except subprocess.TimeoutExpired:
        raise Refused(f"nobody answered ssh-keygen in {_PATIENCE_SECONDS:g} s", "sign again") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() if done.stderr else []
        why = f": {said[-1][:200]}" if said else ""
        raise Refused(
            f"ssh-keygen did not sign with {key.name}{why}",
            "is the key in your agent (ssh-add -L), or the token plugged in?",
        )
