"""The survey: every question at once, one deadline, and what did not come is Unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from relight.control.asking import ask_all
from relight.errors import RelightError
from relight.estate import Estate
from relight.situation import Known, Opinion, Probe, SiteSituation, Situation, Unknown
from relight.units import Duration, format_duration


class ThreadSurveyor:
    """Asks every probe at once; what has not answered when the deadline passes is left behind."""

    def __init__(self, probes: Callable[[Estate], Iterable[Probe]]) -> None:
        self._probes = probes

    def survey(self, estate: Estate, deadline: Duration) -> Situation:
        """See Surveyor.survey."""
        asked = {probe.path: probe.ask for probe in self._probes(estate)}
        answers = ask_all(asked, deadline, "survey")
        silent = Unknown(reason=f"no answer within {format_duration(deadline)}")
        return _situation(
            estate, {path: _seen(answers[path].value) if path in answers else silent for path in asked}
        )


def _seen(value: Any) -> Known[Any] | Unknown:
    match value:
        case RelightError():
            return Unknown(reason=value.what)
        case Exception():
            return Unknown(reason=f"the probe broke: {type(value).__name__}: {value}")
        case _:
            return Known(value=value)


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
