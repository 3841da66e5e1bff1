"""One DNS zone in memory: what it answers, and how a dynamic update changes it (RFC 2136, section 3).

Pure: no sockets, no keys. An update is carried out whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from threading import Lock

import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset
import dns.update
from dns.rcode import Rcode
from dns.rdatatype import RdataType

_Records = dict[tuple[dns.name.Name, RdataType], dns.rdataset.Rdataset]
_ANY, _NONE = dns.rdataclass.ANY, dns.rdataclass.NONE


class Zone:
    """An authoritative zone. Safe to use from several threads."""

    def __init__(self, origin: str) -> None:
        self.origin = dns.name.from_text(origin)
        self._serial = 1
        self._lock = Lock()
        soa = dns.rdataset.from_text("IN", "SOA", 60, f"ns.{origin} admin.{origin} 1 60 60 3600 1")
        server = dns.rdataset.from_text("IN", "NS", 60, f"ns.{origin}")
        self._records: _Records = {
            (self.origin, RdataType.SOA): soa,
            (self.origin, RdataType.NS): server,
        }

    def answer(self, query: dns.message.Message, response: dns.message.Message) -> None:
        """Fill in the response to a query."""
        if len(query.question) != 1:
            response.set_rcode(dns.rcode.FORMERR)
            return
        question = query.question[0]
        if not question.name.is_subdomain(self.origin):
            response.set_rcode(dns.rcode.REFUSED)
            return
        response.flags |= dns.flags.AA
        with self._lock:
            found = self._records.get((question.name, question.rdtype))
            if found is not None:
                response.answer.append(_rrset(question.name, found))
                return
            response.authority.append(_rrset(self.origin, self._records[self.origin, RdataType.SOA]))
            if not any(name.is_subdomain(question.name) for name, _ in self._records):
                response.set_rcode(dns.rcode.NXDOMAIN)

    def update(self, update: dns.update.UpdateMessage) -> Rcode:
        """Carry an update out, if its prerequisites hold."""
        zone = update.zone
        if len(zone) != 1 or zone[0].rdtype != RdataType.SOA:
            return dns.rcode.FORMERR
        if zone[0].name != self.origin or zone[0].rdclass != dns.rdataclass.IN:
            return dns.rcode.NOTAUTH
        if not all(r.name.is_subdomain(self.origin) for r in (*update.prerequisite, *update.update)):
            return dns.rcode.NOTZONE
        with self._lock:
            refusal = next(self._unmet(update.prerequisite), None)
            if refusal is not None:
                return refusal
            changed = self._changed(update.update)
            if changed != self._records:
                self._records = changed
                self._count_up()
        return dns.rcode.NOERROR

    @property
    def serial(self) -> int:
        """The serial number of the SOA: every change makes it grow."""
        return self._serial

    def _unmet(self, prerequisites: Iterable[dns.rrset.RRset]) -> Iterator[Rcode]:
        """What each prerequisite that does not hold is answered with (RFC 2136, section 3.2.5)."""
        values: _Records = {}
        for wanted in prerequisites:
            name, kind = wanted.name, wanted.rdtype
            in_use = any(owner == name for owner, _ in self._records)
            exists = (name, kind) in self._records
            if wanted.ttl:
                yield dns.rcode.FORMERR
            elif wanted.deleting == _ANY and kind == RdataType.ANY and not in_use:
                yield dns.rcode.NXDOMAIN
            elif wanted.deleting == _ANY and kind != RdataType.ANY and not exists:
                yield dns.rcode.NXRRSET
            elif wanted.deleting == _NONE and kind == RdataType.ANY and in_use:
                yield dns.rcode.YXDOMAIN
            elif wanted.deleting == _NONE and kind != RdataType.ANY and exists:
                yield dns.rcode.YXRRSET
            elif wanted.deleting is None:
                values.setdefault((name, kind), dns.rdataset.Rdataset(wanted.rdclass, kind)).update(wanted)
        for key, value in values.items():
            # Rdatasets compare as sets, whatever the order and the TTL.
            if self._records.get(key) != value:
                yield dns.rcode.NXRRSET

    def _changed(self, updates: Iterable[dns.rrset.RRset]) -> _Records:
        """The records after an update (RFC 2136, section 3.4.2); the apex keeps its SOA and NS."""
        records = {key: value.copy() for key, value in self._records.items()}
        kept = {(self.origin, RdataType.SOA), (self.origin, RdataType.NS)}
        for change in updates:
            name, kind = change.name, change.rdtype
            chosen = [k for k in records if k[0] == name and kind in (k[1], RdataType.ANY) and k not in kept]
            if change.deleting == _ANY:
                for key in chosen:
                    del records[key]
            elif change.deleting == _NONE:
                for key in chosen:
                    records[key].difference_update(change)
            elif (name, kind) not in kept:
                there = records.setdefault((name, kind), dns.rdataset.Rdataset(change.rdclass, kind))
                there.update(change)
                there.ttl = change.ttl
        return {key: value for key, value in records.items() if value}

    def _count_up(self) -> None:
        self._serial += 1
        key = (self.origin, RdataType.SOA)
        old = self._records[key]
        self._records[key] = dns.rdataset.from_rdata(old.ttl, old[0].replace(serial=self._serial))


def _rrset(name: dns.name.Name, records: dns.rdataset.Rdataset) -> dns.rrset.RRset:
    return dns.rrset.from_rdata_list(name, records.ttl, list(records))
