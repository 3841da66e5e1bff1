"""A project with playbooks for the hosts of `rig.sshd`, and a controller that drives it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from relight.engine import Driver, Journal, RunState, ThreadExecutor
from relight.estate import Estate, Secrets, Ssh
from relight.generic.ansible_handlers import AnsibleHandler
from relight.plan import Catalogue
from relight.supervisor import Supervisor
from rig.estates import an_estate
from rig.kinds import surroundings
from rig.sshd import SshHosts

CATALOGUE = Catalogue({"ansible": "relight.generic:Ansible"})
SITE = "north"


def an_estate_of(hosts: SshHosts) -> Estate:
    """An estate whose northern site has these hosts as its nodes."""
    estate = an_estate()
    ssh = Ssh(
        key_file=str(hosts.key_file),
        known_hosts=str(hosts.known_hosts),
        host_keys="known",
        addresses={host.name: host.address for host in hosts.hosts},
    )
    nodes = ",".join(host.name for host in hosts.hosts)
    north = estate.sites[SITE].model_copy(update={"ssh": ssh, "nodes": nodes})
    return estate.model_copy(update={"sites": {**estate.sites, SITE: north}})


def drive_playbooks(root: Path, estate: Estate, run: str = "r1") -> RunState:
    """Drive a run of playbooks to its end, as a controller does; for a process of its own too."""
    secrets = Secrets(root)
    supervisor = Supervisor(root / ".relight/processes", grace=timedelta(seconds=2))
    world: Any = SimpleNamespace(estate=estate, secrets=secrets, project=root)
    handler = AnsibleHandler(world)
    around = surroundings(
        catalogue=CATALOGUE,
        processes=supervisor,
        executor=ThreadExecutor(lambda _: handler, supervisor),
        redact=secrets.redact,
    )
    return Driver(run, Journal(root / "journal.db"), around).drive()


@contextmanager
def watching_processes(secret: str) -> Iterator[list[str]]:
    """Look for a secret in the command lines and environments of all processes, over and over."""
    found: list[str] = []
    over = threading.Event()
    looks = 0

    def watch() -> None:
        nonlocal looks
        while not over.is_set():
            for place in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    with suppress(OSError):
                        if secret.encode() in (place / name).read_bytes():
                            found.append(f"{place / name}: {(place / 'cmdline').read_bytes()!r}")
            looks += 1
            time.sleep(0.01)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
        assert looks > 10, "hardly anybody looked: the test tests nothing"


def files_with(secret: str, *places: Path) -> list[Path]:
    """Every file below some places that holds a secret."""
    return [
        path
        for place in places
        for path in place.rglob("*")
        if path.is_file() and secret.encode() in path.read_bytes()
    ]
