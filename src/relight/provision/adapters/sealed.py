"""Whether a secret of a preview is another one than in the preview that was approved.

The engine's events have "[secret]" for every secret. Its plan of an update has them in plain text, so that is
written into a pipe and never to a disk, and only marks of them are kept: a slow hash, keyed with the stack's
passphrase where there is one, of which two bytes remain. Another secret has another mark but once in 65536
times, and whoever guesses a secret finds the mark fit thousands of guesses.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any

from relight.provision.adapters.deployment import MARK, SECRET
from relight.provision.approval import open_values

_MARK_BYTES = 2
_BLOCK, _PAUSE_SECONDS = 65536, 0.02


class PlanPipe:
    """What the engine wrote into the pipe at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._content = b""

    def hear(self, descriptor: int, ended: Event) -> None:
        """Take everything in until it has `ended`; the engine waits where nobody reads."""
        while True:
            last = ended.is_set()
            try:
                self._content += os.read(descriptor, _BLOCK)
            except BlockingIOError:
                if last:
                    return
                time.sleep(_PAUSE_SECONDS)

    def marks(self, stack: str, key: str) -> dict[str, dict[str, str]]:
        """Per URN a mark of each secret that its program gives it anew, by path."""
        if not self._content:  # the engine failed before
            return {}
        found: dict[str, dict[str, str]] = {}
        for urn, planned in json.loads(self._content).get("resourcePlans", {}).items():
            goal = planned.get("goal") or {}
            if str(goal.get("type")).startswith("pulumi:"):
                continue  # what a provider signs in with changes by itself
            given = goal.get("inputDiff") or {}
            secrets = dict(_secrets({**(given.get("adds") or {}), **(given.get("updates") or {})}, ""))
            if secrets:
                found[urn] = {
                    path: _mark(secret, f"{stack} {urn} {path} {key}") for path, secret in secrets.items()
                }
        return found


@contextmanager
def open_plan_pipe() -> Iterator[PlanPipe]:
    """A pipe of our own for one preview."""
    with TemporaryDirectory(prefix="relight-plan-") as folder:
        pipe = PlanPipe(Path(folder) / "plan")
        os.mkfifo(pipe.path, 0o600)
        descriptor = os.open(pipe.path, os.O_RDWR | os.O_NONBLOCK)
        ended = Event()
        hearing = Thread(target=pipe.hear, args=(descriptor, ended), name="plan", daemon=True)
        hearing.start()
        try:
            yield pipe
        finally:
            ended.set()
            hearing.join()
            os.close(descriptor)


def _secrets(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        if value.get(MARK) == SECRET:
            plain = str(value.get("plaintext", ""))
            if not _is_open(plain):
                yield path, plain
            return
        for key, inner in value.items():
            yield from _secrets(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _secrets(inner, f"{path}/{index}")


def _is_open(plain: str) -> bool:
    try:
        return bool(open_values({"": json.loads(plain)}))
    except ValueError:
        return False


def _mark(secret: str, salt: str) -> str:
    key = hashlib.scrypt(secret.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=_MARK_BYTES)
    return key.hex()
