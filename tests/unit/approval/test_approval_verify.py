"""A signature is believed, or refused with the one reason that is true; real keys, real ssh-keygen."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from relight.approval import Signed, Trust, sign, verify, verify_evidence
from relight.approval.envelope import armored, read_envelope
from relight.errors import Refused
from rig.signing import (
    DIGEST,
    GATE,
    NOW,
    RUN,
    Person,
    a_statement,
    an_asking,
    make_key,
    signed_by,
    signed_for,
    trust_in,
)


@pytest.mark.parametrize("name", ["ada", "grace", "linus"])
def test_a_signature_by_any_kind_of_key_is_believed(
    name: str, crew: Mapping[str, Person], tmp_path: Path
) -> None:
    trust = trust_in(tmp_path, *(person.line() for person in crew.values()))
    verified = verify(signed_by(crew[name]), an_asking(identity=name), trust, NOW)
    shown = subprocess.run(
        ["ssh-keygen", "-l", "-f", str(crew[name].key)], capture_output=True, text=True, check=True
    ).stdout
    assert verified.identity == name
    assert verified.key == shown.split()[1]
    assert verified.statement.reason == "north is dark, I called them"


def test_a_key_may_stand_for_a_pattern_of_identities(ada: Person, tmp_path: Path) -> None:
    trust = trust_in(tmp_path, "# people\n\n", ada.line(principals="*@example.net,!eve@example.net"))
    signed = signed_by(ada, identity="ada@example.net")
    assert verify(signed, an_asking(identity="ada@example.net"), trust, NOW).identity == "ada@example.net"
    with pytest.raises(Refused, match=r"^forged: the key \S+ speaks for .*, not for eve@example.net"):
        verify(signed_by(ada, identity="eve@example.net"), an_asking(identity="eve@example.net"), trust, NOW)


def test_one_key_under_two_identities_has_one_fingerprint(ada: Person, tmp_path: Path) -> None:
    trust = trust_in(tmp_path, ada.line(principals="ada,bob"))
    keys = {verify(signed_by(ada, identity=n), an_asking(identity=n), trust, NOW).key for n in ("ada", "bob")}
    assert len(keys) == 1


def test_a_certified_key_is_the_same_key_as_without_its_certificate(ada: Person, tmp_path: Path) -> None:
    authority = Person("ca", make_key(tmp_path / "ca"))
    for suffix in ("", ".pub"):
        content = ada.key.with_name(ada.key.name + suffix).read_bytes()
        (tmp_path / f"ada{suffix}").write_bytes(content)
    (tmp_path / "ada").chmod(0o600)
    command = [
        "ssh-keygen",
        "-q",
        "-s",
        str(authority.key),
        "-I",
        "ada",
        "-n",
        "ada",
        "-V",
        "20260101:20270101",
    ]
    subprocess.run([*command, str(tmp_path / "ada.pub")], check=True)
    signed = sign(a_statement(), tmp_path / "ada-cert.pub")
    trust = trust_in(tmp_path, authority.line("cert-authority", "*"))
    plain = verify(signed_by(ada), an_asking(), trust_in(tmp_path / "..", ada.line()), NOW)
    assert verify(signed, an_asking(), trust, NOW).key == plain.key
    as_bob = sign(a_statement(identity="bob"), tmp_path / "ada-cert.pub")
    with pytest.raises(Refused, match="name is not a listed principal"):
        verify(as_bob, an_asking(identity="bob"), trust, NOW)


# Refusals


def refusal(signed: Signed, trust: Trust, **asked: str) -> str:
    with pytest.raises(Refused) as caught:
        verify(signed, an_asking(**asked), trust, NOW)
    return caught.value.what


@pytest.fixture
def trust(ada: Person, grace: Person, tmp_path: Path) -> Trust:
    return trust_in(tmp_path, ada.line(), grace.line())


def test_a_signature_over_another_statement_is_forged(ada: Person, trust: Trust) -> None:
    mine = a_statement(reason="nothing is wrong")
    other = Signed(mine.content.decode(), signed_by(ada).signature)
    assert refusal(other, trust) == "forged: the signature is not one over this statement by that key"


def test_a_signature_with_a_changed_bit_is_forged(ada: Person, trust: Trust) -> None:
    blob = bytearray(read_envelope(signed_by(ada).signature).blob)
    blob[-1] ^= 1
    changed = Signed(signed_by(ada).statement, armored(bytes(blob)))
    assert refusal(changed, trust).startswith("forged: the signature is not one over this statement")


def test_a_signature_by_somebody_elses_key_is_forged(grace: Person, trust: Trust) -> None:
    assert "speaks for grace, not for ada" in refusal(signed_by(grace, identity="ada"), trust)


def test_what_another_person_signed_cannot_be_handed_in_as_ones_own(grace: Person, trust: Trust) -> None:
    assert refusal(signed_by(grace), trust) == "forged: ada hands in what grace signed"


def test_a_key_that_is_in_no_list_is_refused(mallory: Person, trust: Trust) -> None:
    assert refusal(signed_by(mallory, identity="ada"), trust).endswith("is nobody's in allowed_signers")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"run": "another-run"}, f"the run {RUN}, and this is another-run"),
        ({"gate": "again:drain"}, f"the gate {GATE}, and this is again:drain"),
        ({"digest": "sha256:" + "f" * 64}, f"the plan {DIGEST}, and this is sha256:ffff"),
        ({"decision": "refuse"}, "the answer approve, and this is refuse"),
    ],
    ids=["run", "gate", "plan", "decision"],
)
def test_a_signature_for_something_else_is_a_replay(
    asked: dict[str, str], says: str, ada: Person, trust: Trust
) -> None:
    assert f"replayed: it was signed for {says}" in refusal(signed_by(ada), trust, **asked)


def test_an_answer_that_was_believed_once_is_a_replay(ada: Person, trust: Trust) -> None:
    signed = signed_by(ada)
    with pytest.raises(Refused, match=r"^replayed: this very answer was handed in before"):
        verify(signed, an_asking(), trust, NOW, taken={signed.statement})
    again = sign(a_statement(at=NOW - timedelta(seconds=1)), ada.key)
    assert verify(again, an_asking(), trust, NOW, taken={signed.statement})


def test_a_signature_holds_for_as_long_as_the_estate_says_and_no_longer(ada: Person, trust: Trust) -> None:
    signed = signed_by(ada, at=NOW)
    assert verify(signed, an_asking(), trust, NOW + timedelta(hours=1))
    with pytest.raises(Refused, match=r"^expired: it was signed 1h1s ago, and a signature holds for 1h"):
        verify(signed, an_asking(), trust, NOW + timedelta(hours=1, seconds=1))


def test_a_clock_that_is_a_little_ahead_is_forgiven_and_one_that_is_far_ahead_is_not(
    ada: Person, trust: Trust
) -> None:
    signed = signed_by(ada, at=NOW)
    assert verify(signed, an_asking(), trust, NOW - timedelta(seconds=59))
    with pytest.raises(Refused, match=r"^from the future: the signer's clock was 1m1s ahead"):
        verify(signed, an_asking(), trust, NOW - timedelta(seconds=61))


def test_a_key_counts_no_more_after_its_time(ada: Person, tmp_path: Path) -> None:
    trust = trust_in(tmp_path, ada.line('valid-before="20260301025959"'))
    assert "counted until 2026-03-01 02:59:59 UTC" in refusal(signed_by(ada), trust)
    trust = trust_in(tmp_path, ada.line('valid-before="202603010301Z"'))
    assert verify(signed_by(ada), an_asking(), trust, NOW)


def test_a_key_does_not_count_before_its_time(ada: Person, tmp_path: Path) -> None:
    trust = trust_in(tmp_path, ada.line('valid-after="20260302"'))
    assert refusal(signed_by(ada), trust).startswith("from the future: the key SHA256:")


def test_times_of_keys_are_utc_whatever_the_zone_here(
    ada: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust = trust_in(tmp_path, ada.line('valid-after="202603010255",valid-before="202603010305"'))
    for zone in ("Asia/Tokyo", "America/New_York", "UTC-14"):
        monkeypatch.setenv("TZ", zone)
        assert verify(signed_by(ada), an_asking(), trust, NOW)


def test_a_key_in_a_list_of_revoked_keys_is_revoked(ada: Person, grace: Person, tmp_path: Path) -> None:
    trust = trust_in(tmp_path, ada.line(), grace.line(), revoked=f"# lost\n{ada.public}\n")
    assert refusal(signed_by(ada), trust).startswith("revoked: the key SHA256:")
    assert verify(signed_by(grace), an_asking(identity="grace"), trust, NOW)


def test_a_key_in_a_krl_is_revoked(ada: Person, grace: Person, tmp_path: Path) -> None:
    krl = tmp_path / "krl"
    subprocess.run(["ssh-keygen", "-q", "-k", "-f", str(krl), f"{ada.key}.pub"], check=True)
    trust = trust_in(tmp_path, ada.line(), grace.line(), revoked=krl.read_bytes())
    assert refusal(signed_by(ada), trust).startswith("revoked: the key SHA256:")
    assert verify(signed_by(grace), an_asking(identity="grace"), trust, NOW)


def test_no_key_is_believed_while_the_list_of_revoked_keys_cannot_be_read(
    ada: Person, tmp_path: Path
) -> None:
    trust = trust_in(tmp_path, ada.line(), revoked="what is this\n")
    assert "revoked_keys is neither a KRL nor a list of public keys: line 1" in refusal(signed_by(ada), trust)
    (tmp_path / "revoked_keys").unlink()
    assert "revoked_keys cannot be read: No such file" in refusal(signed_by(ada), trust)


def test_a_signature_made_for_something_else_is_of_the_wrong_namespace(ada: Person, trust: Trust) -> None:
    statement = a_statement()
    for namespace in ("git", "file", "approval@relight.example", "approval@relight\0"[:-1] + "s"):
        signed = Signed(statement.content.decode(), signed_for(ada, namespace, statement.content))
        assert refusal(signed, trust).startswith(f"wrong namespace: the signature is for {namespace!r}")


def test_a_namespace_that_is_written_over_is_forged(ada: Person, trust: Trust) -> None:
    """The namespace is part of what is signed: to rename it in the envelope does not help."""
    statement = a_statement()
    blob = read_envelope(signed_for(ada, "approval@rolight", statement.content)).blob
    renamed = armored(blob.replace(b"approval@rolight", b"approval@relight"))
    assert refusal(Signed(statement.content.decode(), renamed), trust).startswith("forged: the signature")


def test_a_key_that_may_only_sign_other_things_is_of_the_wrong_namespace(ada: Person, tmp_path: Path) -> None:
    trust = trust_in(tmp_path, ada.line('namespaces="git,file"'))
    assert "may sign git,file, not approval@relight" in refusal(signed_by(ada), trust)
    trust = trust_in(tmp_path, ada.line('namespaces="git,approval@*"'))
    assert verify(signed_by(ada), an_asking(), trust, NOW)


def test_what_is_no_signature_is_of_unknown_format(ada: Person, trust: Trust) -> None:
    good = signed_by(ada)
    for text in ("", "yes", good.signature[:-30], good.signature.replace("\n", "", 1), good.statement):
        assert refusal(Signed(good.statement, text), trust).startswith("unknown format")


def test_a_statement_of_another_version_or_form_is_of_unknown_format(ada: Person, trust: Trust) -> None:
    good = signed_by(ada).statement
    for text in (
        good.replace('"version":1', '"version":2'),
        good.replace('{"at"', '{ "at"'),
        good.replace("}", ',"more":1}'),
        good.replace('"version":1', '"version":1,"version":1'),
        "{}",
        "[" * 5000,
        "\ud800",
    ):
        signature = signed_for(ada, "approval@relight", text.encode(errors="replace"))
        assert refusal(Signed(text, signature), trust).startswith("unknown format")


def test_what_is_oversized_is_refused_unread(ada: Person, trust: Trust) -> None:
    good = signed_by(ada)
    assert refusal(Signed("x" * 40_000, good.signature), trust).startswith("oversized: the statement")
    assert refusal(Signed(good.statement, "x" * 70_000), trust).startswith("oversized: the signature")


def test_nothing_is_believed_without_a_list_of_signers(ada: Person, tmp_path: Path) -> None:
    trust = Trust(tmp_path / "nowhere")
    assert refusal(signed_by(ada), trust) == "nowhere cannot be read: No such file or directory"


def test_nothing_is_believed_without_ssh_keygen(
    ada: Person, trust: Trust, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = signed_by(ada)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refusal(signed, trust).startswith("there is no ssh-keygen here")


def test_a_list_that_never_ends_to_be_read_ends_in_a_refusal(ada: Person, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    before = time.monotonic()
    assert refusal(signed_by(ada), Trust(tmp_path / "pipe")).startswith("ssh-keygen did not answer")
    assert time.monotonic() - before < 10


# Evidence


def test_evidence_is_verified_as_of_its_time_with_the_content_of_the_list_alone(ada: Person) -> None:
    signed = signed_by(ada)
    key = read_envelope(signed.signature).fingerprint
    evidence = {"statement": signed.statement, "signature": signed.signature, "key": key}
    signers = ada.line('valid-before="20260401Z"').encode()  # it has expired by now, and had not then
    assert verify_evidence(evidence, signers, an_asking(), NOW).key == key
    with pytest.raises(Refused, match="names another key"):
        verify_evidence(evidence | {"key": "SHA256:other"}, signers, an_asking(), NOW)
    with pytest.raises(Refused, match="has no signature"):
        verify_evidence({"statement": signed.statement, "key": key}, signers, an_asking(), NOW)
    with pytest.raises(Refused, match="replayed"):
        verify_evidence(evidence, signers, an_asking(run="r2"), NOW)
    with pytest.raises(Refused, match="revoked"):
        verify_evidence(evidence, signers, an_asking(), NOW, revoked_keys=ada.public.encode())


def test_a_stranger_verifies_evidence_with_ssh_keygen_alone(ada: Person, tmp_path: Path) -> None:
    """As docs/guides/approvals.md has it."""
    signed = signed_by(ada)
    (tmp_path / "allowed_signers").write_text(ada.line())
    (tmp_path / "signature").write_text(signed.signature)
    command = "ssh-keygen -Y verify -f allowed_signers -I ada -n approval@relight -s signature"
    done = subprocess.run(
        command.split(), cwd=tmp_path, input=signed.statement.encode(), capture_output=True, check=True
    )
    assert done.stdout.startswith(b'Good "approval@relight" signature for ada with ED25519 key SHA256:')
