"""Secrets, which an estate only ever points at: "env:NAME", "file:PATH" or "cmd:COMMAND".

A reference is resolved where the value is used, never earlier, and every value that was resolved is
known to `Secrets.redact`, which the journal calls on everything it writes.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from relight.errors import UsageError

_KINDS = ("env", "file", "cmd")
_COMMAND_SECONDS = 20.0
_SHORTEST_REDACTED = 4  # redacting shorter values would blank ordinary words
_SHORTEST_LINE = 8
_BREAK = re.compile(r"[\r\n]+|\\r|\\n")  # as it is, or as JSON within the value has it
_KEY = re.compile(r"[A-Za-z0-9+/=_-]{20,}")


def _check_reference(text: str) -> str:
    kind, _, name = text.partition(":")
    if kind not in _KINDS or not name.strip():
        # The text is not repeated: it may be the secret itself, pasted by mistake.
        raise ValueError('a secret is only pointed at; write "env:NAME", "file:PATH" or "cmd:COMMAND"')
    return text


SecretRef = Annotated[
    str,
    AfterValidator(_check_reference),
    WithJsonSchema({"type": "string", "pattern": "^(env|file|cmd):.+", "examples": ["env:AWS_SECRET_KEY"]}),
]


def parts_of(values: Iterable[str]) -> set[str]:
    """What to blank so that none of these secrets shows: each whole, and as it stands in JSON.

    Of one with several lines, such as a key file, also each longer line, and each long word that looks like a
    key: it may be told in other pieces than it was given.
    """
    parts: set[str] = set()
    for value in values:
        if len(value) < _SHORTEST_REDACTED:
            continue
        found = {value}
        lines = [line.strip() for line in _BREAK.split(value)]
        if len(lines) > 1:
            found |= {line for line in lines if len(line) >= _SHORTEST_LINE}
            found |= {word for word in _KEY.findall(value) if any(map(str.isdigit, word))}
        parts |= found | {json.dumps(part)[1:-1] for part in found}
    return parts


def redact(text: str, parts: Iterable[str]) -> str:
    """The text with these replaced by "[redacted]", the longest first."""
    for part in sorted(parts, key=len, reverse=True):
        text = text.replace(part, "[redacted]")
    return text


class Secrets:
    """Resolves references, and blanks every value it ever resolved.

    `root` is the folder that relative `file:` paths start from. Safe to use from several threads.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._parts: set[str] = set()
        self._lock = Lock()

    def resolve(self, reference: str) -> str:
        """The value behind a reference, without a trailing newline. UsageError never shows the value."""
        kind, _, name = reference.partition(":")
        value = {"env": self._from_env, "file": self._from_file, "cmd": self._from_command}[kind](name)
        if not value:
            raise UsageError(f"the secret {kind}:{name} is empty", "fill it, or point elsewhere")
        with self._lock:
            self._parts |= parts_of([value])
        return value

    def redact(self, text: str) -> str:
        """The text with every value resolved so far replaced by "[redacted]"."""
        with self._lock:
            parts = frozenset(self._parts)
        return redact(text, parts)

    def _from_env(self, name: str) -> str:
        if name not in os.environ:
            raise UsageError(f"the environment has no {name}", f"export {name}, or point elsewhere")
        return os.environ[name]

    def _from_file(self, name: str) -> str:
        path = self._root / Path(name).expanduser()
        try:
            return path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"cannot read the secret file {path}: {error}", "check path and rights"
            ) from None

    def _from_command(self, command: str) -> str:
        try:
            done = subprocess.run(
                shlex.split(command), capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=False
            )
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            raise UsageError(
                f"the secret command {command!r} did not run: {error}", "run it by hand"
            ) from None
        if done.returncode:
            raise UsageError(
                f"the secret command {command!r} ended with {done.returncode}", "run it by hand to see why"
            )
        return done.stdout.rstrip("\r\n")
