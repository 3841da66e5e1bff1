"""A lookout: asks every site whether it lives, and says what it sees to whoever asks.

    python -m relight.sandbox.observer FOLDER NAME

    GET /v1/sites/{site}     200 {"opinions": [as relight.situation.Opinion]}

It asks from an address of its own. One lost answer proves nothing: a capability is down after three in a row.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from relight.errors import NotFound
from relight.sandbox.layout import OBSERVERS, SITES, Layout, probes
from relight.sandbox.web import JsonHandler, JsonServer, Response
from relight.situation import Opinion

_EVERY_SECONDS = 0.25
_TIMEOUT_SECONDS = 0.3
_FAILURES_THAT_COUNT = 3


class Watched:
    """One capability of one site, as this observer has seen it so far."""

    def __init__(self, observer: str, site: str, capability: str) -> None:
        self._who = {"observer": observer, "site": site, "capability": capability}
        self._failures = 0
        self._failing_since: datetime | None = None
        self._opinion: Opinion | None = None

    @property
    def opinion(self) -> Opinion | None:
        """What is seen; None: too early to say."""
        return self._opinion

    def see_up(self, at: datetime, progress: dict[str, int]) -> None:
        """It answered."""
        before = self._opinion
        since = before.since if before and before.up else at
        self._failures, self._failing_since = 0, None
        self._opinion = Opinion(**self._who, up=True, since=since, last_up=at, progress=progress)

    def see_failure(self, at: datetime, reason: str) -> None:
        """It did not answer."""
        self._failures += 1
        self._failing_since = self._failing_since or at
        if self._failures < _FAILURES_THAT_COUNT:
            return
        before = self._opinion
        self._opinion = Opinion(
            **self._who,
            up=False,
            since=self._failing_since if before is None or before.up else before.since,
            last_up=before.last_up if before else None,
            reason=reason,
            progress=before.progress if before else {},  # what it did before it went dark is worth keeping
        )


class ObserverServer(JsonServer):
    """Looks in threads of its own, one per probe, and answers from what they saw."""

    def __init__(self, layout: Layout, name: str) -> None:
        self._address = OBSERVERS[name]
        self.watched: dict[str, list[Watched]] = {site: [] for site in SITES}
        for site in SITES:
            for capability, url in probes(layout, site).items():
                watched = Watched(name, site, capability)
                self.watched[site].append(watched)
                threading.Thread(target=self._look, args=(watched, url), daemon=True).start()
        super().__init__((self._address, layout.ports[f"observer-{name}"]), ObserverHandler)

    def _look(self, watched: Watched, url: str) -> None:
        while True:
            asked_at = time.monotonic()
            try:
                progress = ask(url, self._address)
            except (OSError, http.client.HTTPException, ValueError) as error:
                watched.see_failure(datetime.now(UTC), _reason(error))
            else:
                watched.see_up(datetime.now(UTC), progress)
            time.sleep(max(0.0, asked_at + _EVERY_SECONDS - time.monotonic()))


class ObserverHandler(JsonHandler):
    """Answers one request."""

    server: ObserverServer

    def respond(self, method: str, path: str, _body: dict[str, Any]) -> Response:
        """See JsonHandler.respond."""
        site = path.removeprefix("/v1/sites/")
        if method != "GET" or site not in self.server.watched:
            raise NotFound(f"no {method} at {path}")
        opinions = [watched.opinion for watched in self.server.watched[site]]
        return 200, {"opinions": [opinion.model_dump(mode="json") for opinion in opinions if opinion]}


def ask(url: str, source: str) -> dict[str, int]:
    """Probe once, from a source address: the progress that the answer tells. Raise OSError and others."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(
        str(parts.hostname), parts.port, timeout=_TIMEOUT_SECONDS, source_address=(source, 0)
    )
    try:
        connection.request("GET", parts.path or "/")
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        raise ValueError(f"answered with status {answer.status}")
    data = json.loads(body) if body else {}
    progress = data.get("progress", {}) if isinstance(data, dict) else {}
    return {str(workload): int(step) for workload, step in progress.items()}


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {_TIMEOUT_SECONDS:g} s"
    if isinstance(error, http.client.RemoteDisconnected | ConnectionResetError):
        return "connection closed without an answer"
    return error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)


def main(folder: str, name: str) -> None:
    """Serve until killed."""
    ObserverServer(Layout.load(Path(folder)), name).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
