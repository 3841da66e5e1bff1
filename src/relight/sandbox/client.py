"""A client that asks all the time, as clients do: resolves the name, caches it for its TTL, sends a request.

    python -m relight.sandbox.client FOLDER

Writes a JSON object a line: {"at", "ok", "site", "address", "milliseconds", "error"}.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
from dns.rdatatype import RdataType

from relight.sandbox.layout import NAME, SITES, Layout

_EVERY_SECONDS = 0.05
_DNS_TIMEOUT_SECONDS = 0.2
_TIMEOUT_SECONDS = 0.5


class CannotResolve(Exception):
    """No name server gave an address."""


@dataclass
class Resolver:
    """Asks the name servers in order, and believes an answer for its TTL."""

    ports: tuple[int, ...]
    address: str = ""
    expires: float = 0.0

    def resolve(self) -> str:
        """The address of the name. Raise CannotResolve."""
        if time.monotonic() < self.expires:
            return self.address
        troubles = []
        for port in self.ports:
            try:
                self._ask(port)
            except (dns.exception.DNSException, OSError, LookupError) as error:
                troubles.append(f"port {port}: {str(error) or type(error).__name__}")
            else:
                return self.address
        raise CannotResolve(f"{NAME} does not resolve: {'; '.join(troubles)}")

    def _ask(self, port: int) -> None:
        query = dns.message.make_query(NAME, RdataType.A)
        answer = dns.query.udp(query, "127.0.0.1", timeout=_DNS_TIMEOUT_SECONDS, port=port)
        for records in answer.answer:
            if records.rdtype == RdataType.A:
                self.address, self.expires = str(records[0]), time.monotonic() + records.ttl
                return
        raise LookupError(f"no address ({dns.rcode.to_text(answer.rcode())})")


def send_request(resolver: Resolver, port: int, number: int) -> dict[str, object]:
    """Send one request; what came of it, as it is logged."""
    began = time.monotonic()
    seen: dict[str, object] = {
        "at": datetime.now(UTC).isoformat(),
        "ok": False,
        "site": None,
        "address": None,
    }
    error: str | None = None
    try:
        seen["address"] = address = resolver.resolve()
        connection = http.client.HTTPConnection(address, port, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request("GET", f"/predict?sample={number}", headers={"Host": NAME.rstrip(".")})
            answer = connection.getresponse()
            body = json.loads(answer.read())
        finally:
            connection.close()
        seen |= {"ok": answer.status == 200, "site": body.get("site")}
        error = None if answer.status == 200 else f"status {answer.status}"
    except (OSError, http.client.HTTPException, ValueError, CannotResolve) as trouble:
        error = str(trouble) or type(trouble).__name__
    return seen | {"milliseconds": round((time.monotonic() - began) * 1000, 1), "error": error}


def main(folder: str) -> None:
    """Ask until killed."""
    layout = Layout.load(Path(folder))
    resolver = Resolver(tuple(layout.ports[f"dns-{site}"] for site in SITES))
    number = 0
    with layout.client_log.open("a", encoding="utf-8", buffering=1) as log:
        while True:
            ask_at = time.monotonic()
            log.write(json.dumps(send_request(resolver, layout.ports["app"], number)) + "\n")
            number += 1
            time.sleep(max(0.0, ask_at + _EVERY_SECONDS - time.monotonic()))


if __name__ == "__main__":
    main(*sys.argv[1:])
