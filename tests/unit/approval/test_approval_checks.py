"""`relight check` tells what would keep answers from being believed, or let one person count as two."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from relight.approval import check_approvals
from relight.estate import Check, check_estate, load_estate
from rig.estates import an_estate
from rig.files import ROOT
from rig.signing import NOW, Person, make_key


def found(folder: Path, content: str | None, approvers: tuple[str, ...] = (), **declared: str) -> list[Check]:
    if content is not None:
        path = folder / "allowed_signers"
        path.write_text(content, encoding="utf-8")
        path.chmod(0o644)
    approvals = {"allowed_signers": "allowed_signers"} | declared
    return list(check_approvals(folder, an_estate(approvals=approvals, approvers=approvers), NOW))


def codes(checks: list[Check]) -> list[tuple[str, str]]:
    return [(check.severity, check.code) for check in checks]


def test_nothing_is_said_where_no_approvals_are_declared(tmp_path: Path) -> None:
    assert list(check_approvals(tmp_path, an_estate(approvers=("ada",)), NOW)) == []


def test_two_people_with_a_key_each_are_enough(ada: Person, grace: Person, tmp_path: Path) -> None:
    assert found(tmp_path, ada.line() + grace.line(), ("ada", "grace")) == []
    assert found(tmp_path, ada.line() + grace.line()) == []


def test_a_missing_list_is_an_error(tmp_path: Path) -> None:
    (check,) = found(tmp_path, None, ("ada",))
    assert (check.severity, check.path) == ("error", "approvals.allowed_signers")
    assert check.message == "allowed_signers cannot be read: No such file or directory"


def test_a_list_that_is_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "allowed_signers").mkdir()
    assert codes(found(tmp_path, None)) == [("error", "no-signers")]


@pytest.mark.parametrize("content", ["", "# nobody\n\n"])
def test_an_empty_list_is_an_error(content: str, tmp_path: Path) -> None:
    assert ("error", "no-signers") in codes(found(tmp_path, content))


def test_a_malformed_line_is_an_error_with_its_number(ada: Person, grace: Person, tmp_path: Path) -> None:
    (check,) = found(tmp_path, f"# people\n{ada.line()}{grace.line()}linus ssh-ed25519\n")
    assert check.severity == "error"
    assert check.message == "allowed_signers, line 4: no key stands after 'ssh-ed25519'"


def test_an_approver_without_a_key_is_an_error_at_their_name(
    ada: Person, grace: Person, tmp_path: Path
) -> None:
    (check,) = found(tmp_path, ada.line() + grace.line(), ("ada", "grace", "linus"))
    assert (check.severity, check.path) == ("error", "approvers.2")
    assert check.message == "linus has no key in the list of signers"


@pytest.mark.parametrize(
    "option", ['valid-before="20200101Z"', 'namespaces="git"', 'valid-after="20300101Z"']
)
def test_an_approver_whose_key_does_not_count_now_is_an_error(
    option: str, ada: Person, grace: Person, tmp_path: Path
) -> None:
    checks = found(tmp_path, ada.line() + grace.line(option), ("ada", "grace"))
    assert codes(checks) == [("error", "approver-without-key"), ("warning", "too-few-approvers")]
    assert checks[0].message == "grace has no key that counts now"


def test_an_approver_whose_key_is_revoked_is_an_error(ada: Person, grace: Person, tmp_path: Path) -> None:
    (tmp_path / "revoked").write_text(f"# lost\n{grace.public}\n")
    checks = found(tmp_path, ada.line() + grace.line(), ("ada", "grace"), revoked_keys="revoked")
    assert ("error", "approver-without-key") in codes(checks)


@pytest.mark.parametrize("principals", ["ada,grace", "*"])
def test_two_approvers_who_share_a_key_are_an_error(principals: str, ada: Person, tmp_path: Path) -> None:
    checks = found(tmp_path, ada.line(principals=principals), ("ada", "grace"))
    assert codes(checks) == [("error", "shared-key"), ("warning", "too-few-approvers")]
    assert checks[0].message.startswith("ada and grace share the key SHA256:")


def test_a_key_in_two_lines_is_shared_also_where_approvers_are_not_declared(
    ada: Person, grace: Person, tmp_path: Path
) -> None:
    checks = found(tmp_path, ada.line() + ada.line(principals="bob") + grace.line())
    assert codes(checks) == [("error", "shared-key")]


def test_one_person_alone_is_too_few_for_a_failover_in_doubt(ada: Person, tmp_path: Path) -> None:
    two_keys = ada.line() + Person("ada", make_key(tmp_path / "second")).line()
    (check,) = found(tmp_path, two_keys, ("ada",))
    assert (check.severity, check.code) == ("warning", "too-few-approvers")
    assert check.message == "only one person can sign; a failover in doubt asks for two"


def test_a_list_of_revoked_keys_that_cannot_be_read_is_an_error(
    ada: Person, grace: Person, tmp_path: Path
) -> None:
    lines = ada.line() + grace.line()
    assert codes(found(tmp_path, lines, revoked_keys="nowhere")) == [("error", "revoked-keys")]
    (tmp_path / "revoked").write_text("lost keys:\n")
    (check,) = found(tmp_path, lines, revoked_keys="revoked")
    assert "neither a KRL nor a list of public keys: line 1" in check.message


def test_a_list_that_others_may_write_is_a_warning(ada: Person, grace: Person, tmp_path: Path) -> None:
    found(tmp_path, ada.line() + grace.line())
    (tmp_path / "allowed_signers").chmod(0o664)
    assert codes(found(tmp_path, None)) == [("warning", "signers-writable")]


def test_an_authority_and_local_times_are_warnings(ada: Person, grace: Person, tmp_path: Path) -> None:
    lines = ada.line("cert-authority", "*") + grace.line('valid-before="20301231"')
    assert codes(found(tmp_path, lines, ("ada", "grace"))) == [
        ("warning", "signing-authority"),
        ("warning", "local-time"),
    ]


def test_a_signature_that_never_holds_is_an_error_of_the_estate() -> None:
    approvals = {"allowed_signers": "allowed_signers", "valid_for": "0s"}
    assert "no-validity" in [check.code for check in check_estate(an_estate(approvals=approvals))]


def test_the_example_loads_with_its_approvals_in_force(tmp_path: Path) -> None:
    text = (ROOT / "examples/two-sites.yaml").read_text(encoding="utf-8")
    before, after = text.split("# approvals:\n")
    path = tmp_path / "estate.yaml"
    path.write_text(before + "approvals:\n" + after.replace("#   ", "  "), encoding="utf-8")
    estate = load_estate(path)
    assert estate.approvals
    assert estate.approvals.valid_for == timedelta(hours=1)
    assert check_estate(estate) == ()
