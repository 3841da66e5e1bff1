"""The sandbox is what it says: sites of real processes that die, go dark, and are rebuilt."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dns.message
import dns.query
import pytest

from relight.errors import Conflict, NotFound, Refused, RelightError, UsageError
from relight.estate import Estate, S3Store, Secrets, load_estate
from relight.fence.adapters.witness import ObjectWitness
from relight.objects import ABSENT, ObjectStore, Version
from relight.objects.adapters.obstore import s3_objects
from relight.sandbox import Sandbox
from relight.situation import Opinion, PointSummary
from relight.vault.adapters.objects import ObjectVault
from relight.vault.copying import read_member
from relight.workload import Running
from relight.workload.adapters.agent import AgentScheduler
from rig.races import race

pytestmark = pytest.mark.story


class World:
    """A running sandbox, as its estate lets anybody see it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.estate: Estate = load_estate(sandbox.estate_path)
        self.witness = ObjectWitness(self.objects("witness"))

    def objects(self, store: str) -> ObjectStore:
        declared = self.estate.stores[store]
        assert isinstance(declared, S3Store)
        return s3_objects(store, declared, Secrets(self.sandbox.folder))

    def vault(self, store: str) -> ObjectVault:
        return ObjectVault(self.objects(store), store)

    def scheduler(self, site: str) -> AgentScheduler:
        agent = self.estate.sites[site].agent
        assert agent is not None
        return AgentScheduler(site, agent)

    def digits(self, site: str) -> Running:
        return next(w for w in self.scheduler(site).running() if w.workload == "digits")

    def opinion(self, observer: str, site: str, capability: str = "compute") -> Opinion:
        opinions = get(f"{self.estate.observers[observer].url}/v1/sites/{site}")["opinions"]
        return Opinion.model_validate(next(o for o in opinions if o["capability"] == capability))

    def address(self, server: str) -> list[str]:
        """The addresses that a name server gives for the app."""
        at = self.estate.dns.servers[server]
        query = dns.message.make_query("app.demo.test.", "A")
        answer = dns.query.udp(query, str(at.address), timeout=2, port=at.port)
        return [str(record) for records in answer.answer for record in records]

    def rehydrate(self, site: str, point: PointSummary) -> str:
        vault = self.vault(site)
        folder = Path(self.estate.sites[site].data) / "digits" / point.id
        folder.mkdir(parents=True)
        manifest = vault.manifest(point)
        for member in manifest.members:
            (folder / member.name).write_bytes(read_member(vault, point, member))
        (folder / "point.json").write_bytes(manifest.content())
        return str(folder)


