"""What AWS tells of room for nodes: of reservations and capacity blocks a number, of the rest nothing.

A dry-run launch tests permission, never capacity; a quota is only an upper bound. Both are notes. What
an idle reservation costs, and that a dry run promises nothing, `capacity-check` adds itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from relight.errors import NotFound, RelightError, Unreachable
from relight.estate import AwsSite, CloudPool, Rung
from relight.provision.adapters.aws.clients import AwsClients
from relight.provision.port import Free

# vCPU quotas of EC2 by family and kind of rung, as AWS Service Quotas calls them.
_QUOTAS = {
    ("p", "on-demand"): ("L-417A185B", "On-Demand P"),
    ("p", "spot"): ("L-7212CCBC", "Spot P"),
    ("g", "on-demand"): ("L-DB2E81BA", "On-Demand G and VT"),
    ("g", "spot"): ("L-3819A6DF", "Spot G and VT"),
}


class AwsCapacity:
    """See `Capacity`. `dry_run`: whether a launch is tried for permission; nothing is launched."""

    def __init__(
        self, estate: str, site: str, declared: AwsSite, clients: AwsClients, *, dry_run: bool = True
    ) -> None:
        self._estate = estate
        self._site = site
        self._declared = declared
        self._clients = clients
        self._dry_run = dry_run

    def free(self, pool: str, rung: str) -> Free:
        """See Capacity.free."""
        declared = self._declared.pools.get(pool)
        given = declared.rung(rung) if declared else None
        if declared is None or given is None:
            raise NotFound(f"{self._site} declares no {pool}-{rung}", "see its pools in the estate")
        if given.kind in ("reservation", "capacity-block"):
            return _judge(self._reservation(str(given.id)), declared, given, self._zone(declared))
        if given.kind == "own-metal":
            return Free(nodes=None, reason="AWS knows of no metal of one's own")
        notes = ["nobody can know: AWS tells only by launching"]
        if self._dry_run:
            notes.append(self._permission(pool, rung, declared))
        notes.append(self._quota(declared, given))
        return Free(nodes=None, reason="; ".join(note for note in notes if note))

    def _zone(self, declared: CloudPool) -> str:
        return declared.zone or self._declared.zones[0]

    def _reservation(self, id_: str) -> Mapping[str, Any]:
        listed = self._clients.call("ec2", "describe_capacity_reservations", CapacityReservationIds=[id_])
        if not listed["CapacityReservations"]:
            raise NotFound(f"{self._site} has no capacity reservation {id_}", "is the id right?")
        reservation: Mapping[str, Any] = listed["CapacityReservations"][0]
        return reservation

    def _permission(self, pool: str, rung: str, declared: CloudPool) -> str:
        launch = self._template(pool, rung)
        if not launch and declared.image:
            launch = {"ImageId": declared.image, "InstanceType": declared.machine}
        if not launch:
            return ""
        try:
            refusal = self._clients.try_dry("ec2", "run_instances", MinCount=1, MaxCount=1, **launch)
        except Unreachable:
            return ""  # only a note rests on it
        if refusal is None:
            return "a launch is permitted"
        return f"a launch is not permitted: {refusal.what}"

    def _template(self, pool: str, rung: str) -> dict[str, Any]:
        wanted = {"estate": self._estate, "site": self._site, "pool": pool, "rung": rung}
        try:
            found = self._clients.call(
                "ec2",
                "describe_launch_templates",
                Filters=[{"Name": f"tag:relight:{key}", "Values": [value]} for key, value in wanted.items()],
            )["LaunchTemplates"]
        except RelightError:
            return {}  # only a note rests on it
        return {"LaunchTemplate": {"LaunchTemplateId": found[0]["LaunchTemplateId"]}} if found else {}

    def _quota(self, declared: CloudPool, rung: Rung) -> str:
        code, name = _QUOTAS.get((declared.machine[:1], rung.kind), ("", ""))
        if not code:
            return ""
        try:
            quota = self._clients.call(
                "service-quotas", "get_service_quota", ServiceCode="ec2", QuotaCode=code
            )["Quota"]
            return f"the account may run {int(quota['Value'])} vCPUs of {name} instances"
        except RelightError:
            return ""  # only a note rests on it, and not everybody may ask


def _judge(reservation: Mapping[str, Any], pool: CloudPool, rung: Rung, zone: str) -> Free:
    """What a reservation means for a rung: it must be of its machine, in its zone, and active."""
    id_, state = reservation["CapacityReservationId"], reservation["State"]
    wrong = [
        f"its {what} is {has}, not {wanted}"
        for what, has, wanted in (
            ("type", reservation["InstanceType"], pool.machine),
            ("zone", reservation["AvailabilityZone"], zone),
            ("kind", reservation.get("ReservationType", "default"), _reserved_as(rung)),
        )
        if has != wanted
    ]
    if wrong:
        return Free(nodes=0, reason=f"{id_} does not fit: {'; '.join(wrong)}")
    if state != "active":
        return Free(nodes=0, reason=f"{id_} is {state}{_times(reservation)}")
    free, total = int(reservation["AvailableInstanceCount"]), int(reservation["TotalInstanceCount"])
    shared = "; others in the account may take them, as it is open to any"
    return Free(
        nodes=min(free, rung.nodes),
        reason=f"{free} of {total} of {id_} are free{_times(reservation)}"
        + (shared if reservation.get("InstanceMatchCriteria") == "open" else ""),
    )


def _reserved_as(rung: Rung) -> str:
    return "capacity-block" if rung.kind == "capacity-block" else "default"


def _times(reservation: Mapping[str, Any]) -> str:
    starts, ends = reservation.get("StartDate"), reservation.get("EndDate")
    parts = [
        f"{word} {at:%Y-%m-%d %H:%MZ}"
        for word, at in (("from", starts), ("until", ends))
        if isinstance(at, datetime)
    ]
    return f", {' '.join(parts)}" if parts else ""
