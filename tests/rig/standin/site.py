"""A project, a state and a stand-in cloud in a folder, and what handlers need to work on them."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from relight.estate import Estate, Secrets
from relight.plan import Context, Done, Failed, Handler, Process, Progress, Retry, Working
from relight.provision import Capacity, Engine, Lock, PendingCreate, Stacks
from relight.provision.adapters.automation import AutomationStacks
from relight.provision.fake import FakeIntents, FakePools
from relight.supervisor import Supervisor
from rig.estates import an_estate

NEEDS_ENGINE = pytest.mark.skipif(
    shutil.which("pulumi") is None,
    reason="the `pulumi` command is not on PATH; see https://www.pulumi.com/docs/install/",
)
STACK, POOL = "south", "train"
PASSPHRASE, PLANTED = "correct-horse-battery", "planted-secret-4711"
RUNGS = [{"kind": "own-metal", "nodes": 4}, {"kind": "spot", "nodes": 4}]

_HERE = Path(__file__).parent


def urn_of(name: str, kind: str = "Pool") -> str:
    return f"urn:pulumi:{STACK}::standin::standin:index:{kind}::{name}"


class StandinSite:
    """The site `south`, whose stack has a network, a key and the pool `train` on two rungs.

    It starts as a copy of the site `like`, state and cloud and all, or with nothing.
    """

    def __init__(self, folder: Path, like: StandinSite | None = None) -> None:
        self.folder = folder
        self.project = folder / "project"
        self.state = folder / "state"
        if like:
            shutil.copytree(like.folder, folder, dirs_exist_ok=True)
        else:
            for each in (self.state, folder / "home"):
                each.mkdir(parents=True)
            shutil.copytree(_HERE / "project", self.project)
            declared = self.project / "Pulumi.yaml"
            declared.write_text(declared.read_text("utf-8").replace("PROVIDER", str(_HERE)), "utf-8")
        self.wanted = {
            "cidr": "10.0.0.0/16",
            "image": "a",
            "pools": {POOL: {"own-metal": 2, "spot": 0}},
            "others": {},
        }
        self.want()
        self.environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{self.state}",
            # It would fetch the providers of every Pulumi package that is installed beside us.
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "WANTED": str(folder / "wanted.json"),
            "STANDIN_CLOUD": str(folder / "cloud.json"),
            "STANDIN_CONTROL": str(folder / "control.json"),
        }
        self.secrets = {"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE, "STANDIN_SECRET": PLANTED}

    def want(self, **changes: Any) -> None:
        """Change what the program declares."""
        self.wanted |= changes
        (self.folder / "wanted.json").write_text(json.dumps(self.wanted), encoding="utf-8")

    def hinder(
        self,
        delays: dict[str, float] | None = None,
        fails: dict[str, str] | None = None,
        unreadable: dict[str, str] | None = None,
    ) -> None:
        """Make the cloud slow or broken for resources, by name."""
        content = json.dumps({"delays": delays or {}, "fails": fails or {}, "unreadable": unreadable or {}})
        (self.folder / "control.json").write_text(content, encoding="utf-8")

    def cloud(self) -> dict[str, Any]:
        """What exists: {"resources": {id: …}, "log": …}."""
        path = self.folder / "cloud.json"
        content: dict[str, Any] = json.loads(path.read_bytes()) if path.exists() else {}
        return {"resources": {}, "log": [], **content}

    def change_cloud(self, name: str, **inputs: Any) -> None:
        """Change a resource behind the engine's back."""
        state = self.cloud()
        for made, resource in state["resources"].items():
            if made.startswith(f"{name}-0"):
                resource["inputs"] |= inputs
        (self.folder / "cloud.json").write_text(json.dumps(state), encoding="utf-8")

    def ids(self, name: str) -> list[str]:
        """The provider's ids of everything that was made under a logical name."""
        return [made for made in self.cloud()["resources"] if made.rpartition("-")[0] == name]

    def began(self, name: str) -> bool:
        """Whether the cloud is at work on a resource."""
        return ["begin", name] in self.cloud()["log"]

    def cut_off(self, *names: str) -> None:
        """Leave the state as an update does that was killed while it created these."""
        path = self.state / ".pulumi/stacks/standin" / f"{STACK}.json"
        content = json.loads(path.read_bytes())
        latest = content["checkpoint"]["latest"]
        cut = [each for each in latest["resources"] if each["urn"].rpartition("::")[2] in names]
        latest["resources"] = [each for each in latest["resources"] if each not in cut]
        made = ("id", "outputs", "created", "modified")
        latest["pending_operations"] = [
            {"type": "creating", "resource": {key: each[key] for key in each if key not in made}}
            for each in cut
        ]
        path.write_text(json.dumps(content), encoding="utf-8")

    def hold(self, lock: Lock) -> None:
        """Leave a lock as an update does that was killed."""
        folder = self.state / ".pulumi/locks/organization/standin" / STACK
        folder.mkdir(parents=True, exist_ok=True)
        content = {"pid": lock.pid, "username": lock.user, "hostname": lock.host}
        text = json.dumps(content | {"timestamp": lock.since.isoformat()})
        (folder / f"{lock.id}.json").write_text(text, encoding="utf-8")

    def stacks(self) -> AutomationStacks:
        """The real engine on this project."""
        return AutomationStacks(self.project, self.environment | self.secrets)


