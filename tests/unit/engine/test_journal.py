"""The journal: what is written stays, who may write, and what cannot be hidden."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from relight.audit import verify_run
from relight.engine import AttemptStarted, Event, Journal, RunEnded, RunStarted
from relight.engine.journal import chained
from relight.errors import JournalError, LeaseLost, Refused, RelightError, UsageError
from relight.plan import Step
from rig.kinds import Behave, plan_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TTL = timedelta(seconds=10)


def a_journal(path: Path, events: int = 6) -> tuple[Journal, int]:
    journal = Journal(path)
    plan = plan_of(Step(id="a", title="a", spec=Behave()))
    journal.create(
        RunStarted(at=NOW, run="r1", by="ann", digest=plan.digest, plan=plan.model_dump(mode="json"))
    )
    term = journal.take_lease("r1", "me", NOW, TTL)
    for number in range(1, events):
        journal.append("r1", term, [started(number)])
    return journal, term


def started(number: int) -> Event:
    return AttemptStarted(at=NOW, step="a", attempt=number)


def test_what_was_appended_is_read_back_by_another_reader(tmp_path: Path) -> None:
    journal, _ = a_journal(tmp_path / "j.db")
    reader = Journal(tmp_path / "j.db", writable=False)
    assert list(reader.events("r1")) == list(journal.events("r1"))
    assert [row.run for row in reader.runs()] == ["r1"]
    assert reader.row("r1").sequence == 6


def test_a_second_holder_is_refused_while_the_lease_stands_and_takes_over_after_it(tmp_path: Path) -> None:
    journal, term = a_journal(tmp_path / "j.db")
    with pytest.raises(Refused, match="driven by me"):
        journal.take_lease("r1", "other", NOW + TTL / 2, TTL)
    other = journal.take_lease("r1", "other", NOW + TTL * 2, TTL)
    assert other == term + 1
    with pytest.raises(LeaseLost):
        journal.append("r1", term, [started(9)])
    with pytest.raises(LeaseLost):
        journal.renew_lease("r1", term, NOW + TTL)
    assert journal.holds("r1", other)
    assert journal.row("r1").sequence == 6


def test_a_holder_known_to_be_dead_is_not_waited_for(tmp_path: Path) -> None:
    journal, term = a_journal(tmp_path / "j.db")
    assert journal.take_lease("r1", "other", NOW, TTL, is_dead=True) == term + 1


def test_an_append_is_all_or_nothing_when_the_disk_is_full(tmp_path: Path) -> None:
    journal, term = a_journal(tmp_path / "j.db")
    pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
    journal._db.execute(f"PRAGMA max_page_count={pages + 2}")
    many = [started(7), RunEnded(at=NOW, result="failed", reason="x" * 50_000)]
    with pytest.raises(JournalError, match="is full"):
        journal.append("r1", term, many)
    assert journal.row("r1").sequence == 6
    journal._db.execute("PRAGMA max_page_count=1000000")
    assert journal.append("r1", term, many)[0] == 8
    assert verify_run(journal, "r1", None).faults == ()


def test_a_journal_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    a_journal(tmp_path / "j.db")[0].close()
    reader = Journal(tmp_path / "j.db", writable=False)
    with pytest.raises(JournalError, match="cannot be written"):
        reader.append("r1", 1, [started(7)])
    with pytest.raises(UsageError, match="no journal"):
        Journal(tmp_path / "none.db", writable=False)
    (tmp_path / "text.db").write_text("this is no database, it is a note to myself, and long enough")
    with pytest.raises(JournalError, match="damaged"):
        Journal(tmp_path / "text.db")


def test_a_request_is_open_until_an_append_answers_it(tmp_path: Path) -> None:
    journal, term = a_journal(tmp_path / "j.db")
    key = journal.ask("r1", "approve", "bob", {"gate": "g"}, NOW)
    assert [(r.identity, r.body) for r in journal.requests("r1")] == [("bob", {"gate": "g"})]
    journal.append("r1", term, [started(7)], answered=[key])
    assert journal.requests("r1") == []


def faults(path: Path, anchor: tuple[int, str] | None = None) -> list[str]:
    return [str(fault) for fault in verify_run(Journal(path, writable=False), "r1", anchor).faults]


def change(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as db:
        db.execute(statement)
    db.close()


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (
            "UPDATE events SET body = replace(body, '\"attempt\":2', '\"attempt\":7') WHERE sequence = 3",
            "event 3",
        ),
        ("UPDATE events SET term = 9 WHERE sequence = 4", "event 4"),
        ("UPDATE events SET hash = 'sha256:0' WHERE sequence = 2", "event 2"),
        ("DELETE FROM events WHERE sequence = 5", "event 5"),
        ("DELETE FROM events WHERE sequence = 6", "event 6"),
        ("UPDATE runs SET head = 'sha256:0'", "event 6"),
        ("UPDATE runs SET ended = 1", "event 6"),
        ("UPDATE runs SET started_at = '2025-01-01T00:00:00+00:00'", "event 1"),
        ("UPDATE events SET sequence = 60 WHERE sequence = 6", "event 6"),
    ],
)
def test_tampering_is_found_and_named_by_event(tmp_path: Path, statement: str, named: str) -> None:
    a_journal(tmp_path / "j.db")[0].close()
    assert faults(tmp_path / "j.db") == []
    change(tmp_path / "j.db", statement)
    assert any(named in fault for fault in faults(tmp_path / "j.db"))


def test_a_tail_cut_together_with_the_index_is_found_by_the_anchor(tmp_path: Path) -> None:
    journal, _ = a_journal(tmp_path / "j.db")
    row = journal.row("r1")
    entries = list(journal.entries("r1"))
    journal.close()
    change(tmp_path / "j.db", "DELETE FROM events WHERE sequence > 4")
    change(tmp_path / "j.db", f"UPDATE runs SET sequence = 4, head = '{entries[3].hash}'")
    assert faults(tmp_path / "j.db") == []  # a chain alone does not show a cut tail
    assert "event 5: missing" in faults(tmp_path / "j.db", (row.sequence, row.head))[0]


def test_a_rewritten_chain_is_found_by_the_anchor(tmp_path: Path) -> None:
    journal, _ = a_journal(tmp_path / "j.db")
    row, last = journal.row("r1"), list(journal.entries("r1"))[-1]
    previous = list(journal.entries("r1"))[-2].hash
    journal.close()
    body = last.body.replace('"attempt":5', '"attempt":6')
    head = chained(previous, "r1", last.sequence, last.term, body)
    change(tmp_path / "j.db", f"UPDATE events SET body = '{body}', hash = '{head}' WHERE sequence = 6")
    change(tmp_path / "j.db", f"UPDATE runs SET head = '{head}'")
    assert faults(tmp_path / "j.db") == []
    assert "event 6: not the event that the witness saw" in faults(tmp_path / "j.db", (6, row.head))[0]


def test_no_flipped_byte_of_the_file_changes_what_is_read_unnoticed(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    journal, _ = a_journal(path)
    truth = [entry.body for entry in journal.entries("r1")]
    row = journal.row("r1")
    journal._db.execute("PRAGMA journal_mode=DELETE")
    journal.close()
    content = path.read_bytes()
    for position in range(0, len(content), 37):
        flipped = bytearray(content)
        flipped[position] ^= 0x41
        copy = tmp_path / "copy.db"
        copy.write_bytes(flipped)
        try:
            reader = Journal(copy, writable=False)
            found = verify_run(reader, "r1", (row.sequence, row.head)).faults
            same = [entry.body for entry in reader.entries("r1")] == truth
            reader.close()
        except (RelightError, UnicodeDecodeError):
            continue  # noticed
        assert found or same, f"byte {position} changed what is read, and nobody noticed"
