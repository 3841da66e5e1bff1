"""How many signed answers are verified in a second; the peer is bare `ssh-keygen -Y verify` in a loop."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.table import median_seconds, row
from relight.approval import Asked, Signed, Trust, new_statement, sign, verify
from relight.errors import Refused

COUNT = 100
DIGEST = "sha256:" + "0" * 64


def a_signed_answer(folder: Path, kind: str, now: datetime) -> Signed:
    key = folder / kind
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(key)], check=True)
    with (folder / "allowed_signers").open("a") as stream:
        stream.write(f"{kind} {key.with_suffix('.pub').read_text()}")
    statement = new_statement(
        run="r1", gate="go", digest=DIGEST, decision="approve", identity=kind, reason="I looked", at=now
    )
    return sign(statement, key)


def bare(folder: Path, kind: str, signed: Signed) -> Callable[[], None]:
    signature = folder / f"{kind}.sig"
    signature.write_text(signed.signature)
    command = ["ssh-keygen", "-Y", "verify", "-f", str(folder / "allowed_signers"), "-I", kind]
    command += ["-n", "approval@relight", "-s", str(signature)]
    content = signed.statement.encode()

    def loop() -> None:
        for _ in range(COUNT):
            subprocess.run(command, input=content, capture_output=True, check=True)

    return loop


def ours(signed: Signed, asked: Asked, trust: Trust, now: datetime) -> Callable[[], None]:
    def loop() -> None:
        for _ in range(COUNT):
            verify(signed, asked, trust, now)

    return loop


def refused(signed: Signed, asked: Asked, trust: Trust, now: datetime) -> Callable[[], None]:
    def loop() -> None:
        for _ in range(COUNT):
            try:
                verify(signed, asked, trust, now)
            except Refused:
                continue
            raise AssertionError("believed")

    return loop


def main() -> None:
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trust = Trust(folder / "allowed_signers")
        for kind in ("ed25519", "ecdsa", "rsa"):
            signed = a_signed_answer(folder, kind, now)
            asked = Asked("r1", "go", DIGEST, kind)
            seconds = median_seconds(ours(signed, asked, trust, now)) / COUNT
            peer = median_seconds(bare(folder, kind, signed)) / COUNT
            row(
                f"signed answers believed, {kind}: a second (wanted: 100)",
                f"{1 / seconds:.0f}",
                f"bare ssh-keygen {1 / peer:.0f}; {seconds * 1e3:.1f} ms beside {peer * 1e3:.1f} ms each",
            )
        revoked = folder / "revoked_keys"
        revoked.write_bytes((folder / "rsa.pub").read_bytes())
        strict = Trust(trust.allowed_signers, revoked)
        seconds = median_seconds(refused(signed, asked, strict, now)) / COUNT
        row("the dearest refusal, a revoked key: each (wanted: under 20 ms)", f"{seconds * 1e3:.1f} ms")
