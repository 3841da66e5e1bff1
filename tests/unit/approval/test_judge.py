"""What the engine believes: with signatures where the estate declares them, else the approvers' names."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from relight.approval import Judge, Signed, body_of, verify_evidence
from relight.estate import Estate
from rig.estates import an_estate
from rig.signing import DIGEST, GATE, NOW, RUN, Person, an_asking, signed_by, trust_in


def an_estate_that_signs(**declared: str) -> Estate:
    approvals = {"allowed_signers": "allowed_signers", "valid_for": "10m"} | declared
    return an_estate(approvals=approvals, approvers=("ada", "grace"))


@pytest.fixture
def judge(ada: Person, grace: Person, mallory: Person, tmp_path: Path) -> Judge:
    trust_in(tmp_path, ada.line(), grace.line(), mallory.line())
    return Judge(tmp_path, an_estate_that_signs())


UNSIGNED = {"gate": GATE, "reason": "I looked", "digest": DIGEST}


def test_without_approvals_an_approvers_name_is_enough(tmp_path: Path) -> None:
    judge = Judge(tmp_path, an_estate(approvers=("ada",)))
    assert not judge.needs_signatures
    assert judge.why_not(RUN, DIGEST, "ada", UNSIGNED, NOW) == ""
    assert judge.why_not(RUN, DIGEST, "bob", UNSIGNED, NOW) == "bob is not among the estate's approvers (ada)"
    assert judge.evidence(UNSIGNED) == {}
    assert Judge(tmp_path, an_estate()).why_not(RUN, DIGEST, "bob", UNSIGNED, NOW) == ""


def test_a_signed_answer_is_believed_and_kept_so_that_a_stranger_can_verify_it(
    judge: Judge, ada: Person
) -> None:
    body = body_of(signed_by(ada))
    assert judge.needs_signatures
    assert judge.why_not(RUN, DIGEST, "ada", body, NOW) == ""
    evidence = judge.evidence(body)
    assert set(evidence) == {"statement", "signature", "key"}
    assert verify_evidence(evidence, ada.line().encode(), an_asking(), NOW).key == evidence["key"]


def test_evidence_is_only_taken_as_ssh_keygen_alone_reads_it(judge: Judge, ada: Person) -> None:
    signed = signed_by(ada)
    indented = Signed(signed.statement, signed.signature.replace("\n", "\r\n  "))
    body = body_of(signed) | {"signature": indented.signature}
    assert judge.why_not(RUN, DIGEST, "ada", body, NOW).startswith("the signature is not the one")
    assert judge.why_not(RUN, DIGEST, "ada", body_of(indented), NOW) == ""
    assert judge.evidence(body_of(indented)) == judge.evidence(body_of(signed))


def test_nobody_hands_in_another_key_than_signed(judge: Judge, ada: Person, grace: Person) -> None:
    """Keys are counted, so that one under two names counts once: to name another must not help."""
    body = body_of(signed_by(ada))
    for key in (body_of(signed_by(grace))["key"], "SHA256:other"):
        why = judge.why_not(RUN, DIGEST, "ada", body | {"key": key}, NOW)
        assert why.startswith("the key is not the one that was signed")
    del body["key"]
    assert judge.why_not(RUN, DIGEST, "ada", body, NOW).startswith("it is not signed")


def test_somebody_that_a_gate_was_escalated_to_may_answer_it_and_must_sign_as_well(
    judge: Judge, mallory: Person
) -> None:
    body = body_of(signed_by(mallory))
    assert judge.why_not(RUN, DIGEST, "mallory", body, NOW, also={"mallory"}) == ""
    assert judge.why_not(RUN, DIGEST, "mallory", UNSIGNED, NOW, also={"mallory"}).startswith(
        "it is not signed"
    )


def test_an_unsigned_answer_is_not_believed_where_signatures_are_declared(judge: Judge) -> None:
    assert judge.why_not(RUN, DIGEST, "ada", UNSIGNED, NOW).startswith("it is not signed")


def test_a_key_in_the_list_is_not_enough_for_who_is_no_approver(judge: Judge, mallory: Person) -> None:
    body = body_of(signed_by(mallory))
    why = judge.why_not(RUN, DIGEST, "mallory", body, NOW)
    assert why == "mallory is not among the estate's approvers (ada, grace)"


def test_nobody_hands_in_another_reason_than_was_signed(judge: Judge, ada: Person) -> None:
    body = body_of(signed_by(ada)) | {"reason": "they made me"}
    assert judge.why_not(RUN, DIGEST, "ada", body, NOW).startswith(
        "the reason is not the one that was signed"
    )


def test_a_yes_is_no_no(judge: Judge, ada: Person) -> None:
    yes, no = body_of(signed_by(ada)), body_of(signed_by(ada, decision="refuse"))
    assert judge.why_not(RUN, DIGEST, "ada", no, NOW, decision="refuse") == ""
    assert judge.why_not(RUN, DIGEST, "ada", yes, NOW, decision="refuse").startswith("replayed: ")
    assert judge.why_not(RUN, DIGEST, "ada", no, NOW).startswith("replayed: ")


def test_what_opened_a_gate_once_does_not_open_it_again(judge: Judge, ada: Person) -> None:
    body = body_of(signed_by(ada))
    why = judge.why_not(RUN, DIGEST, "ada", body, NOW, taken=[body["statement"]])
    assert why.startswith("replayed: this very answer was handed in before")


def test_the_estate_says_how_long_a_signature_holds(judge: Judge, ada: Person) -> None:
    body = body_of(signed_by(ada))
    later = NOW + timedelta(minutes=6)
    assert "a signature holds for 10m" in judge.why_not(RUN, DIGEST, "ada", body, later)


def test_a_key_that_is_revoked_meanwhile_counts_no_more_at_once(
    ada: Person, grace: Person, tmp_path: Path
) -> None:
    trust_in(tmp_path, ada.line(), grace.line(), revoked="")
    judge = Judge(tmp_path, an_estate_that_signs(revoked_keys="revoked_keys"))
    body = body_of(signed_by(ada))
    assert judge.why_not(RUN, DIGEST, "ada", body, NOW) == ""
    (tmp_path / "revoked_keys").write_text(ada.public)
    assert judge.why_not(RUN, DIGEST, "ada", body, NOW).startswith("revoked: ")


@pytest.mark.parametrize(
    "change",
    [
        {"statement": ""},
        {"signature": "x"},
        {"statement": "\ud800"},
        {"signature": "\0" * 100},
        {"gate": "other"},
        {"digest": "sha256:other"},
    ],
)
def test_whatever_is_handed_in_the_answer_is_a_reason(
    change: dict[str, str], judge: Judge, ada: Person
) -> None:
    assert judge.why_not(RUN, DIGEST, "ada", body_of(signed_by(ada)) | change, NOW)
    assert judge.why_not(RUN, DIGEST, "ada", {}, NOW)


def test_a_full_disk_is_a_reason_and_no_end_of_the_run(
    judge: Judge, ada: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = body_of(signed_by(ada))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    assert judge.why_not(RUN, DIGEST, "ada", body, NOW).startswith("it could not be verified: ")


def test_judging_does_not_hold_up_the_controller(judge: Judge, ada: Person) -> None:
    body = body_of(signed_by(ada))
    taken = []
    for _ in range(20):
        before = time.perf_counter()
        assert judge.why_not(RUN, DIGEST, "ada", body, NOW) == ""
        taken.append(time.perf_counter() - before)
    assert min(taken) < 0.02  # the least of many: other work on this machine is not the judge's
