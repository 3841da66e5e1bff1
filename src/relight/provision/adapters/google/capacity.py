"""What Google Cloud tells of room for nodes: of reservations a number, of the rest nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relight.errors import NotFound
from relight.estate import CloudPool, GoogleSite, Rung
from relight.provision.adapters.google.clients import GoogleClients
from relight.provision.port import Free

_NOBODY_KNOWS = {
    "on-demand": "nobody can know: Google Cloud tells only by creating",
    "spot": "nobody can know, and what there is may be taken back at any time",
    "flex-start": "nobody can know: a request waits until there is room, or its time is over",
}


class GoogleCapacity:
    """See `Capacity`. A reservation is named by its own name, or in full where another project shares it."""

    def __init__(self, site: str, declared: GoogleSite, clients: GoogleClients) -> None:
        self._site = site
        self._declared = declared
        self._clients = clients

    def free(self, pool: str, rung: str) -> Free:
        """See Capacity.free."""
        declared = self._declared.pools.get(pool)
        given = declared.rung(rung) if declared else None
        if declared is None or given is None:
            raise NotFound(f"{self._site} declares no {pool}-{rung}", "see its pools in the estate")
        if given.kind not in ("reservation", "capacity-block"):
            reason = _NOBODY_KNOWS.get(given.kind, "Google Cloud knows of no metal of one's own")
            return Free(nodes=None, reason=reason)
        zone = declared.zone or self._declared.zones[0]
        reservation = self._clients.get("compute", self._path(str(given.id), zone))
        return _judge(reservation, declared, given, zone)

    def _path(self, id_: str, zone: str) -> str:
        project, _, name = id_.partition("/reservations/") if "/" in id_ else ("", "", id_)
        project = project.removeprefix("projects/").partition("/")[0] or self._declared.project
        # Any reservation block or sub-block behind the name stands in the same zone.
        return f"projects/{project}/zones/{zone}/reservations/{name.partition('/')[0]}"


def _judge(reservation: Mapping[str, Any], pool: CloudPool, rung: Rung, zone: str) -> Free:
    """What a reservation means for a rung: it must be of its machine, in its zone, and ready."""
    name, specific = reservation["name"], reservation.get("specificReservation")
    if not specific:
        return Free(nodes=None, reason=f"{name} is an aggregate reservation: nodes are not counted in it")
    wrong = [
        f"its {what} is {has}, not {wanted}"
        for what, has, wanted in (
            ("type", specific.get("instanceProperties", {}).get("machineType"), pool.machine),
            ("zone", str(reservation.get("zone", "")).rpartition("/")[2], zone),
        )
        if has != wanted
    ]
    if wrong:
        return Free(nodes=0, reason=f"{name} does not fit: {'; '.join(wrong)}")
    if reservation.get("status") != "READY":
        return Free(nodes=0, reason=f"{name} is {str(reservation.get('status')).lower()}")
    count, used = int(specific.get("count", 0)), int(specific.get("inUseCount", 0))  # strings in its JSON
    shared = "" if reservation.get("specificReservationRequired") else "; any fitting instance may take them"
    return Free(
        nodes=min(max(count - used, 0), rung.nodes),
        reason=f"{count - used} of {count} of {name} are free{shared}",
    )
