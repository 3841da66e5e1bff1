"""What observers conclude, what a partition hides, and what the client's log says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from relight.sandbox.client_log import ClientLog
from relight.sandbox.observer import Watched
from relight.sandbox.web import Partition
from relight.situation import Opinion

T0 = datetime(2026, 7, 13, 3, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def seen(watched: Watched) -> Opinion:
    assert watched.opinion is not None
    return watched.opinion


def test_an_observer_that_saw_too_little_has_no_opinion() -> None:
    watched = Watched("east", "north", "compute")
    opinions = [watched.opinion]
    for second in range(3):
        watched.see_failure(after(second), "connection refused")
        opinions.append(watched.opinion)
    assert opinions[:3] == [None, None, None]
    down = seen(watched)
    assert (down.up, down.last_up, down.since) == (False, None, T0)


def test_one_lost_answer_is_no_sign_and_three_in_a_row_are() -> None:
    watched = Watched("east", "north", "compute")
    watched.see_up(T0, {"digits": 20})
    for second in (1, 2):
        watched.see_failure(after(second), "no answer")
    watched.see_up(after(3), {"digits": 40})
    for second in (4, 5):
        watched.see_failure(after(second), "no answer")
    assert (seen(watched).up, seen(watched).since) == (True, T0)
    watched.see_failure(after(6), "no answer")
    down = seen(watched)
    assert (down.up, down.since, down.last_up, down.reason) == (False, after(4), after(3), "no answer")
    assert down.progress == {"digits": 40}, "what it did before it went dark is kept"
    watched.see_failure(after(7), "refused")
    assert (seen(watched).since, seen(watched).reason) == (after(4), "refused")
    watched.see_up(after(8), {})
    assert (seen(watched).up, seen(watched).since, seen(watched).progress) == (True, after(8), {})


def test_a_partition_is_heard_of_at_once_and_forgotten_at_once(tmp_path: Path) -> None:
    partition = Partition(tmp_path / "partition.json")
    assert partition.hears("127.0.0.11")
    (tmp_path / "partition.json").write_text('{"deaf_to": ["127.0.0.11"]}')
    assert not partition.hears("127.0.0.11")
    assert partition.hears("127.0.0.12")
    (tmp_path / "partition.json").unlink()
    assert partition.hears("127.0.0.11")


def line(second: float, site: str | None) -> str:
    entry = {"at": after(second).isoformat(), "ok": site is not None, "site": site, "address": None}
    return json.dumps(entry | {"milliseconds": 1.0, "error": None if site else "connection refused"}) + "\n"


def test_failures_are_counted_from_the_first_answer_on() -> None:
    log = ClientLog.of(
        [line(0, None), line(1, "north"), line(2, None), line(4, None), line(5, "south"), line(9, "south")]
    )
    assert (log.requests, log.failures, log.by_site) == (5, 2, {"north": 1, "south": 2})
    assert (log.first_failure, log.last_failure) == (after(2), after(4))
    assert log.longest_gap == timedelta(seconds=4), "from the last answer to the next, and only if one failed"


def test_a_gap_that_has_not_ended_counts_as_it_stands() -> None:
    assert ClientLog.of([line(0, "north"), line(1, None), line(3, None)]).longest_gap == timedelta(seconds=3)


def test_a_line_that_is_being_written_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "client.jsonl"
    assert ClientLog.read(path) == ClientLog()
    path.write_text(line(0, "north") + '{"at": "2026-')
    assert ClientLog.read(path).requests == 1
