"""Rules about names: clients must have forgotten the old address before the objective is spent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from relight.topology.policy.subjects import UNKNOWN, Breach, Rule, Scene, Subject
from relight.units import format_duration


def _ttl(subject: Subject, scene: Scene) -> Iterator[Breach]:
    if subject.type not in ("aws:route53/record:Record", "gcp:dns/recordSet:RecordSet"):
        return
    ttl, name = subject.inputs.get("ttl"), str(subject.inputs.get("name", ""))
    records = scene.estate.traffic.records.values() if scene.estate.traffic else ()
    record = next((each for each in records if each.name.rstrip(".") == name.rstrip(".")), None)
    if record is None or ttl is None or ttl == UNKNOWN:
        return
    slowest = 30 if subject.type.startswith("gcp:") else 0  # Cloud DNS asks no sooner
    detection = max(slowest, record.health.interval_seconds) * (record.health.failures + 1)
    rto = scene.estate.workloads[record.serves].objective.rto
    spent = timedelta(seconds=int(ttl) + detection)
    if spent > rto:
        what = (
            f"{int(ttl)} s of TTL and {detection} s of detection are more than {record.serves} may be gone "
            f"({format_duration(rto)})"
        )
        yield what, "leave ttl out: it is derived from the RTO"


RULES = (Rule("ttl-within-rto", "health checks and TTL together stay within the RTO", _ttl),)
