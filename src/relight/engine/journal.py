"""The journal: the only record of what happened, in SQLite (WAL, synchronous FULL).

Events are chained: the hash of each covers the one before, so any change shows. Only the holder of a run's
lease appends: the term is checked in the transaction that appends, so a controller that slept past its lease
cannot write. Everyone else inserts a request, which the holder turns into events.

The lease lives beside the events on purpose: what guards a record must not be able to disagree with it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from relight.canonical import canonical_json, digest_of
from relight.engine.events import EVENT, Event, RunStarted
from relight.errors import JournalError, LeaseLost, Refused, UsageError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    run TEXT PRIMARY KEY, started_at TEXT NOT NULL, ended INTEGER NOT NULL DEFAULT 0,
    term INTEGER NOT NULL DEFAULT 0, holder TEXT NOT NULL DEFAULT '', lease_until TEXT NOT NULL DEFAULT '',
    sequence INTEGER NOT NULL DEFAULT 0, head TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE IF NOT EXISTS events (
    run TEXT NOT NULL REFERENCES runs, sequence INTEGER NOT NULL, term INTEGER NOT NULL,
    body TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (run, sequence)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL REFERENCES runs, kind TEXT NOT NULL, identity TEXT NOT NULL,
    body TEXT NOT NULL, at TEXT NOT NULL, answered INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS open_requests ON requests (run) WHERE answered = 0;
"""
_BUSY_SECONDS = 10.0
GENESIS = ""
_AUDIT = "do not drive it on: relight audit verify says what was changed"


@dataclass(frozen=True)
class Entry:
    """One event as it is stored. `hash` covers the previous hash, run, sequence, term and body."""

    run: str
    sequence: int
    term: int
    body: str
    hash: str

    @property
    def event(self) -> Event:
        """The event itself."""
        return EVENT.validate_json(self.body)


@dataclass(frozen=True)
class Request:
    """What somebody asks of a run; the holder of the lease answers it with events."""

    id: int
    run: str
    kind: str
    identity: str
    body: dict[str, str]


@dataclass(frozen=True)
class RunRow:
    """A run as the journal lists it. `head` is the hash of its last event."""

    run: str
    started_at: datetime
    ended: bool
    term: int
    holder: str
    lease_until: datetime | None
    sequence: int
    head: str


def chained(previous: str, run: str, sequence: int, term: int, body: str) -> str:
    """The hash of an event: SHA-256 over canonical JSON of what came before and what it says."""
    return digest_of({"after": previous, "run": run, "sequence": sequence, "term": term, "body": body})


