"""Secrets are blanked in whichever piece they are told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from relight.estate import Secrets, parts_of, redact

KEY = "-----BEGIN KEY-----\nPLANTEDline4711aaaa\nPLANTEDline4711bbbb\n-----END KEY-----"
ACCOUNT = json.dumps({"type": "service_account", "private_key": KEY})


@pytest.mark.parametrize("value", [KEY, ACCOUNT, json.dumps(json.loads(ACCOUNT), indent=2)])
@pytest.mark.parametrize("told", [str, repr, json.dumps, lambda text: json.dumps(json.dumps(text))])
def test_a_key_file_is_blanked_as_it_is_escaped_and_line_by_line(value: str, told: object) -> None:
    assert callable(told)
    parts = parts_of([value])
    for text in (value, KEY, *KEY.splitlines()):
        assert "PLANTED" not in redact(f"bad credentials: {told(text)}!", parts)


def test_a_key_within_a_line_is_blanked_by_itself() -> None:
    token = "eyJhbGciOi5kcm9wIHRoaXM0NzEx"
    parts = parts_of([f"apiVersion: v1\nusers:\n- user:\n    token: {token}\n"])
    assert token not in redact(f"401 for bearer {token}", parts)
    assert redact("the users of v1", parts) == "the users of v1"


def test_a_secret_of_one_line_is_blanked_with_its_quotes_escaped() -> None:
    secret = 'pass"word\\4711'
    assert "4711" not in redact(json.dumps({"said": f"no {secret}"}), parts_of([secret]))
    assert redact("abc", parts_of(["abc"])) == "abc"  # too short to tell from words


def test_what_was_resolved_is_blanked_in_every_piece(tmp_path: Path) -> None:
    (tmp_path / "key.json").write_text(ACCOUNT, encoding="utf-8")
    secrets = Secrets(tmp_path)
    secrets.resolve("file:key.json")
    assert "PLANTED" not in secrets.redact(KEY)