class StandinFinder:
    """Looks in the stand-in cloud by the token among the tags."""

    def __init__(self, site: StandinSite) -> None:
        self._site = site

    def find(self, sought: PendingCreate) -> str | None:
        token = sought.tags["relight:token"]
        for made, resource in self._site.cloud()["resources"].items():
            if resource["inputs"].get("tags", {}).get("relight:token") == token and made not in sought.known:
                return str(made)
        return None


class StandinWorld:
    """What handlers need, all of it about one stand-in site; see Provisioning."""

    def __init__(self, site: StandinSite) -> None:
        self.site = site
        self.project = site.project
        self.estate: Estate = estate_with_a_pool()
        self.secrets = Secrets(site.project)
        self.kept = FakeIntents()
        self.pools = FakePools({POOL: {"own-metal": 2, "spot": 0}})

    def engine(self, stack: str) -> Engine:
        for name, value in self.site.secrets.items():
            (self.project.parent / name).write_text(value, encoding="utf-8")
        return Engine(
            environment=self.site.environment,
            secrets={name: f"file:{self.project.parent / name}" for name in self.site.secrets},
        )

    def finder(self, stack: str) -> StandinFinder:
        return StandinFinder(self.site)

    def intents(self) -> FakeIntents:
        return self.kept

    def pool_sizes(self, site: str) -> FakePools:
        return self.pools

    def capacity(self, site: str) -> Capacity:
        return self.pools


def estate_with_a_pool(rungs: list[dict[str, Any]] | None = None) -> Estate:
    """North is a sandbox; south is a cluster with one pool on two rungs."""
    north = an_estate().sites["north"].model_dump(mode="json")
    south = {
        "kind": "kubernetes",
        "store": "south",
        "probes": {"compute": "http://127.0.0.1:7002/health"},
        "credentials": {"environment": True},
        "pools": {POOL: {"nodes": 4, "rungs": rungs or RUNGS, "patience": "1m"}},
    }
    return an_estate(sites={"north": north, "south": south})


@dataclass
class StandinContext:
    """A step's context over a real supervisor."""

    supervisor: Supervisor
    step: str = "up"
    run: str = "run-1"
    attempt: int = 1
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    notes: list[str] = field(default_factory=list)

    @property
    def token(self) -> str:
        return f"{self.run}/{self.step}"

    def now(self) -> datetime:
        return datetime.now(UTC)

    def check(self) -> None:
        """Nobody else drives it."""

    def find_process(self) -> Process | None:
        return self.supervisor.find(self.run, self.step)

    def start_process(
        self, command: tuple[str, ...], environment: dict[str, str], folder: str | None = None
    ) -> None:
        self.supervisor.start(self.run, self.step, command, environment, folder, attempt=self.attempt)

    def stop_process(self) -> None:
        self.supervisor.stop(self.run, self.step)


def play(
    handler: Handler[Any],
    spec: Any,
    context: StandinContext,
    until: Callable[[], bool] = lambda: False,
    patience: float = 40.0,
) -> Done | Failed | Retry | None:
    """Call the handler as the engine does until it ends, or `until` holds (None then)."""
    given: Context = context
    end = time.monotonic() + patience
    while time.monotonic() < end:
        outcome = handler.attempt(spec, given)
        if not isinstance(outcome, Working):
            return outcome
        note = _told(outcome.progress)
        if note not in context.notes[-1:]:
            context.notes.append(note)
        if until():
            return None
        time.sleep(min(outcome.check_in, timedelta(seconds=0.2)).total_seconds())
    raise AssertionError(f"nothing came of it in {patience} s: {context.notes}")


def _told(progress: Progress) -> str:
    return progress.note


def checked(stacks: AutomationStacks) -> Stacks:
    """That the adapter is of the port's shape, to the type checker."""
    return stacks
