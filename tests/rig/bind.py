"""BIND's named, in the foreground, with a zone that takes updates signed with one key."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.message
import dns.query

from relight.sandbox.layout import free_ports

GET_BIND = "apt-get install bind9"
ZONE = "demo.test."
KEY_NAME, KEY_SECRET = "relight.", "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTMy"

READER = "reader."
"""A key that the server knows, and lets change nothing; its secret is the same."""

_CONFIGURATION = """
options {{
    directory "{folder}"; pid-file "{folder}/named.pid"; session-keyfile "{folder}/session.key";
    listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
    recursion no; dnssec-validation no; notify no; allow-transfer {{ none; }};
}};
controls {{ }};
key "{key}" {{ algorithm hmac-sha256; secret "{secret}"; }};
key "{reader}" {{ algorithm hmac-sha256; secret "{secret}"; }};
zone "demo.test" {{ type primary; file "{folder}/zone"; allow-update {{ key "{key}"; }}; }};
"""
_ZONE = """$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
"""


@dataclass(frozen=True)
class Bind:
    port: int
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """Let it die at once."""
        self.process.kill()
        self.process.wait()


def find_named() -> str | None:
    """The program, where it is installed."""
    return shutil.which("named", path=os.environ.get("PATH", "") + ":/usr/sbin")


@contextmanager
def bind_server(program: str, folder: Path) -> Iterator[Bind]:
    """Serve until the block ends."""
    port = free_ports(1)[0]
    (folder / "zone").write_text(_ZONE)
    settings = {"folder": folder, "port": port, "key": KEY_NAME, "secret": KEY_SECRET, "reader": READER}
    (folder / "named.conf").write_text(_CONFIGURATION.format(**settings))
    with (folder / "log").open("wb") as log:
        command = [program, "-g", "-n", "1", "-c", str(folder / "named.conf")]
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    bind = Bind(port, process)
    try:
        _await(port, process, folder / "log")
        yield bind
    finally:
        bind.kill()


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    query = dns.message.make_query(ZONE, "SOA")
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if dns.query.tcp(query, "127.0.0.1", 0.5, port).answer:
                return
        except (OSError, EOFError, dns.exception.DNSException):
            time.sleep(0.05)
    raise AssertionError(f"named did not come up: {log.read_text()[-2000:]}")
