"""Hosts that a playbook can run on: real sshd, each in a network namespace of its own.

Root, iproute2 and OpenSSH's server are needed. The addresses are of 198.18.0.0/15, which is for tests of
networks (RFC 2544); nothing of them leaves this machine. Each has a home folder of its own; else they share
the file system.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

GET_SSHD = "run as root, after apt-get install openssh-server iproute2"
_SSHD = "/usr/sbin/sshd"
_CONFIGURATION = """
Port 22
ListenAddress {address}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
MaxStartups 100
SetEnv HOME={home}
"""


@dataclass(frozen=True)
class SshHost:
    """One host: its name, where it listens, and the namespace it is in."""

    name: str
    address: str
    namespace: str
    link: str  # this side's end of the cable

    def pull_the_plug(self) -> None:
        """Nothing reaches it any more; it goes on running."""
        _ip("link", "set", self.link, "down")


@dataclass(frozen=True)
class SshHosts:
    """All hosts of one rig, and the files that let in."""

    hosts: tuple[SshHost, ...]
    key_file: Path
    known_hosts: Path


def cannot_run() -> str | None:
    """Why there can be no such hosts here; None: there can."""
    if os.geteuid() != 0 or not Path(_SSHD).exists() or shutil.which("ip") is None:
        return f"no sshd in network namespaces: {GET_SSHD}"
    probe = f"relight-probe-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, check=False)
    subprocess.run(["ip", "netns", "del", probe], capture_output=True, check=False)
    return None if made.returncode == 0 else "this machine lets nobody make network namespaces"


@contextmanager
def ssh_hosts(folder: Path, names: tuple[str, ...]) -> Iterator[SshHosts]:
    """Run the hosts until the block ends."""
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd wants it, and only Debian's unit makes it
    for key in ("host_key", "user_key"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    hosts = tuple(_host(name, number) for number, name in enumerate(names))
    key = (folder / "host_key.pub").read_text()
    (folder / "known_hosts").write_text("".join(f"{host.address} {key}" for host in hosts))
    servers = []
    try:
        for host in hosts:
            _plug_in(host)
            servers.append(_serve(host, folder))
        for host, server in zip(hosts, servers, strict=True):
            _await(host, server)
        yield SshHosts(hosts, folder / "user_key", folder / "known_hosts")
    finally:
        for host in hosts:
            _take_away(host)
        for server in servers:
            server.wait(10)


def _host(name: str, number: int) -> SshHost:
    # Two rigs at once must not meet: the process id chooses among 2,048 blocks of 64 addresses.
    first = (os.getpid() % 2048) * 64 + number * 4
    address = f"198.{18 + (first >> 16)}.{first >> 8 & 255}.{first & 255 | 2}"
    return SshHost(name, address, f"relight-{os.getpid()}-{number}", f"rl{os.getpid()}-{number}")


def _plug_in(host: SshHost) -> None:
    ours = host.address.rpartition(".")[0] + f".{int(host.address.rpartition('.')[2]) - 1}"
    _ip("netns", "add", host.namespace)
    _ip("link", "add", host.link, "type", "veth", "peer", "name", "eth0", "netns", host.namespace)
    _ip("address", "add", f"{ours}/30", "dev", host.link)
    _ip("link", "set", host.link, "up")
    _ip("-n", host.namespace, "address", "add", f"{host.address}/30", "dev", "eth0")
    _ip("-n", host.namespace, "link", "set", "eth0", "up")


def _serve(host: SshHost, folder: Path) -> subprocess.Popen[bytes]:
    settings = folder / f"sshd-{host.name}"
    # A home of its own: whoever tests may have a shell that does much when it starts, and must not be killed.
    home = folder / f"home-{host.name}"
    home.mkdir()
    settings.write_text(_CONFIGURATION.format(address=host.address, folder=folder, home=home))
    command = ["ip", "netns", "exec", host.namespace, _SSHD, "-D", "-e", "-f", str(settings)]
    with (folder / f"{host.name}.log").open("wb") as log:
        plain = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"}
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=plain)


def _await(host: SshHost, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(OSError), socket.create_connection((host.address, 22), timeout=0.5):
            return
        time.sleep(0.02)
    raise AssertionError(f"sshd of {host.name} did not come up")


def _take_away(host: SshHost) -> None:
    """End whatever runs in the namespace, the cable and the namespace."""
    for _ in range(50):
        inside = subprocess.run(["ip", "netns", "pids", host.namespace], capture_output=True, check=False)
        if not inside.stdout.split():
            break
        for pid in map(int, inside.stdout.split()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    for gone in (("link", "del", host.link), ("netns", "del", host.namespace)):
        subprocess.run(["ip", *gone], capture_output=True, check=False)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
