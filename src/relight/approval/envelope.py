"""The form of SSH signatures and public keys, read far enough to say whose and what for.

Nothing is verified here: that is ssh-keygen's. Sources: OpenSSH's PROTOCOL.sshsig, PROTOCOL.certkeys and
PROTOCOL.u2f, RFC 4253 section 6.6, RFC 8709.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from relight.approval.statement import encoded
from relight.errors import Refused

LARGEST_SIGNATURE = 64 * 1024  # characters; one of RSA with 16,384 bits has 6 KiB, and certificates add a few

_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_MAGIC = b"SSHSIG"
_WIDTH = 70  # characters in a line, as ssh-keygen writes them

KEY_FIELDS = {
    "ssh-ed25519": 1,
    "ssh-rsa": 2,
    "ecdsa-sha2-nistp256": 2,
    "ecdsa-sha2-nistp384": 2,
    "ecdsa-sha2-nistp521": 2,
    "sk-ssh-ed25519@openssh.com": 2,
    "sk-ecdsa-sha2-nistp256@openssh.com": 3,
}
"""Kinds of keys, and how many fields follow the kind in a public key. DSA is dead and not among them."""

_CERTIFICATE = "-cert-v01@openssh.com"
_CERTIFIED = {kind.removesuffix("@openssh.com") + _CERTIFICATE: kind for kind in KEY_FIELDS}


@dataclass(frozen=True)
class Envelope:
    """A signature as far as it says about itself: by which key, and for what."""

    blob: bytes
    key: bytes  # the public key, without the certificate around it
    namespace: str

    @property
    def fingerprint(self) -> str:
        """The key's fingerprint."""
        return fingerprint(self.key)


def read_envelope(armored: str) -> Envelope:
    """The signature in a text. Raise Refused where it has not the form of one."""
    encoded(armored, LARGEST_SIGNATURE, "signature")
    lines = [line.strip() for line in armored.strip().splitlines()]
    if len(lines) < 3 or lines[0] != _BEGIN or lines[-1] != _END:
        raise _unknown()
    try:
        blob = base64.b64decode("".join(lines[1:-1]), validate=True)
    except (ValueError, binascii.Error):
        raise _unknown() from None
    return read_blob(blob)


def read_blob(blob: bytes) -> Envelope:
    """The signature in its bytes. Raise Refused where they have not the form of one."""
    if not blob.startswith(_MAGIC):
        raise _unknown()
    reader = _Reader(blob[len(_MAGIC) :])
    if reader.number() != 1:
        raise _unknown()
    key, namespace = reader.string(), reader.string()
    reader.string()  # reserved
    reader.string()  # the hash of the content
    reader.string()  # the signature proper
    if reader.rest:
        raise _unknown()
    return Envelope(blob, plain_key(key), namespace.decode(errors="replace"))


def armored(blob: bytes) -> str:
    """A signature's bytes as ssh-keygen writes them."""
    text = base64.b64encode(blob).decode()
    lines = [text[start : start + _WIDTH] for start in range(0, len(text), _WIDTH)]
    return "\n".join([_BEGIN, *lines, _END, ""])


def plain_key(blob: bytes) -> bytes:
    """The public key in a blob, taken out of its certificate. Raise Refused where it is none we know."""
    reader = _Reader(blob)
    kind = reader.string().decode(errors="replace")
    if kind in KEY_FIELDS:
        for _ in range(KEY_FIELDS[kind]):
            reader.string()
        if reader.rest:
            raise _unknown()
        return blob
    if kind not in _CERTIFIED:
        raise Refused("unknown format: a key of a kind that is not known", "sign with ed25519, ECDSA or RSA")
    kind = _CERTIFIED[kind]
    reader.string()  # the nonce
    fields = [kind.encode(), *(reader.string() for _ in range(KEY_FIELDS[kind]))]
    return b"".join(len(field).to_bytes(4) + field for field in fields)


def kind_of(key: bytes) -> str:
    """The kind of a public key: "ssh-ed25519"."""
    return _Reader(key).string().decode(errors="replace")


def fingerprint(key: bytes) -> str:
    """A public key's fingerprint, as ssh-keygen -l shows it: "SHA256:z09e…"."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


class _Reader:
    """Takes the strings of SSH's binary form one by one."""

    def __init__(self, content: bytes) -> None:
        self.rest = content

    def number(self) -> int:
        if len(self.rest) < 4:
            raise _unknown()
        number, self.rest = int.from_bytes(self.rest[:4]), self.rest[4:]
        return number

    def string(self) -> bytes:
        length = self.number()
        if length > len(self.rest):
            raise _unknown()
        taken, self.rest = self.rest[:length], self.rest[length:]
        return taken


def _unknown() -> Refused:
    return Refused(
        "unknown format: this is no SSH signature", "hand in what relight sign or ssh-keygen wrote"
    )
