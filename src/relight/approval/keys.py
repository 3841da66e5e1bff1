"""Finding a person's own key on this machine, where they name none."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from relight.approval.signers import Signer, read_key
from relight.errors import UsageError


def find_key(identity: str, signers: Iterable[Signer], folder: Path, now: datetime) -> Path | str:
    """What `sign` takes: the private key in `folder` (as ~/.ssh) that the signers name for this identity.

    Where no file has it, the public key as a line: it may be in an agent. Raise UsageError where the signers
    name none, or more than one that could be meant.
    """
    named = {
        s.key: s for s in signers if s.speaks_for(identity) and not s.is_authority and s.may_approve(now)
    }
    here = {key: path for key, path in _public_keys(folder).items() if key in named}
    private = [path.with_suffix("") for path in here.values() if path.with_suffix("").is_file()]
    if len(private) == 1:
        return private[0]
    if not named:
        raise UsageError(f"the list of signers has no key of {identity}", "name your key with --key")
    if len(private) > 1 or len(named) > 1:
        shown = ", ".join(str(path) for path in private) or f"{len(named)} keys of {identity}"
        raise UsageError(f"more than one key could be meant: {shown}", "name one with --key")
    return next(iter(named.values())).public_key


def _public_keys(folder: Path) -> dict[bytes, Path]:
    keys: dict[bytes, Path] = {}
    for path in sorted(folder.glob("*.pub")):
        with contextlib.suppress(OSError, ValueError):  # a folder, another kind of key: not one of ours
            keys.setdefault(read_key(path.read_text(encoding="utf-8")), path)
    return keys
