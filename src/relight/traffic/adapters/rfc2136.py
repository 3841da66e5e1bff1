"""Name servers that take dynamic updates (RFC 2136) signed with TSIG (RFC 8945): BIND, Knot, PowerDNS, NSD.

The prerequisites of an update are its compare-and-swap: the server checks and changes in one go.
"""

from __future__ import annotations

import binascii
import socket
from collections.abc import Callable
from contextlib import closing

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import dns.update

from relight.errors import Conflict, Refused, RelightError, Unreachable, UsageError
from relight.estate import NameServer, Secrets

_SECONDS = 1.0  # per exchange; a question that must fall back to TCP has two
_LOST = {dns.rcode.NXRRSET, dns.rcode.YXRRSET, dns.rcode.NXDOMAIN, dns.rcode.YXDOMAIN}
_OF_NOBODY = ("192.0.2.1", "198.51.100.1")  # for documentation only (RFC 5737)
_REMEDIES = {
    dns.rcode.REFUSED: "does the server hold the zone, and allow this key to update it?",
    dns.rcode.NOTAUTH: "does the server hold the zone and know the key, under this name and algorithm?",
    dns.rcode.NOTZONE: "is the name in the zone?",
    dns.rcode.NOTIMP: "switch dynamic updates on",
    dns.rcode.FORMERR: "does the server speak RFC 2136?",
}


class SignedNames:
    """`Names` of one server of the estate; `name` is how errors call it. The key is resolved at each use."""

    def __init__(self, name: str, server: NameServer, secrets: Secrets) -> None:
        self._name = name
        self._address = str(server.address)
        self._port = server.port
        self._key = server.key
        self._secrets = secrets

    def address(self, name: str) -> str | None:
        """See Names.address."""
        query = dns.message.make_query(name, dns.rdatatype.A, flags=0)
        answer = self._exchange(query, self._udp_then_tcp)
        code = answer.rcode()
        if code == dns.rcode.NXDOMAIN:
            return None
        if code != dns.rcode.NOERROR:
            raise self._translated(code, name)
        found = answer.get_rrset(answer.answer, query.question[0].name, dns.rdataclass.IN, dns.rdatatype.A)
        return ",".join(sorted(record.address for record in found)) if found else None

    def swap(self, zone: str, name: str, *, ttl: int, old: str | None, new: str) -> None:
        """See Names.swap."""
        update = dns.update.UpdateMessage(zone, keyring=self._keyring(), keyalgorithm=self._key.algorithm)
        if old is None:
            update.absent(name, dns.rdatatype.A)
        else:
            update.present(name, dns.rdatatype.A, old)
        update.replace(name, ttl, dns.rdatatype.A, new)
        self._update(update, name)

    def rehearse(self, zone: str, name: str) -> None:
        """See Names.rehearse: an update that takes away a record which is not there.

        Prerequisites say that the records are those just seen, so it cannot be there. An update that failed
        its prerequisites would prove less: servers may look at rights only after them (RFC 2136, section 3).
        """
        seen = self.address(name)
        update = dns.update.UpdateMessage(zone, keyring=self._keyring(), keyalgorithm=self._key.algorithm)
        if seen is None:
            update.absent(name, dns.rdatatype.A)
        else:
            update.present(name, dns.rdatatype.A, *seen.split(","))
        there = (seen or "").split(",")
        update.delete(name, dns.rdatatype.A, next(a for a in _OF_NOBODY if a not in there))
        self._update(update, name)

    def _update(self, update: dns.update.UpdateMessage, name: str) -> None:
        answer = self._exchange(update, self._tcp)
        code = answer.rcode()
        if code != dns.rcode.NOERROR:
            raise self._translated(code, name)
        if not answer.had_tsig:
            raise Refused(
                f"{self._name} confirmed the change of {name} without a signature",
                "whoever answered may not be the server: look from where it was sent",
            )

    def _keyring(self) -> dict[dns.name.Name, dns.tsig.Key]:
        try:
            secret = self._secrets.resolve(self._key.secret)
            keyring: dict[dns.name.Name, dns.tsig.Key] = dns.tsigkeyring.from_text({self._key.name: secret})
        except (binascii.Error, ValueError):
            raise UsageError(
                f"the secret of key {self._key.name} of {self._name} is not base64",
                "as tsig-keygen writes it",
            ) from None
        return keyring

    def _udp_then_tcp(self, query: dns.message.Message) -> dns.message.Message:
        # A connected socket: a port that nobody listens on is then an error at once, not a timeout.
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as datagrams:
            datagrams.setblocking(False)
            datagrams.connect((self._address, self._port))
            answer = dns.query.udp(query, self._address, _SECONDS, self._port, sock=datagrams)
        return self._tcp(query) if answer.flags & dns.flags.TC else answer

    def _tcp(self, query: dns.message.Message) -> dns.message.Message:
        return dns.query.tcp(query, self._address, _SECONDS, self._port)

    def _exchange(
        self, query: dns.message.Message, send: Callable[[dns.message.Message], dns.message.Message]
    ) -> dns.message.Message:
        try:
            return send(query)
        except (dns.exception.Timeout, OSError, EOFError) as error:
            raise Unreachable(
                f"name server {self._name} does not answer ({error or type(error).__name__})",
                "is it up, and reachable from here?",
            ) from None
        except dns.tsig.PeerBadTime:
            raise Refused(
                f"{self._name} refuses the signature's time", "set the clocks here and there"
            ) from None
        except (dns.tsig.PeerError, dns.tsig.BadSignature, dns.message.UnknownTSIGKey) as error:
            raise Refused(
                f"{self._name} does not accept the key {self._key.name} ({type(error).__name__})",
                "do name, algorithm and secret agree here and there?",
            ) from None
        except dns.exception.DNSException as error:
            raise RelightError(
                f"{self._name} answers what is not understood: {error or type(error).__name__}",
                "is it a name server?",
            ) from None

    def _translated(self, code: dns.rcode.Rcode, name: str) -> RelightError:
        said = f"{self._name} answers {dns.rcode.to_text(code)} for {name}"
        if code in _LOST:
            return Conflict(
                f"{said}: the record is not what it was believed to be", "somebody else changed it"
            )
        if code in _REMEDIES:
            return Refused(said, _REMEDIES[code])
        return Unreachable(said, "look into its log")  # SERVFAIL and the like: it may recover