def get(url: str) -> Any:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=2)
    try:
        connection.request("GET", url.partition(str(parts.port))[2])
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def wait_until(happened: Callable[[], Any], what: str, seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Sandbox(
        tmp_path_factory.mktemp("sandbox"), checkpoint_every=1.0, approvers=("ada", "grace")
    ) as sandbox:
        yield World(sandbox)


def test_a_started_sandbox_trains_serves_and_replicates(world: World) -> None:
    assert world.estate.approvers == ("ada", "grace")
    digits = world.digits("north")
    assert (digits.state, digits.epoch, digits.gpus, digits.resumed_from) == ("running", 1, 16, None)
    assert world.scheduler("north").free_gpus() == 12
    assert world.scheduler("south").free_gpus() == 8
    assert world.vault("south").points("digits"), "south has a copy"
    assert world.address("north") == world.address("south") == ["127.0.1.1"]
    answer = get(
        f"http://127.0.1.1:{urlsplit(str(world.estate.dns.names['app'].check)).port}/predict?sample=7"
    )
    assert answer["site"] == "north"
    assert answer["point"].startswith("digits-e0001-")
    wait_until(lambda: world.sandbox.client_log().requests > 5, "the client asks")
    assert world.sandbox.client_log().failures == 0
    assert {world.opinion(name, "north").up for name in world.estate.observers} == {True}
    secrets = [*(world.sandbox.folder / "secrets").iterdir()]
    assert {oct(path.stat().st_mode & 0o777) for path in secrets} == {"0o600"}


def test_an_agent_refuses_what_cannot_be_and_says_why(world: World) -> None:
    north = world.scheduler("north")
    north.start("digits", token="sandbox-digits", epoch=1, gpus=16, point=None, folder=None)  # as it runs
    with pytest.raises(Refused, match="runs already, under another token"):
        north.start("digits", token="other", epoch=1, gpus=16, point=None, folder=None)
    with pytest.raises(Refused, match="wants 16 GPUs, 12 are free"):
        north.start("notebooks", token="t", epoch=0, gpus=16, point=None, folder=None)
    with pytest.raises(Refused, match="greater than or equal to 0"):
        north.start("notebooks", token="t", epoch=0, gpus=-1, point=None, folder=None)
    with pytest.raises(NotFound, match="was never started here"):
        north.drain("notebooks")


def test_of_many_conditional_writes_to_a_store_one_wins(world: World) -> None:
    objects = world.objects("witness")
    version = objects.put("race", b"0", ABSENT)
    for turn in range(10):

        def write(number: int, turn: int = turn, before: Version = version) -> Version:
            # Never the same content twice: an ETag is a digest, so the old content would be the old version.
            return objects.put("race", f"{turn} {number}".encode(), before)

        came = race(16, write)
        assert [type(each) for each in came if not isinstance(each, Conflict)] == [str], came
        version = objects.get("race").version


def test_a_partitioned_site_runs_on_and_only_the_listed_observers_lose_it(world: World) -> None:
    before = world.digits("north").step or 0
    world.sandbox.partition("north", ("east", "west"))
    wait_until(lambda: not world.opinion("east", "north").up, "east sees north down", 5)
    wait_until(lambda: not world.opinion("west", "north").up, "west sees north down", 5)
    assert world.opinion("east", "north").reason == "connection closed without an answer"
    wait_until(lambda: not world.opinion("west", "north", "storage").up, "and its store too", 5)
    assert world.opinion("harbour", "north").up
    assert world.opinion("harbour", "north", "storage").up
    assert world.opinion("east", "south").up
    assert (world.digits("north").step or 0) > before
    assert world.sandbox.client_log().failures == 0
    world.sandbox.heal("north")
    wait_until(lambda: world.opinion("east", "north").up, "east sees north again", 5)
    with pytest.raises(UsageError, match="no observer moon"):
        world.sandbox.partition("north", ("moon",))


def test_a_site_dies_whole_its_training_goes_on_at_the_other_and_it_is_rebuilt_empty(world: World) -> None:
    sandbox, south = world.sandbox, world.vault("south")
    first = south.points("digits")[0]
    wait_until(lambda: (world.digits("north").step or 0) > first.step + 10, "north trains on")
    losses_at_north = dict(world.digits("north").losses)
    pids = sandbox.alive("north")
    untouched = sandbox.alive("south")
    assert len(pids) == 6, "store, names, agent, replicator, trainer and inference"

    killed_at = sandbox.kill_site("north")

    assert not any(is_running(pid) for pid in pids)
    assert abs((datetime.now(UTC) - killed_at).total_seconds()) < 2
    assert sandbox.alive("south") == untouched
    newest = south.points("digits")[-1]
    wait_until(lambda: not world.opinion("harbour", "north").up, "the observers see it", 5)
    lost = world.opinion("harbour", "north")
    assert lost.last_up is not None
    assert lost.progress["digits"] >= newest.step
    wait_until(lambda: sandbox.client_log().failures > 2, "the client sees it", 5)

    resume_at_south(world, first, losses_at_north)
    drain_and_fence_at_south(world)

    sandbox.rebuild_site("north")
    assert len(sandbox.alive("north")) == 4
    assert world.address("north") == []
    assert world.scheduler("north").running() == ()
    with pytest.raises(UsageError, match="not dead"):
        sandbox.rebuild_site("north")
    wait_until(lambda: world.vault("north").points("digits"), "north's replicator fetches what south has")
    wait_until(lambda: world.opinion("east", "north").up, "the observers see it again", 5)


def resume_at_south(world: World, point: PointSummary, losses_at_north: dict[int, float]) -> None:
    """The losses after a kill and a restore are bit for bit those that the dead trainer reported."""
    world.scheduler("south").stop("notebooks")
    folder = world.rehydrate("south", point)
    start_at_south(world, "resume", point, folder)
    shared = [step for step in losses_at_north if step > point.step]
    wait_until(lambda: (world.digits("south").step or 0) >= max(shared), "south trains on")
    resumed = world.digits("south")
    assert resumed.resumed_from == point.step
    assert {step: dict(resumed.losses)[step] for step in shared} == {s: losses_at_north[s] for s in shared}
    assert resumed.losses[0] == (point.step + 1, world.vault("south").manifest(point).next_loss)


def drain_and_fence_at_south(world: World) -> None:
    """Drained, nothing is lost; fenced, nothing more is sealed."""
    scheduler, vault = world.scheduler("south"), world.vault("south")
    scheduler.drain("digits")
    wait_until(lambda: world.digits("south").state == "ended", "it drains")
    drained = world.digits("south")
    assert (drained.exit_status, drained.sealed_step) == (0, drained.step)
    point = vault.points("digits")[-1]
    assert (point.id, point.epoch) == (drained.sealed, 2)

    start_at_south(world, "again", point, world.rehydrate("south", point))
    wait_until(lambda: world.digits("south").sealed, "it seals again")
    world.witness.raise_epoch("digits", above=1, active="south", by="a", at=datetime.now(UTC))
    world.witness.raise_epoch("digits", above=2, active="north", by="b", at=datetime.now(UTC))
    wait_until(lambda: world.digits("south").state == "ended", "it finds its epoch gone")
    fenced = world.digits("south")
    assert fenced.exit_status == 3
    assert fenced.reason.startswith("fenced: epoch 2 of digits is over: north writes in epoch 3")
    assert vault.points("digits")[-1].id == fenced.sealed


def start_at_south(world: World, token: str, point: PointSummary, folder: str) -> None:
    scheduler = world.scheduler("south")
    scheduler.start("digits", token=token, epoch=2, gpus=16, point=point.id, folder=folder)
    wait_until(lambda: world.digits("south").state == "running", "the trainer starts")


KEPT = """
import sys
from pathlib import Path
from relight.sandbox import Sandbox
Sandbox(Path(sys.argv[1])).start()
"""


def test_a_kept_sandbox_is_found_and_ended_by_another_process(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KEPT, str(tmp_path)], check=True, timeout=60)
    kept = Sandbox.attach(tmp_path)
    try:
        pids = [each["pid"] for each in json.loads((tmp_path / "sandbox.json").read_text())["processes"]]
        assert len(pids) == 13
        assert all(is_running(pid) for pid in pids)
        assert kept.client_log().by_site.keys() == {"north"}
        with pytest.raises(UsageError, match="a sandbox runs in"):
            Sandbox(tmp_path).start()
        pids += kept.alive("north")
        kept.kill_site("north")
        kept.rebuild_site("north")
        pids += kept.alive("north")
    finally:
        kept.stop()
    assert not any(is_running(pid) for pid in pids)
    assert not kept.alive("north")
    assert load_estate(kept.estate_path).name == "demo", "the folder stays"


def test_what_does_not_come_up_is_named_with_the_end_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = Sandbox(tmp_path)
    monkeypatch.setattr("relight.sandbox.starting.unpack_digits", lambda path: path.touch())
    with pytest.raises(RelightError, match=r"(?s)north-digits ended \(with status 1\).*EOFError"):
        sandbox.start()
    assert not sandbox.alive("north")


def test_there_is_nothing_to_attach_to_in_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(RelightError, match="no sandbox in"):
        Sandbox.attach(tmp_path)