class Journal:
    """One journal file. Not shared between threads: each thread opens its own."""

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        self.path = path
        self._writable = writable
        if not writable and not path.exists():
            raise UsageError(f"there is no journal at {path}", "nothing has run in this project yet")
        with _translated(path):
            if writable:
                path.parent.mkdir(parents=True, exist_ok=True)
            mode = "rwc" if writable else "ro"
            self._db = sqlite3.connect(
                f"{path.resolve().as_uri()}?mode={mode}",
                uri=True,
                timeout=_BUSY_SECONDS,
                isolation_level=None,
            )
            if writable:
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute("PRAGMA synchronous=FULL")
                self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    # Reading

    def runs(self) -> list[RunRow]:
        """Every run, oldest first."""
        with _translated(self.path):
            rows = self._db.execute(f"{_RUN_COLUMNS} ORDER BY started_at, run").fetchall()
        return [_run_row(row) for row in rows]

    def orphans(self) -> list[str]:
        """Runs that have events and that the index does not list: somebody took them out of it."""
        query = "SELECT DISTINCT run FROM events WHERE run NOT IN (SELECT run FROM runs) ORDER BY run"
        with _translated(self.path):
            return [run for (run,) in self._db.execute(query)]

    def row(self, run: str) -> RunRow:
        """One run. Raise UsageError if there is none of that name."""
        with _translated(self.path):
            row = self._db.execute(f"{_RUN_COLUMNS} WHERE run = ?", (run,)).fetchone()
        if row is None:
            raise UsageError(f"there is no run {run!r}", "relight runs lists them")
        return _run_row(row)

    def entries(self, run: str, after: int = 0) -> Iterator[Entry]:
        """The entries of a run behind sequence `after`, in order, as they are stored: unverified."""
        with _translated(self.path):
            query = (
                "SELECT run, sequence, term, body, hash FROM events WHERE run = ? AND sequence > ? ORDER BY 2"
            )
            for row in self._db.execute(query, (run, after)):
                yield Entry(*row)

    def events(self, run: str, after: int = 0) -> Iterator[Event]:
        """The events of a run behind `after`, in order. Raise JournalError where one does not decode."""
        for entry in self.entries(run, after):
            try:
                yield entry.event
            except ValueError as error:
                raise JournalError(
                    f"event {entry.sequence} of {run} cannot be read: {str(error).splitlines()[0]}",
                    "relight audit verify says what else is wrong",
                ) from None

    def verified_events(self, run: str) -> Iterator[Event]:
        """`events`, each checked against the chain first: nobody acts on a record that was changed.

        Raise JournalError naming the first event that is not what was written.
        """
        head = GENESIS
        for sequence, entry in enumerate(self.entries(run), 1):
            if entry.sequence != sequence or entry.hash != chained(
                head, run, sequence, entry.term, entry.body
            ):
                raise JournalError(f"event {sequence} of {run} is not what was written", _AUDIT)
            head = entry.hash
            yield entry.event
        if self.row(run).head != head:
            raise JournalError(f"the end of {run} is not what was written", _AUDIT)

    # Runs and leases

    def create(self, started: RunStarted) -> None:
        """Write a run's first event; nobody drives it yet. Raise Refused if the name is taken."""
        body = _body(started)
        with self._transaction() as db:
            if db.execute("SELECT 1 FROM runs WHERE run = ?", (started.run,)).fetchone():
                raise Refused(f"there is a run {started.run} already")
            head = chained(GENESIS, started.run, 1, 0, body)
            db.execute(
                "INSERT INTO runs (run, started_at, sequence, head) VALUES (?, ?, 1, ?)",
                (started.run, started.at.isoformat(), head),
            )
            db.execute("INSERT INTO events VALUES (?, 1, 0, ?, ?)", (started.run, body, head))

    def take_lease(
        self, run: str, holder: str, now: datetime, ttl: timedelta, *, is_dead: bool = False
    ) -> int:
        """Become the one who drives a run, and return the new term.

        Raise Refused while another holder's lease stands, unless the caller knows it `is_dead`.
        """
        with self._transaction() as db:
            row = db.execute(f"{_RUN_COLUMNS} WHERE run = ?", (run,)).fetchone()
            if row is None:
                raise UsageError(f"there is no run {run!r}", "relight runs lists them")
            current = _run_row(row)
            stands = current.lease_until is not None and current.lease_until > now
            if stands and not is_dead and current.holder != holder:
                raise Refused(
                    f"{run} is driven by {current.holder}, whose lease stands until {current.lease_until}",
                    "watch it with relight show; if that controller is gone, wait for its lease to end",
                )
            db.execute(
                "UPDATE runs SET term = term + 1, holder = ?, lease_until = ? WHERE run = ?",
                (holder, (now + ttl).isoformat(), run),
            )
            return current.term + 1

    def renew_lease(self, run: str, term: int, until: datetime) -> None:
        """Hold on to a run. Raise LeaseLost if another controller took it."""
        with self._transaction() as db:
            changed = db.execute(
                "UPDATE runs SET lease_until = ? WHERE run = ? AND term = ?", (until.isoformat(), run, term)
            ).rowcount
            if not changed:
                raise LeaseLost(f"another controller drives {run} now", "leave it to that one")

    def release_lease(self, run: str, term: int) -> None:
        """Let another controller take over at once; no effect if the lease was lost."""
        with self._transaction() as db:
            db.execute("UPDATE runs SET lease_until = '' WHERE run = ? AND term = ?", (run, term))

    def holds(self, run: str, term: int) -> bool:
        """Whether `term` is still the one that may act."""
        with _translated(self.path):
            row = self._db.execute("SELECT term FROM runs WHERE run = ?", (run,)).fetchone()
        return bool(row and row[0] == term)

    # Writing

    def append(
        self, run: str, term: int, events: Sequence[Event], answered: Sequence[int] = ()
    ) -> tuple[int, str]:
        """Make events durable, all or none, and return the last sequence and hash.

        `answered` are ids of requests that these events answer. Raise LeaseLost if the term is not the one
        that drives the run, JournalError (disk full, read-only) with nothing written.
        """
        with self._transaction() as db:
            row = db.execute("SELECT term, sequence, head FROM runs WHERE run = ?", (run,)).fetchone()
            if row is None or row[0] != term:
                raise LeaseLost(f"another controller drives {run} now", "leave it to that one")
            _, sequence, head = row
            rows = []
            for event in events:
                sequence, body = sequence + 1, _body(event)
                head = chained(head, run, sequence, term, body)
                rows.append((run, sequence, term, body, head))
            db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", rows)
            db.executemany(
                "UPDATE requests SET answered = 1, body = '{}' WHERE id = ?", [(key,) for key in answered]
            )
            ended = any(event.type == "run-ended" for event in events)
            db.execute(
                "UPDATE runs SET sequence = ?, head = ?, ended = max(ended, ?) WHERE run = ?",
                (sequence, head, ended, run),
            )
        return sequence, head

    def ask(self, run: str, kind: str, identity: str, body: dict[str, str], at: datetime) -> int:
        """Insert a request for the holder of the lease, and return its id."""
        self.row(run)
        with self._transaction() as db:
            cursor = db.execute(
                "INSERT INTO requests (run, kind, identity, body, at) VALUES (?, ?, ?, ?, ?)",
                (run, kind, identity, canonical_json(body).decode(), at.isoformat()),
            )
            return int(cursor.lastrowid or 0)

    def requests(self, run: str) -> list[Request]:
        """The requests of a run that were not answered yet, oldest first."""
        with _translated(self.path):
            rows = self._db.execute(
                "SELECT id, run, kind, identity, body FROM requests"
                " WHERE run = ? AND answered = 0 ORDER BY id",
                (run,),
            ).fetchall()
        return [Request(key, run, kind, who, json.loads(body)) for key, run, kind, who, body in rows]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _translated(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


_RUN_COLUMNS = "SELECT run, started_at, ended, term, holder, lease_until, sequence, head FROM runs"


def _run_row(row: tuple[Any, ...]) -> RunRow:
    run, started_at, ended, term, holder, lease_until, sequence, head = row
    try:
        until = _instant(lease_until) if lease_until else None
        return RunRow(run, _instant(started_at), bool(ended), term, holder, until, sequence, head)
    except ValueError as error:
        raise JournalError(
            f"the journal's index of {run} is damaged: {error}", "compare with a copy of the journal"
        ) from None


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _body(event: Event) -> str:
    return canonical_json(event.model_dump(mode="json")).decode()


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours, with what to do; nothing half-written is ever left by them."""
    try:
        yield
    except sqlite3.Error as error:
        text = str(error)
        remedy = "what was appended before is safe; relight resume goes on once this is mended"
        if "full" in text:
            raise JournalError(f"the disk of the journal {path} is full", f"make room; {remedy}") from None
        if "readonly" in text or "unable to open" in text:
            raise JournalError(
                f"the journal {path} cannot be written: {text}", f"check rights and mount; {remedy}"
            ) from None
        if isinstance(error, sqlite3.DatabaseError) and ("malformed" in text or "not a database" in text):
            raise JournalError(
                f"the journal {path} is damaged: {text}", "relight audit verify says where"
            ) from None
        raise JournalError(f"the journal {path}: {text}", remedy) from None
    except OSError as error:
        raise JournalError(f"the journal {path}: {error}", "check path and rights") from None
