"""Before the disaster: what would make a plan fail is found on a sandbox whose sites are all well."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from relight.cli.preflight import look
from relight.control.preflight import Preflight
from relight.sandbox import Sandbox
from relight.situation import Known
from rig.sites import Sites, wait_until

pytestmark = pytest.mark.story

FAILOVER, FAILBACK = "site-failover(site=north)", "site-failback(site=north)"
AWAY = "site-failover(site=south)"


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    with Sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield Sites(sandbox)


@pytest.fixture
def estate(sites: Sites) -> Iterator[dict[str, Any]]:
    """The estate as data, to be changed and written; afterwards it is as it was."""
    content = sites.sandbox.estate_path.read_text()
    yield yaml.safe_load(content)
    sites.sandbox.estate_path.write_text(content)


def fly(sites: Sites) -> Preflight:
    return look(sites.sandbox.folder, timedelta(seconds=8))


def failing(preflight: Preflight) -> dict[str, set[str]]:
    """What fails, and the plans that would not work for it."""
    return {check.name: set(check.needed_by) for check in preflight.checks if not check.is_passed}


def effects(sites: Sites) -> dict[str, Any]:
    """Everything that a preflight could have changed, but for what training goes on to write."""
    situation = sites.survey()
    stores = {name: sites.world.objects(name) for name in ("north", "south", "witness")}
    return {
        "names": situation.dns,
        "authority": situation.workloads["digits"].authority,
        "epochs": [sites.world.vault(store).epoch("digits") for store in ("north", "south")],
        "runs": sites.journal.runs(),
        "oldest point": points(sites)[0],
        "folders in stores": {name: {key.split("/")[0] for key in s.list("")} for name, s in stores.items()},
        "witness": {key: stores["witness"].get(key) for key in stores["witness"].list("")},
    }


def points(sites: Sites) -> tuple[Any, ...]:
    seen = sites.survey().workloads["digits"].points["south"]
    assert isinstance(seen, Known)
    return seen.value


def serial(sites: Sites) -> list[str]:
    """What the name servers count up at every change, from their own zone."""
    import dns.message  # noqa: PLC0415 (only here)
    import dns.query  # noqa: PLC0415

    ports = [server.port for server in sites.world.estate.dns.servers.values()]
    query = dns.message.make_query("demo.test.", "SOA")
    return [str(dns.query.udp(query, "127.0.0.1", 2, port).answer) for port in ports]


def test_a_sandbox_that_is_well_passes_and_is_left_as_it_was(sites: Sites) -> None:
    sites.world.claims().take("run-of-somebody", ("site:moon",), "story", points(sites)[0].sealed_at)
    sites.world.anchors().publish("run-of-somebody", 3, "sha256:3")
    before, zones = effects(sites), serial(sites)
    preflight = fly(sites)
    assert failing(preflight) == {}
    assert {plan.plan: plan.state for plan in preflight.plans} == {
        FAILBACK: "ready",
        FAILOVER: "ready",
        AWAY: "ready",
        "declare-writers()": "idle",
        "pool-scale(pool=…)": "untried",
        "stack-up(stack=…)": "untried",
        "site-failback(site=south)": "idle",
    }
    assert effects(sites) == before
    assert serial(sites) == zones
    sites.world.claims().release("run-of-somebody")


def test_a_wrong_key_of_a_name_server_is_found_with_the_plans_that_would_fail(
    sites: Sites, estate: dict[str, Any]
) -> None:
    (sites.sandbox.folder / "secrets/wrong").write_text("d3Jvbmctd3Jvbmctd3Jvbmc=")
    estate["dns"]["servers"]["south"]["key"]["secret"] = "file:secrets/wrong"
    sites.sandbox.estate_path.write_text(yaml.safe_dump(estate))
    zones = serial(sites)
    assert failing(fly(sites)) == {"name server south takes updates of app.demo.test.": {FAILOVER, FAILBACK}}
    assert serial(sites) == zones


def test_a_key_that_a_store_no_longer_takes_is_found_with_the_plans_that_would_fail(
    sites: Sites, estate: dict[str, Any]
) -> None:
    estate["stores"]["south"]["access_key"] = "cmd:echo revoked"
    sites.sandbox.estate_path.write_text(yaml.safe_dump(estate))
    preflight = fly(sites)
    assert failing(preflight) == {
        "store south takes conditional writes": {FAILOVER, FAILBACK},
        "the newest point of digits in store south can be read": {FAILOVER},
    }
    assert "InvalidAccessKeyId" in preflight.model_dump_json()
    states = {plan.plan: plan.state for plan in preflight.plans}
    assert (states[FAILOVER], states[AWAY]) == ("not-ready", "ready")


def test_a_secret_that_is_gone_is_found_with_all_that_needs_it(sites: Sites, estate: dict[str, Any]) -> None:
    estate["dns"]["servers"]["south"]["key"]["secret"] = "env:NOBODY_SET_THIS"
    sites.sandbox.estate_path.write_text(yaml.safe_dump(estate))
    assert failing(fly(sites)) == {
        "the secret env:NOBODY_SET_THIS resolves": {FAILOVER, FAILBACK},
        "name server south takes updates of app.demo.test.": {FAILOVER, FAILBACK},
    }


def pid_of(sites: Sites, process: str) -> int:
    started = json.loads((sites.sandbox.folder / "sandbox.json").read_bytes())["processes"]
    (pid,) = [each["pid"] for each in started if each["name"] == process]
    return int(pid)


def test_what_dies_while_a_watch_is_kept_is_told_once_and_ends_cleanly(sites: Sites, tmp_path: Path) -> None:
    alert = tmp_path / "alert"
    alert.write_text(f"#!/bin/sh\ncat >> {tmp_path}/told\n")
    alert.chmod(0o700)
    command = [sys.executable, "-c", "from relight.cli.main import main; main()"]
    command += ["-C", str(sites.sandbox.folder), "preflight", "--every", "1s", "--deadline", "4s"]
    with (tmp_path / "out").open("wb") as out:
        watch = subprocess.Popen([*command, "--json", "--alert", str(alert)], stdout=out, stderr=out)
    try:
        told = tmp_path / "told"
        os.kill(pid_of(sites, "observer-east"), signal.SIGSTOP)
        wait_until("the silent observer is told", lambda: told.exists() and "east" in told.read_text())
        os.kill(pid_of(sites, "observer-east"), signal.SIGCONT)
        wait_until("it is told to be back", lambda: "works again: observer east" in told.read_text())
        os.kill(pid_of(sites, "south-agent"), signal.SIGKILL)
        wait_until("the dead agent is told", lambda: "scheduler of south" in told.read_text())
    finally:
        watch.send_signal(signal.SIGTERM)
        code = watch.wait(15)
    assert code == 0
    lines = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    changes = [(line["change"], line["check"]["name"]) for line in lines]
    assert changes.count(("began to fail", "observer east sees every site")) == 1
    assert changes.count(("works again", "observer east sees every site")) == 1
    assert ("began to fail", "the scheduler of south answers") in changes
    assert f"{FAILOVER} would not work as planned" in told.read_text()
    secret = (sites.sandbox.folder / "secrets/store-secret-key").read_text().strip()
    assert secret not in told.read_text() + (tmp_path / "out").read_text()


def test_a_dead_agent_and_a_dead_observer_are_found_with_the_plans_that_would_fail(sites: Sites) -> None:
    for process in ("observer-harbour", "south-agent"):
        with suppress(ProcessLookupError):
            os.kill(pid_of(sites, process), signal.SIGKILL)
    everything = {FAILOVER, FAILBACK, AWAY}
    wait_until("the observer is dead", lambda: len(failing(fly(sites))) == 4)
    assert failing(fly(sites)) == {
        "observer harbour sees every site": everything,
        "the clock of observer harbour is right": everything,
        "the scheduler of south answers": {FAILOVER, FAILBACK},
        "south has room for the work of the other site": {FAILOVER},
    }
