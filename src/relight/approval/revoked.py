"""The list of revoked keys, in either of the forms that ssh-keygen -r takes: a KRL, or public keys."""

from __future__ import annotations

from pathlib import Path

from relight.approval.signers import read_key

_KRL = b"SSHKRL\n\0"  # how OpenSSH's binary lists begin (PROTOCOL.krl)
_LARGEST = 64 * 2**20  # bytes


def read_revoked(path: Path) -> tuple[frozenset[bytes], str]:
    """The keys of a list (none for a KRL, which only ssh-keygen reads), and what is wrong with the list."""
    try:
        with path.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except OSError as error:
        return frozenset(), f"cannot be read: {error.strerror}"
    if len(content) > _LARGEST:
        return frozenset(), f"has more than {_LARGEST:,} bytes"
    if content.startswith(_KRL):
        return frozenset(), ""
    keys = set()
    for number, line in enumerate(content.decode(errors="replace").split("\n"), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                keys.add(read_key(line))
            except ValueError as error:
                return frozenset(keys), f"is neither a KRL nor a list of public keys: line {number}: {error}"
    return frozenset(keys), ""
