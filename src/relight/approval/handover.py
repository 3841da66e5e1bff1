"""A signed answer as one line of text: for a file, a chat, a phone's camera, another machine.

"relight-approval-1:STATEMENT:SIGNATURE", both in base64url. White space is ignored, for mails break lines.
"""

from __future__ import annotations

import base64
import binascii
import re

from relight.approval.envelope import LARGEST_SIGNATURE, armored, read_blob, read_envelope
from relight.approval.statement import LARGEST_STATEMENT, Signed, encoded, read_statement
from relight.errors import Refused

_PREFIX = "relight-approval-1"
_LINE = re.compile(rf"{_PREFIX}:([A-Za-z0-9_-]+):([A-Za-z0-9_-]+)")
_LARGEST = 2 * (LARGEST_STATEMENT + LARGEST_SIGNATURE)


def pack(signed: Signed) -> str:
    """The line for a signed answer, without a newline."""
    blob = read_envelope(signed.signature).blob
    return f"{_PREFIX}:{_encode(signed.statement.encode())}:{_encode(blob)}"


def unpack(text: str) -> Signed:
    """The signed answer in a line. Nothing is verified. Raise Refused where it has not the form of one."""
    encoded(text, _LARGEST, "answer")
    found = _LINE.fullmatch("".join(text.split()))
    if not found:
        raise Refused(
            "unknown format: this is no signed answer", f'it begins with "{_PREFIX}:"; copy the whole line'
        )
    try:
        statement = _decode(found[1]).decode()
        blob = _decode(found[2])
    except ValueError:
        raise Refused("unknown format: the signed answer is cut or changed", "copy the whole line") from None
    read_statement(statement)
    return Signed(statement, armored(read_blob(blob).blob))


def body_of(signed: Signed) -> dict[str, str]:
    """The request's body for a signed answer; its identity and decision stand in `read_statement`.

    `key` is the fingerprint of the key in the signature: the judge refuses a body that names another.
    """
    statement, envelope = read_statement(signed.statement), read_envelope(signed.signature)
    return {
        "gate": statement.gate,
        "reason": statement.reason,
        "digest": statement.digest,
        "statement": signed.statement,
        "signature": armored(envelope.blob),
        "key": envelope.fingerprint,
    }


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _decode(text: str) -> bytes:
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
    if _encode(content) != text:  # bits behind the last byte
        raise ValueError("not base64 as we write it")
    return content
