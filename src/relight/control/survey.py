"""The survey: every question at once, one deadline, and what did not come is Unknown."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from relight.errors import RelightError
from relight.estate import Estate
from relight.situation import Known, Opinion, Probe, SiteSituation, Situation, Unknown
from relight.units import Duration, format_duration

_Answer = tuple[Probe, Known[Any] | Unknown]


class ThreadSurveyor:
    """Asks each probe in a daemon thread: one that hangs is left behind when the deadline has passed."""

    def __init__(self, probes: Callable[[Estate], Iterable[Probe]]) -> None:
        self._probes = probes

    def survey(self, estate: Estate, deadline: Duration) -> Situation:
        """See Surveyor.survey."""
        answers: SimpleQueue[_Answer] = SimpleQueue()
        waiting = {probe.path: probe for probe in self._probes(estate)}
        found: dict[tuple[str, ...], Known[Any] | Unknown] = {
            path: Unknown(reason=f"no answer within {format_duration(deadline)}") for path in waiting
        }
        until = time.monotonic() + deadline.total_seconds()
        for probe in waiting.values():
            Thread(target=_ask, args=(probe, answers), name="survey", daemon=True).start()
        for _ in waiting:
            try:
                probe, answer = answers.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                break
            found[probe.path] = answer
        return _situation(estate, found)


def _ask(probe: Probe, answers: SimpleQueue[_Answer]) -> None:
    answer: Known[Any] | Unknown
    try:
        answer = Known(value=probe.ask())
    except RelightError as error:
        answer = Unknown(reason=error.what)
    except Exception as error:  # noqa: BLE001 (one broken probe must not cost the survey)
        answer = Unknown(reason=f"the probe broke: {type(error).__name__}: {error}")
    answers.put((probe, answer))


def _situation(estate: Estate, found: dict[tuple[str, ...], Known[Any] | Unknown]) -> Situation:
    """Lay the answers where they belong: ("workloads", "digits", "authority") and so on."""
    data: dict[str, Any] = {
        "sites": {site: {} for site in estate.sites},
        "workloads": {workload: {} for workload in estate.workloads},
        "dns": {name: {} for name in estate.dns.names},
    }
    for path, answer in sorted(found.items()):
        if path[0] == "sites" and path[2] == "opinions":
            _lay_opinions(data["sites"][path[1]], path[3], answer)
            continue
        place = data
        for part in path[:-1]:
            place = place.setdefault(part, {})
        place[path[-1]] = answer
    sites = {name: SiteSituation(**values) for name, values in data.pop("sites").items()}
    return Situation(now=datetime.now(UTC), estate_digest=estate.digest, sites=sites, **data)


def _lay_opinions(site: dict[str, Any], observer: str, answer: Known[Any] | Unknown) -> None:
    if isinstance(answer, Unknown):
        site.setdefault("silent_observers", {})[observer] = answer.reason
        return
    opinions: tuple[Opinion, ...] = answer.value
    site["opinions"] = (*site.get("opinions", ()), *opinions)
