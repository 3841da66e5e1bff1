"""Where everything in a sandbox is: addresses, ports, folders, names.

Written once to `layout.json`, which every process of the sandbox reads at its start.
"""

from __future__ import annotations

import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from secrets import randbelow, token_hex
from typing import Any

from relight.errors import RelightError

SITES = ("north", "south")
STORES = ("north", "south", "witness")
OBSERVERS = {"east": "127.0.0.11", "west": "127.0.0.12", "harbour": "127.0.0.13"}
"""Each asks from an address of its own, so that a site can stop answering some of them."""
SERVICE_ADDRESSES = {"north": "127.0.1.1", "south": "127.0.1.2"}
"""Where the site serves to clients; the port is the same at both."""
KINDS = {"digits": "training", "app": "inference", "notebooks": "development"}
SERVED = REPLICATED = "digits"
"""The workload whose points are replicated, and served by the other one."""
GPUS = {"digits": 16, "app": 4, "notebooks": 24}
NODES, GPUS_PER_NODE = "n[1-4]", 8
GPUS_PER_SITE = 4 * GPUS_PER_NODE

BUCKET = "points"
ZONE = "demo.test."
NAME = "app.demo.test."
TTL_SECONDS = 1
KEY_NAME = "relight."
ACCESS_KEY, SECRET_KEY, TSIG_KEY = "secrets/store-access-key", "secrets/store-secret-key", "secrets/tsig-key"

# Below the ports that Linux lends to outgoing connections: a rebuilt site must find its own ones free.
_FIRST_PORT, _LAST_PORT = 20_000, 32_000
_PORT_NAMES = (
    *(f"store-{store}" for store in STORES),
    *(f"{service}-{site}" for service in ("dns", "agent") for site in SITES),
    *(f"observer-{observer}" for observer in OBSERVERS),
    "app",
)


@dataclass(frozen=True)
class Layout:
    """One sandbox: `ports` by service, `mark` what all of its processes carry in their environment."""

    folder: Path
    mark: str
    ports: dict[str, int]
    checkpoint_every: float  # seconds
    steps_per_second: float
    approvers: tuple[str, ...] = ()

    # Folders and files

    def site(self, site: str) -> Path:
        """The disk of a site: what is there dies with it."""
        return self.folder / "sites" / site

    def data(self, site: str) -> Path:
        """Where restored points are laid at a site."""
        return self.site(site) / "data"

    def log(self, name: str) -> Path:
        """The log of a process; it outlives the site, as logs that are shipped elsewhere do."""
        return self.folder / "logs" / f"{name}.log"

    def partition(self, site: str) -> Path:
        """Whom a site does not answer."""
        return self.folder / "sites" / f"{site}.partition.json"

    @property
    def digits(self) -> Path:
        """The images and labels, as numpy reads them."""
        return self.folder / "digits.npz"

    @property
    def client_log(self) -> Path:
        """What the client saw, one JSON object a line."""
        return self.folder / "logs" / "client.jsonl"

    # Addresses

    def store(self, store: str) -> str:
        """URL of a store."""
        return f"http://127.0.0.1:{self.ports[f'store-{store}']}"

    def agent(self, site: str) -> str:
        """URL of a site's agent."""
        return f"http://127.0.0.1:{self.ports[f'agent-{site}']}"

    def observer(self, observer: str) -> str:
        """URL of an observer."""
        return f"http://{OBSERVERS[observer]}:{self.ports[f'observer-{observer}']}"

    # On disk

    def save(self) -> None:
        """Write `layout.json`."""
        data = asdict(self) | {"folder": str(self.folder)}
        write_json(self.folder / "layout.json", data)

    @classmethod
    def load(cls, folder: Path) -> Layout:
        """Read `layout.json`. Raise RelightError if there is no sandbox in the folder."""
        try:
            data = json.loads((folder / "layout.json").read_bytes())
        except (OSError, ValueError) as error:
            raise RelightError(
                f"no sandbox in {folder}: {error}", "name the folder it was started in"
            ) from None
        data |= {"folder": Path(data["folder"]), "approvers": tuple(data["approvers"])}
        return cls(**data)

    @classmethod
    def create(
        cls, folder: Path, checkpoint_every: float, steps_per_second: float, approvers: tuple[str, ...]
    ) -> Layout:
        """A layout with ports that are free now."""
        ports = dict(zip(_PORT_NAMES, free_ports(len(_PORT_NAMES)), strict=True))
        return cls(folder, token_hex(8), ports, checkpoint_every, steps_per_second, approvers)


def free_ports(count: int) -> list[int]:
    """Ports that are free on every loopback address used here, over TCP and UDP."""
    ports: list[int] = []
    for _ in range(100 * count):
        port = _FIRST_PORT + randbelow(_LAST_PORT - _FIRST_PORT)
        if port not in ports and all(_is_free(address, port) for address in _ADDRESSES):
            ports.append(port)
        if len(ports) == count:
            return ports
    raise RelightError(
        f"no {count} free ports between {_FIRST_PORT} and {_LAST_PORT}", "stop what else listens on loopback"
    )


def probes(layout: Layout, site: str) -> dict[str, str]:
    """The URL that observers ask, per capability."""
    return {"compute": f"{layout.agent(site)}/health", "storage": f"{layout.store(site)}/_health"}


_ADDRESSES = ("127.0.0.1", *SERVICE_ADDRESSES.values(), *OBSERVERS.values())


def _is_free(address: str, port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


def write_json(path: Path, data: Any) -> None:
    """Replace a small file so that readers see the old one or the new one, never half of it."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fresh.write_text(json.dumps(data), encoding="utf-8")
    fresh.replace(path)
