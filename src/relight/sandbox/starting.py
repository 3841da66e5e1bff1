"""Brings a sandbox up: processes in parallel, then the first authority and name, then the work.

What the work needs comes first. Everything that looks on (observers, client) is started while the first steps
are trained: on two cores the order decides how soon all of it is up.
"""

from __future__ import annotations

import http.client
import json
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.update

from relight.errors import RelightError, StoreError
from relight.fence.adapters.witness import ObjectWitness
from relight.sandbox.client_log import ClientLog
from relight.sandbox.credentials import open_store, open_vault, write_secrets
from relight.sandbox.digits import unpack_digits
from relight.sandbox.estate import write_estate
from relight.sandbox.layout import (
    GPUS,
    NAME,
    OBSERVERS,
    REPLICATED,
    SERVICE_ADDRESSES,
    SITES,
    TTL_SECONDS,
    ZONE,
    Layout,
)
from relight.sandbox.nameserver import read_key
from relight.sandbox.processes import Processes
from relight.situation import Authority

_UP_SECONDS = 30.0
_POLL_SECONDS = 0.03
_CALL_SECONDS = 1.0
_RUNS_AT = {"digits": "north", "app": "north", "notebooks": "south"}


def start_all(layout: Layout, processes: Processes) -> None:
    """Start everything and wait until it works. Raise RelightError about what does not."""
    _lay_out(layout)
    processes.launch("witness", "witness-store", "store", "witness")
    for site in SITES:
        launch_site(layout, processes, site)
    unpack_digits(layout.digits)  # meanwhile
    _await_store(layout, processes, "witness")
    _declare_authority(layout)
    for site in SITES:
        await_site(layout, processes, site)
        _add_name(layout, site)
    for workload, site in _RUNS_AT.items():
        _start_workload(layout, workload, site)
    for observer in OBSERVERS:
        processes.launch(observer, f"observer-{observer}", "observer", observer)
    processes.launch("client", "client", "client")
    processes.save()
    _await_work(layout, processes)


def launch_site(layout: Layout, processes: Processes, site: str) -> None:
    """Start the services of a site, with empty disks."""
    layout.data(site).mkdir(parents=True)
    processes.launch(site, f"{site}-store", "store", site)
    processes.launch(site, f"{site}-agent", "agent", site)
    processes.launch(site, f"{site}-dns", "nameserver", site)
    processes.launch(site, f"{site}-replicator", "replicator", site)
    processes.save()


def await_site(layout: Layout, processes: Processes, site: str) -> None:
    """Return when the services of a site answer."""
    _await(processes, f"{site}-agent", lambda: _call("GET", f"{layout.agent(site)}/health") is not None)
    _await(processes, f"{site}-dns", lambda: _ask_name(layout, site) is not None)
    _await_store(layout, processes, site)
    processes.require_alive(f"{site}-replicator")


def _lay_out(layout: Layout) -> None:
    for old in ("sites", "logs"):
        shutil.rmtree(layout.folder / old, ignore_errors=True)
    (layout.folder / "logs").mkdir(parents=True)
    write_secrets(layout.folder)
    write_estate(layout)
    layout.save()


def _declare_authority(layout: Layout) -> None:
    first = Authority(
        workload=REPLICATED, epoch=1, active="north", changed_by="init", changed_at=datetime.now(UTC)
    )
    ObjectWitness(open_store(layout, "witness")).declare(first)


def _start_workload(layout: Layout, workload: str, site: str) -> None:
    wanted = {
        "token": f"sandbox-{workload}",
        "epoch": 1 if workload == REPLICATED else 0,
        "gpus": GPUS[workload],
    }
    _call("PUT", f"{layout.agent(site)}/v1/workloads/{workload}", wanted)


def _await_work(layout: Layout, processes: Processes) -> None:
    vault = open_vault(layout, "south")

    def has_point() -> bool:
        _require_running(layout, processes)
        return bool(vault.points(REPLICATED))

    def is_served() -> bool:
        _require_running(layout, processes)
        return bool(ClientLog.read(layout.client_log).by_site)

    _await(processes, "south-replicator", has_point)
    for observer in OBSERVERS:
        _await(processes, f"observer-{observer}", partial(_sees_all, layout.observer(observer)))
    _await(processes, "client", is_served)


def _require_running(layout: Layout, processes: Processes) -> None:
    """Raise RelightError if a workload has ended, with the end of its log."""
    for site in SITES:
        for workload in _call("GET", f"{layout.agent(site)}/v1/workloads")["workloads"]:
            if workload["state"] == "ended":
                name = f"{site}-{workload['workload']}"
                why = workload["reason"] or f"with status {workload['exit_status']}"
                raise RelightError(f"{name} ended ({why}); its log ends with:\n{processes.log_tail(name)}")


def _sees_all(url: str) -> bool:
    sees = [_call("GET", f"{url}/v1/sites/{site}")["opinions"] for site in SITES]
    return all(opinions and all(opinion["up"] for opinion in opinions) for opinions in sees)


def _await_store(layout: Layout, processes: Processes, store: str) -> None:
    _await(processes, f"{store}-store", lambda: _call("GET", f"{layout.store(store)}/_health") is not None)


def _await(processes: Processes, name: str, is_up: Callable[[], bool]) -> None:
    """Ask until it is up. Raise RelightError, with the end of its log, if it ends or takes too long."""
    deadline = time.monotonic() + _UP_SECONDS
    trouble = "not ready"
    while time.monotonic() < deadline:
        try:
            if is_up():
                return
        except (OSError, StoreError, dns.exception.DNSException, http.client.HTTPException) as error:
            trouble = str(error) or type(error).__name__
        processes.require_alive(name)
        time.sleep(_POLL_SECONDS)
    raise RelightError(
        f"{name} did not come up within {_UP_SECONDS:g} s: {trouble}; its log ends with:\n"
        f"{processes.log_tail(name)}"
    )


def _ask_name(layout: Layout, site: str) -> dns.message.Message:
    query = dns.message.make_query(NAME, "A")
    return dns.query.udp(query, "127.0.0.1", timeout=_CALL_SECONDS, port=layout.ports[f"dns-{site}"])


def _add_name(layout: Layout, site: str) -> None:
    update = dns.update.UpdateMessage(ZONE, keyring=read_key(layout.folder))
    update.add(NAME, TTL_SECONDS, "A", SERVICE_ADDRESSES["north"])
    answer = dns.query.tcp(update, "127.0.0.1", timeout=_CALL_SECONDS, port=layout.ports[f"dns-{site}"])
    if answer.rcode() != dns.rcode.NOERROR:
        raise RelightError(f"the name server of {site} refuses: {dns.rcode.to_text(answer.rcode())}")


def _call(method: str, url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Send one request; the JSON object of the answer. Raise OSError, or RelightError if it is refused."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=_CALL_SECONDS)
    try:
        connection.request(method, parts.path, json.dumps(body) if body else None)
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    if answer.status >= 300:
        raise RelightError(f"{method} {url} was answered with {answer.status}: {content[:300].decode()}")
    data: dict[str, Any] = json.loads(content or b"{}")
    return data
