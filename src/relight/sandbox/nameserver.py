"""An authoritative name server over UDP and TCP, which takes dynamic updates signed with TSIG (RFC 8945).

    python -m relight.sandbox.nameserver FOLDER SITE

It holds one zone, in memory: a server that was rebuilt has forgotten every record.
"""

from __future__ import annotations

import logging
import socketserver
import struct
import sys
import threading
import time
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rrset
import dns.tsig
import dns.update
from dns.rcode import Rcode

from relight.sandbox.layout import KEY_NAME, TSIG_KEY, ZONE, Layout
from relight.sandbox.zone import Zone

_LARGEST_UDP = 1232
_TCP_TIMEOUT_SECONDS = 5.0


class NameServer:
    """Answers messages; the sockets are somebody else's."""

    def __init__(self, zone: Zone, key: dns.tsig.Key) -> None:
        self._zone = zone
        self._keyring = {key.name: key}

    def answer(self, wire: bytes) -> dns.message.Message | None:
        """The answer to a message; None to what is no question at all."""
        try:
            query = dns.message.from_wire(wire, keyring=self._keyring)
        except (dns.message.UnknownTSIGKey, dns.tsig.BadKey, dns.tsig.BadAlgorithm):
            return _tsig_refusal(wire, dns.rcode.BADKEY)
        except (dns.tsig.BadSignature, dns.tsig.BadTime) as error:
            badly_timed = isinstance(error, dns.tsig.BadTime)
            return _tsig_refusal(wire, dns.rcode.BADTIME if badly_timed else dns.rcode.BADSIG)
        except (dns.exception.DNSException, ValueError, struct.error):
            return _form_error(wire)
        if query.flags & dns.flags.QR:
            return None
        response = dns.message.make_response(query)
        if isinstance(query, dns.update.UpdateMessage):
            response.set_rcode(self._update(query))
        elif query.opcode() == dns.opcode.QUERY:
            self._zone.answer(query, response)
        else:
            response.set_rcode(dns.rcode.NOTIMP)
        return response

    def _update(self, update: dns.update.UpdateMessage) -> Rcode:
        if not update.had_tsig:
            return dns.rcode.REFUSED
        rcode = self._zone.update(update)
        changes = "; ".join(str(change) for change in update.update)
        logging.info("update by %s: %s: %s", update.keyname, dns.rcode.to_text(rcode), changes)
        return rcode


def _form_error(wire: bytes) -> dns.message.Message | None:
    if len(wire) < 12 or wire[2] & 0x80:
        return None
    response = dns.message.Message(id=struct.unpack("!H", wire[:2])[0])
    response.flags = dns.flags.QR
    response.set_rcode(dns.rcode.FORMERR)
    return response


def _tsig_refusal(wire: bytes, error: Rcode) -> dns.message.Message:
    """NOTAUTH with the TSIG error; unsigned, as there is no key that both sides share (RFC 8945, 5.2)."""
    query = dns.message.from_wire(wire, keyring=False)
    response = dns.message.make_response(query)
    response.set_rcode(dns.rcode.NOTAUTH)
    if query.tsig is None:
        return response
    now = int(time.time())
    other = struct.pack("!HI", now >> 32, now & 0xFFFFFFFF) if error == dns.rcode.BADTIME else b""
    refusal = query.tsig[0].replace(mac=b"", error=error, other=other, original_id=query.id)
    response.tsig = dns.rrset.from_rdata(query.tsig.name, 0, refusal)
    return response


class _OverUdp(socketserver.BaseRequestHandler):
    server: UdpServer

    def handle(self) -> None:
        wire, listener = self.request
        response = self.server.names.answer(wire)
        if response is not None:
            listener.sendto(
                response.to_wire(max_size=_LARGEST_UDP, prefer_truncation=True), self.client_address
            )


class _OverTcp(socketserver.StreamRequestHandler):
    server: TcpServer
    timeout = _TCP_TIMEOUT_SECONDS

    def handle(self) -> None:
        while len(prefix := self.rfile.read(2)) == 2:
            response = self.server.names.answer(self.rfile.read(struct.unpack("!H", prefix)[0]))
            if response is None:
                return
            self.wfile.write(response.to_wire(prepend_length=True))


class UdpServer(socketserver.UDPServer):
    """Messages as datagrams; one at a time is quick enough."""

    def __init__(self, address: tuple[str, int], names: NameServer) -> None:
        super().__init__(address, _OverUdp)
        self.names = names


class TcpServer(socketserver.ThreadingTCPServer):
    """Messages with their length in front."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], names: NameServer) -> None:
        super().__init__(address, _OverTcp)
        self.names = names


def read_key(folder: Path) -> dns.tsig.Key:
    """The key that signs updates, from its file."""
    secret = (folder / TSIG_KEY).read_text(encoding="utf-8").strip()
    return dns.tsig.Key(KEY_NAME, secret, dns.tsig.HMAC_SHA256)


def main(folder: str, site: str) -> None:
    """Serve until killed."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    layout = Layout.load(Path(folder))
    names = NameServer(Zone(ZONE), read_key(layout.folder))
    address = ("127.0.0.1", layout.ports[f"dns-{site}"])
    over_tcp = TcpServer(address, names)
    threading.Thread(target=over_tcp.serve_forever, daemon=True).start()
    UdpServer(address, names).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
