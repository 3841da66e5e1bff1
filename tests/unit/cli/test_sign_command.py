"""`relight sign` prints one line, a signed answer; by a key in a file, in an agent, behind a passphrase."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from relight.approval import Judge, body_of, read_statement, unpack
from relight.cli.main import run_command
from relight.estate import load_estate
from rig.files import GOOD_ESTATE
from rig.signing import DIGEST, GATE, RUN, Person, make_key

ANSWER = ["sign", RUN, GATE, "--digest", DIGEST, "--reason", "I called them"]
CALL = "from relight.cli.main import main; main()"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".ssh").mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.delenv("RELIGHT_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def ada(home: Path) -> Person:
    return Person("ada", make_key(home / ".ssh" / "id_ed25519"))


def a_project(folder: Path, person: Person) -> Path:
    folder.mkdir()
    text = GOOD_ESTATE.read_text(encoding="utf-8")
    text += "approvals: {allowed_signers: allowed_signers}\n"
    (folder / "estate.yaml").write_text(text, encoding="utf-8")
    (folder / "allowed_signers").write_text(person.line(), encoding="utf-8")
    return folder


def why_not(project: Path, line: str) -> str:
    signed = unpack(line)
    statement = read_statement(signed.statement)
    judge = Judge(project, load_estate(project / "estate.yaml"))
    now = datetime.now(UTC)
    return judge.why_not(RUN, DIGEST, statement.identity, body_of(signed), now, decision=statement.decision)


def test_what_is_signed_with_a_key_file_is_believed_elsewhere(
    home: Path, ada: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command([*ANSWER, "--as", "ada", "--key", str(ada.key)]) == 0
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert why_not(a_project(home / "project", ada), line) == ""


def test_without_a_key_named_the_project_knows_whose_it_is(
    home: Path, ada: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    project = a_project(home / "project", ada)
    assert run_command([*ANSWER, "--as", "ada", "-C", str(project), "--refuse"]) == 0
    line = capsys.readouterr().out
    assert read_statement(unpack(line).statement).decision == "refuse"
    assert why_not(project, line) == ""


@pytest.fixture
def agent(home: Path, ada: Person, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An agent that holds Ada's key; the file is gone."""
    socket = home / "agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL) as process:
        try:
            monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
            for _ in range(200):
                added = subprocess.run(["ssh-add", "-q", str(ada.key)], capture_output=True, check=False)
                if added.returncode == 0:
                    break
            assert added.returncode == 0
            ada.key.unlink()
            yield socket
        finally:
            process.terminate()


@pytest.mark.usefixtures("agent")
def test_a_key_that_only_an_agent_holds_signs(
    home: Path, ada: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    project = a_project(home / "project", ada)
    assert run_command([*ANSWER, "--as", "ada", "--key", f"{ada.key}.pub"]) == 0
    assert why_not(project, capsys.readouterr().out) == ""
    ada.key.with_suffix(".pub").rename(home / "elsewhere")
    assert run_command([*ANSWER, "--as", "ada", "-C", str(project)]) == 0
    assert why_not(project, capsys.readouterr().out) == ""


def test_a_passphrase_is_asked_for_on_the_terminal(home: Path) -> None:
    person = Person("ada", make_key(home / "locked", "ed25519", "correct horse"))
    project = a_project(home / "project", person)
    command = [*ANSWER, "--as", "ada", "--key", str(person.key)]
    child, terminal = pty.fork()
    if not child:
        with (home / "line").open("w") as line:
            os.dup2(line.fileno(), 1)
        os.execv(sys.executable, [sys.executable, "-c", CALL, *command])
    seen = b""
    while b"passphrase" not in seen:
        seen += os.read(terminal, 1024)
    os.write(terminal, b"correct horse\n")
    while True:
        try:
            if not os.read(terminal, 1024):
                break
        except OSError:  # how Linux says that the other side has closed it
            break
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    assert why_not(project, (home / "line").read_text()) == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--key", "nowhere"], "there is no key nowhere"),
        ([], "there is no project here that could name your key"),
        (["--reason", " "], "the reason cannot be signed as it is"),
        (["--digest", "abc"], "the digest cannot be signed as it is"),
        (["--as", "ada lovelace"], "the identity cannot be signed as it is"),
    ],
)
@pytest.mark.usefixtures("home")
def test_what_cannot_be_signed_is_wrong_usage(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command([*ANSWER, "--as", "ada", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert says in captured.err


def test_a_run_is_signed_for_by_its_whole_name(
    home: Path, ada: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = ["sign", "last", *ANSWER[2:], "--key", str(ada.key)]
    assert run_command(answer) == 2
    assert "a signature is for one run by its name" in capsys.readouterr().err
