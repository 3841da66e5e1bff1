"""Answers travel as one line, and no text that anybody hands in does more than be refused."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relight.approval import Signed, body_of, new_statement, pack, read_statement, unpack, verify
from relight.approval.envelope import armored, plain_key, read_blob, read_envelope
from relight.errors import Refused, UsageError
from rig.signing import NOW, Person, a_statement, an_asking, signed_by, trust_in

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
lines = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp")), max_size=40).map(
    lambda text: text + "x"
)


def test_a_signed_answer_comes_through_as_one_line(ada: Person) -> None:
    signed = signed_by(ada, reason="Größe ✓")
    line = pack(signed)
    assert line.isascii()
    assert not line.split(":", 1)[1].count("\n")
    assert unpack(line) == signed
    assert unpack(f"  {line}\r\n") == signed
    assert unpack("\n".join(textwrap.wrap(line, 60))) == signed  # as mails break it


def test_the_body_of_a_request_says_what_was_signed(ada: Person) -> None:
    signed = signed_by(ada)
    body, statement = body_of(signed), read_statement(signed.statement)
    assert (body["gate"], body["reason"], body["digest"]) == (
        statement.gate,
        statement.reason,
        statement.digest,
    )
    assert Signed(body["statement"], body["signature"]) == signed


@pytest.mark.parametrize("text", ["", "yes", "relight-approval-2:e30:e30", "relight-approval-1:e", "\ud800"])
def test_what_is_no_signed_answer_is_of_unknown_format(text: str) -> None:
    with pytest.raises(Refused, match="unknown format"):
        unpack(text)


@given(run=lines, gate=lines, reason=lines)
@quick
def test_every_statement_reads_back_as_itself(run: str, gate: str, reason: str) -> None:
    statement = a_statement(run=run, gate=gate, reason=reason)
    assert read_statement(statement.content.decode()) == statement


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("identity", "ada lovelace"),
        ("identity", "-ada"),
        ("reason", "  "),
        ("reason", "one\ntwo"),
        ("reason", "\x1b[2J gone"),
        ("digest", "sha256:12"),
        ("run", ""),
    ],
)
def test_what_cannot_be_signed_is_told_before_anybody_signs(part: str, value: str) -> None:
    said = a_statement().model_dump(exclude={"version"}) | {part: value}
    with pytest.raises(UsageError, match=f"the {part} cannot be signed as it is"):
        new_statement(**said)


def is_read(read: Callable[[Any], object], given: object) -> bool:
    """Whether it was read, else refused as what it is; anything else that it raises fails the test."""
    try:
        read(given)
    except Refused as refused:
        return not refused.what.startswith(("unknown format", "oversized"))
    return True


@given(text=st.text(max_size=300))
@quick
def test_any_text_is_refused(text: str) -> None:
    assert not any(is_read(read, text) for read in (read_statement, read_envelope, unpack))


@given(content=st.binary(max_size=300))
@quick
def test_any_bytes_are_refused_as_a_signature(content: bytes) -> None:
    for blob in (content, b"SSHSIG" + content, b"SSHSIG\0\0\0\x01" + content):
        assert not any(is_read(read, blob) for read in (read_blob, plain_key))


@given(data=st.data())
@quick
def test_a_mangled_signature_is_never_believed(data: st.DataObject, ada: Person, tmp_path: Path) -> None:
    signed = signed_by(ada)
    blob = bytearray(read_envelope(signed.signature).blob)
    for _ in range(data.draw(st.integers(1, 3))):
        blob[data.draw(st.integers(0, len(blob) - 1))] ^= data.draw(st.integers(1, 255))
    if bytes(blob) == read_envelope(signed.signature).blob:
        return
    with pytest.raises(Refused):
        verify(
            Signed(signed.statement, armored(bytes(blob))), an_asking(), trust_in(tmp_path, ada.line()), NOW
        )


@given(data=st.data())
@quick
def test_a_mangled_statement_is_never_believed(data: st.DataObject, ada: Person, tmp_path: Path) -> None:
    signed = signed_by(ada)
    at = data.draw(st.integers(0, len(signed.statement) - 1))
    until = data.draw(st.integers(at, min(len(signed.statement), at + 4)))
    mangled = signed.statement[:at] + data.draw(st.text(max_size=4)) + signed.statement[until:]
    if mangled == signed.statement:
        return
    trust = trust_in(tmp_path, ada.line())
    with pytest.raises(Refused):
        verify(Signed(mangled, signed.signature), an_asking(), trust, NOW)


@given(data=st.data())
@quick
def test_a_mangled_line_is_never_read_as_the_same_answer(data: st.DataObject, ada: Person) -> None:
    line = pack(signed_by(ada))
    at = data.draw(st.integers(0, len(line) - 1))
    mangled = line[:at] + data.draw(st.text("ab0_-:~\u00e9", max_size=3)) + line[at + 1 :]
    try:
        read = unpack(mangled)
    except Refused:
        return
    assert mangled == line or read != signed_by(ada)
