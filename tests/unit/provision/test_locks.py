"""Whether an update that holds a lock lives."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from relight.provision import Lock
from relight.provision.locks import began_at, is_alive

SINCE = datetime(2026, 3, 1, 3, tzinfo=UTC)
LOCK = Lock(id="l", user="ann", host="here", pid=4711, since=SINCE)


@pytest.mark.parametrize(
    ("host", "began", "alive"),
    [
        ("here", SINCE - timedelta(seconds=5), True),
        ("here", SINCE + timedelta(seconds=1), True),
        ("here", SINCE + timedelta(minutes=1), False),
        ("here", None, False),
        ("there", SINCE - timedelta(seconds=5), None),
    ],
)
def test_only_the_very_process_that_took_it_on_this_machine_is_alive(
    host: str, began: datetime | None, alive: bool | None
) -> None:
    assert is_alive(LOCK, host, lambda _: began) is alive


def test_a_live_process_says_when_it_began() -> None:
    began = began_at(os.getpid())
    assert began
    assert timedelta(0) <= datetime.now(UTC) - began < timedelta(hours=12)
    assert began_at(2**22 + 1) is None
