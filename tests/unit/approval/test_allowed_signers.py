"""The list of signers is read as ssh-keygen reads it."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.approval import find_key, read_signers
from relight.approval.envelope import KEY_FIELDS
from relight.approval.signers import matches
from relight.errors import UsageError
from rig.signing import NOW, Person, make_key

ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG67Xw6p2MTk8L9VXxYe2c9yySlS1alR8pv5ktx7F0MC"


@pytest.mark.parametrize(
    ("line", "principals"),
    [
        (f"ada {ED25519}", "ada"),
        (f"  ada,grace\t{ED25519} a comment", "ada,grace"),
        (f'"ada lovelace,ada" {ED25519}', "ada lovelace,ada"),
        (f'ada namespaces="a b,c",valid-before="20270101Z" {ED25519}', "ada"),
        (f'* CERT-AUTHORITY,valid-after="20260101" {ED25519}\r', "*"),
    ],
)
def test_a_line_is_read(line: str, principals: str) -> None:
    (signer,), faults = read_signers(f"# people\n\n{line}\n")
    assert (signer.line, signer.principals, signer.public_key) == (3, principals, ED25519)
    assert faults == ()


def test_options_are_read() -> None:
    options = 'cert-authority,namespaces="git,approval@*",valid-after="20260101",valid-before="202612311800Z"'
    ((signer,), _) = read_signers(f"ada {options} {ED25519}")
    assert signer.is_authority
    assert signer.has_local_times
    assert signer.namespaces == "git,approval@*"
    assert signer.valid_after == datetime(2026, 1, 1, tzinfo=UTC)
    assert signer.valid_before == datetime(2026, 12, 31, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("ada", "write: principals"),
        ("ada ssh-ed25519", "no key stands after"),
        ("ada ssh-ed25519 AAAA", "the key is cut or changed"),
        (f"ada {ED25519[:-8]}", "the key is cut or changed"),
        (f"ada {ED25519.replace('ssh-ed25519', 'ssh-rsa')}", "the key is not of the kind 'ssh-rsa'"),
        (f"ada ssh-dss {ED25519}", "neither an option nor a kind of key"),
        (f'ada colour="red" {ED25519}', "neither an option nor a kind of key"),
        (f'ada valid-before="tomorrow" {ED25519}', "not a time: 'tomorrow'"),
        (f'ada valid-before="20269901" {ED25519}', "not a time: '20269901'"),
        (f'ada namespaces="git {ED25519}', "a quote is not closed"),
        (f"{ED25519}", "neither an option nor a kind of key"),
        (f'"" {ED25519}', "it names nobody"),
    ],
)
def test_a_malformed_line_is_told_with_its_number_and_the_rest_still_counts(line: str, says: str) -> None:
    signers, (fault,) = read_signers(f"# people\n{line}\ngrace {ED25519}\n")
    assert fault.line == 2
    assert fault.what.startswith(says)
    assert [signer.principals for signer in signers] == ["grace"]


@pytest.mark.parametrize("line", ['ada colour="red" KEY', 'ada valid-before="never" KEY', "ada KEYAAAA"])
def test_ssh_keygen_passes_over_what_is_told_as_malformed(line: str, ada: Person, tmp_path: Path) -> None:
    (tmp_path / "signers").write_text(line.replace("KEY", ada.public) + "\n")
    (tmp_path / "content").write_text("x")
    for arguments in (["sign", "-f", str(ada.key), "content"], ["find-principals", "-f", "signers"]):
        command = ["ssh-keygen", "-q", "-Y", arguments[0], "-n", "file", *arguments[1:]]
        command += ["-s", "content.sig"] if arguments[0] != "sign" else []
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode != 0
    assert read_signers((tmp_path / "signers").read_text())[0] == ()


@pytest.mark.parametrize(
    ("text", "patterns", "fits"),
    [
        ("ada", "ada", True),
        ("ada", "Ada", False),
        ("ada@x", "*@x", True),
        ("ada@x", "*@x,!ada@*", False),
        ("ada@x", "!ada@*,*@x", False),
        ("eve", "!ada", False),
        ("ada", "a?a", True),
        ("ada", "[a]da", False),
        ("ada", "", False),
    ],
)
def test_patterns_fit_as_in_ssh_config(text: str, patterns: str, fits: bool) -> None:
    assert matches(text, patterns) is fits


@given(st.text(max_size=200))
def test_any_file_is_read(text: str) -> None:
    read_signers(text)


@given(st.lists(st.sampled_from([*KEY_FIELDS, "ada", "*", '"', "=", ",", " ", "valid-after", ED25519, "\\"])))
def test_anything_like_a_line_is_read(parts: list[str]) -> None:
    read_signers(" ".join(parts))
    read_signers("".join(parts))


# Finding one's own key


def test_ones_own_key_is_found_by_the_list_among_the_files(tmp_path: Path) -> None:
    mine, other = Person("ada", make_key(tmp_path / "id_work")), Person("ada", make_key(tmp_path / "id_home"))
    (tmp_path / "notes.pub").write_text("no key\n")
    signers, _ = read_signers(mine.line())
    assert find_key("ada", signers, tmp_path, NOW) == mine.key
    both, _ = read_signers(mine.line() + other.line())
    with pytest.raises(UsageError, match="more than one key could be meant"):
        find_key("ada", both, tmp_path, NOW)


def test_a_key_that_is_in_no_file_may_be_in_an_agent(ada: Person, tmp_path: Path) -> None:
    signers, _ = read_signers(ada.line())
    assert find_key("ada", signers, tmp_path, NOW) == ada.public
    with pytest.raises(UsageError, match="has no key of grace"):
        find_key("grace", signers, tmp_path, NOW)
