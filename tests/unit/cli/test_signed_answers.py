"""Where the estate declares approvals, answers are signed: here with a key, or elsewhere and handed in."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from relight.engine import ApprovalGiven, GateRefused, Journal
from rig.command import Call, Said
from rig.signing import Person, make_key

GATE = "override:odd:x"


@pytest.fixture
def people(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Person]:
    """Ada and Grace, who may approve; the estate says so."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.delenv("RELIGHT_KEY", raising=False)
    (tmp_path / ".ssh").mkdir(mode=0o700)
    named = {name: Person(name, make_key(tmp_path / ".ssh" / name)) for name in ("ada", "grace")}
    with (project / "estate.yaml").open("a") as estate:
        estate.write("approvers: [ada, grace]\napprovals: {allowed_signers: allowed_signers}\n")
    (project / "allowed_signers").write_text("".join(person.line() for person in named.values()))
    return named


@pytest.fixture
def waiting(people: dict[str, Person], call: Call) -> str:
    """A run that waits for both."""
    assert call("run", "pass-time", "-i", "way=doubtful", "--yes", "--no-wait").code == 5
    run: str = call("show", "--json").json["run"]
    return run


def sign(call: Call, run: str, person: Person, *more: str) -> str:
    digest = call("show", run, "--json").json["digest"]
    answer = ("sign", run, GATE, "--digest", digest, "--as", person.name, "--key", str(person.key))
    said = call(*answer, "--reason", "I called them", *more)
    assert said.code == 0
    return said.out


def hand_in(call: Call, run: str, line: str, *more: str) -> Said:
    Path("answer.txt").write_text(line)
    return call("approve", run, *more, "--signed", "answer.txt")


def test_two_people_let_a_run_go_on_one_here_and_one_from_elsewhere(
    waiting: str, people: dict[str, Person], project: Path, call: Call
) -> None:
    # Without --key, the list of signers knows whose it is.
    assert call("approve", waiting, "--as", "ada", "--reason", "I called them").code == 0
    assert hand_in(call, waiting, sign(call, waiting, people["grace"])).code == 0
    assert call("resume", waiting, "--plain").code == 0
    events = Journal(project / ".relight" / "journal.db").events(waiting)
    given = [event for event in events if isinstance(event, ApprovalGiven)]
    assert [event.identity for event in given] == ["ada", "grace"]
    assert all(event.evidence["signature"] and event.key.startswith("SHA256:") for event in given)


def test_a_no_is_signed_too(waiting: str, people: dict[str, Person], project: Path, call: Call) -> None:
    key = str(people["ada"].key)
    assert call("refuse", waiting, "--as", "ada", "--key", key, "--reason", "no").code == 0
    assert call("resume", waiting, "--plain").code == 4
    events = Journal(project / ".relight" / "journal.db").events(waiting)
    (no,) = (event for event in events if isinstance(event, GateRefused))
    assert no.evidence["signature"]


def test_a_signed_answer_may_be_pasted(
    waiting: str, people: dict[str, Person], call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = sign(call, waiting, people["grace"], "--refuse")
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(line.encode())))
    assert call("refuse", waiting, "--signed", "-").code == 0


def test_a_key_that_is_not_theirs_is_refused_and_recorded(
    waiting: str, people: dict[str, Person], call: Call
) -> None:
    said = call("approve", waiting, "--as", "ada", "--key", str(people["grace"].key), "--reason", "x")
    assert said.code == 4
    assert "it will be refused: forged" in said.err
    assert call("resume", waiting, "--plain", "--no-wait").code == 5
    (told,) = call("show", "--json").json["refused_requests"]
    assert f"ada: approve {GATE}: forged" in told


def test_an_answer_for_another_run_is_handed_in_refused_and_recorded(
    waiting: str, people: dict[str, Person], call: Call
) -> None:
    line = sign(call, waiting, people["ada"])
    call("abort", waiting, "--reason", "x", "--yes", "--as", "ada")
    assert call("resume", waiting, "--plain").code == 4
    call("run", "pass-time", "-i", "way=doubtful", "--yes", "--no-wait")
    said = hand_in(call, "last", line)
    assert said.code == 4
    assert "it will be refused: replayed" in said.err
    call("resume", "last", "--no-wait")
    assert len(call("show", "--json").json["refused_requests"]) == 1


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("first",), f"gate is 'first', and signed was {GATE!r}"),
        (("--as", "grace"), "--as is 'grace', and signed was 'ada'"),
        (("--reason", "other"), "--reason is 'other'"),
    ],
)
def test_what_is_typed_may_not_differ_from_what_was_signed(
    more: tuple[str, ...], told: str, waiting: str, people: dict[str, Person], call: Call
) -> None:
    said = hand_in(call, waiting, sign(call, waiting, people["ada"]), *more)
    assert said.code == 2
    assert told in said.err


def test_a_signed_no_is_no_yes(waiting: str, people: dict[str, Person], call: Call) -> None:
    said = hand_in(call, waiting, sign(call, waiting, people["ada"], "--refuse"))
    assert said.code == 2
    assert f"relight refuse {waiting} --signed" in said.err


@pytest.mark.parametrize(("line", "code"), [("nonsense", 4), (None, 2)])
def test_what_is_no_signed_answer_is_not_handed_in(
    line: str | None, code: int, waiting: str, call: Call
) -> None:
    said = call("approve", waiting, "--signed", "nowhere") if line is None else hand_in(call, waiting, line)
    assert said.code == code
    assert call("show", "--json").json["open_requests"] == []


def test_where_nothing_is_signed_a_key_is_not_used(project: Path, call: Call) -> None:
    call("run", "pass-time", "-i", "way=doubtful", "--yes", "--no-wait")
    said = call("approve", "last", "--as", "ann", "--key", "nowhere", "--reason", "x")
    assert said.code == 0
    assert "declares no approvals" in said.err
