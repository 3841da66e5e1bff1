"""One DNS zone in memory: what it answers, and how a dynamic update changes it (RFC 2136, section 3).

Pure: no sockets, no keys. An update is carried out whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from threading import Lock

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rrset
import dns.update
from dns.rcode import Rcode
from dns.rdatatype import RdataType


@dataclass(frozen=True)
class RecordSet:
    """The records of one type at one name."""

    ttl: int
    values: frozenset[dns.rdata.Rdata]


_Key = tuple[dns.name.Name, RdataType]
_Records = dict[_Key, RecordSet]
_ANY, _NONE = dns.rdataclass.ANY, dns.rdataclass.NONE
_APEX_TTL = 60


class Zone:
    """An authoritative zone. Safe to use from several threads."""

    def __init__(self, origin: str) -> None:
        self.origin = dns.name.from_text(origin)
        self.serial = 0
        self._lock = Lock()
        self._soa: _Key = (self.origin, RdataType.SOA)
        name_server = dns.rdata.from_text("IN", "NS", f"ns.{origin}")
        self._apex = frozenset({self._soa, (self.origin, RdataType.NS)})
        self._records = self._counted_up(
            {(self.origin, RdataType.NS): RecordSet(_APEX_TTL, frozenset({name_server}))}
        )

    def answer(self, query: dns.message.Message, response: dns.message.Message) -> None:
        """Fill in the response to a query."""
        if len(query.question) != 1:
            response.set_rcode(dns.rcode.FORMERR)
            return
        name, kind = query.question[0].name, query.question[0].rdtype
        if not name.is_subdomain(self.origin):
            response.set_rcode(dns.rcode.REFUSED)
            return
        response.flags |= dns.flags.AA
        records = self._records  # replaced whole by an update, never changed
        if (name, kind) in records:
            response.answer.append(_rrset(name, records[name, kind]))
            return
        response.authority.append(_rrset(self.origin, records[self._soa]))
        if not any(owner.is_subdomain(name) for owner, _ in records):
            response.set_rcode(dns.rcode.NXDOMAIN)

    def update(self, update: dns.update.UpdateMessage) -> Rcode:
        """Carry an update out, if its prerequisites hold."""
        zone = update.zone
        if len(zone) != 1 or zone[0].rdtype != RdataType.SOA:
            return dns.rcode.FORMERR
        if zone[0].name != self.origin or zone[0].rdclass != dns.rdataclass.IN:
            return dns.rcode.NOTAUTH
        if not all(each.name.is_subdomain(self.origin) for each in (*update.prerequisite, *update.update)):
            return dns.rcode.NOTZONE
        with self._lock:
            refusal = next(self._unmet(update.prerequisite), None)
            if refusal is not None:
                return refusal
            changed = self._changed(update.update)
            if changed != self._records:
                self._records = self._counted_up(changed)
        return dns.rcode.NOERROR

    def _unmet(self, prerequisites: Iterable[dns.rrset.RRset]) -> Iterator[Rcode]:
        """What each prerequisite that does not hold is answered with (RFC 2136, section 3.2.5)."""
        values: dict[_Key, set[dns.rdata.Rdata]] = {}
        for wanted in prerequisites:
            key = (wanted.name, wanted.rdtype)
            is_any = wanted.rdtype == RdataType.ANY
            exists = (
                any(owner == wanted.name for owner, _ in self._records) if is_any else key in self._records
            )
            if wanted.ttl:
                yield dns.rcode.FORMERR
            elif wanted.deleting == _ANY and not exists:
                yield dns.rcode.NXDOMAIN if is_any else dns.rcode.NXRRSET
            elif wanted.deleting == _NONE and exists:
                yield dns.rcode.YXDOMAIN if is_any else dns.rcode.YXRRSET
            elif wanted.deleting is None:
                values.setdefault(key, set()).update(wanted)
        for key, value in values.items():
            if key not in self._records or self._records[key].values != value:
                yield dns.rcode.NXRRSET

    def _changed(self, updates: Iterable[dns.rrset.RRset]) -> _Records:
        """The records after an update (RFC 2136, section 3.4.2); the apex keeps its SOA and NS."""
        records = dict(self._records)
        for change in updates:
            name, kind = change.name, change.rdtype
            chosen = [
                k for k in records.keys() - self._apex if k[0] == name and kind in (k[1], RdataType.ANY)
            ]
            if change.deleting == _ANY:
                for key in chosen:
                    del records[key]
            elif change.deleting == _NONE:
                for key in chosen:
                    left = records[key].values - frozenset(change)
                    records[key] = RecordSet(records[key].ttl, left)
            elif (name, kind) not in self._apex:
                there = records.get((name, kind))
                values = frozenset(change) | (there.values if there else frozenset())
                records[name, kind] = RecordSet(change.ttl, values)
        return {key: found for key, found in records.items() if found.values}

    def _counted_up(self, records: _Records) -> _Records:
        self.serial += 1
        text = f"ns.{self.origin} admin.{self.origin} {self.serial} 60 60 3600 1"
        soa = dns.rdata.from_text("IN", "SOA", text)
        return records | {self._soa: RecordSet(_APEX_TTL, frozenset({soa}))}


def _rrset(name: dns.name.Name, records: RecordSet) -> dns.rrset.RRset:
    return dns.rrset.from_rdata_list(name, records.ttl, sorted(records.values))
