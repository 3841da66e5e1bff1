"""The composition root: every kind of step, every handler and every adapter, named in one place.

Names are "module:Class" and imported when first used, so that the command starts fast and a controller loads
only what its plan needs. `World` makes ports for what an estate declares; handlers get theirs from it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar, cast

from relight.approval import Judge
from relight.control import Project, ThreadSurveyor, make_plan, why_not, worse
from relight.engine import Driver, Journal, Listener, Surroundings, ThreadExecutor
from relight.errors import RelightError, UsageError
from relight.estate import Estate, Secrets, load_estate
from relight.plan import Catalogue, Handler, Plan
from relight.provision import cloud_of, engine_of, require_own_project
from relight.situation import Probe

if TYPE_CHECKING:
    from relight.engine import Anchors, Claims
    from relight.fence.port import Lookout, Witness
    from relight.objects import ObjectStore
    from relight.provision import Capacity, Cloud, Engine, Finder, Intents, PoolSizes, Stacks
    from relight.supervisor import Supervisor
    from relight.topology import Decided
    from relight.traffic import Names
    from relight.vault import Vault
    from relight.workload import Scheduler

T = TypeVar("T")

SPECS: Mapping[str, str] = {
    "ansible": "relight.generic.ansible_steps:Ansible",
    "fence.confirm-verdict": "relight.fence.steps:ConfirmVerdict",
    "fence.declare-authority": "relight.fence.steps:DeclareAuthority",
    "fence.raise-epoch": "relight.fence.steps:RaiseEpoch",
    "http": "relight.generic.steps:Http",
    "manual": "relight.generic.steps:Manual",
    "provision.capacity-check": "relight.provision.steps:CapacityCheck",
    "provision.scale-pool": "relight.provision.steps:ScalePool",
    "provision.stack-drift": "relight.provision.steps:StackDrift",
    "provision.stack-up": "relight.provision.steps:StackUp",
    "python": "relight.generic.steps:PythonCall",
    "shell": "relight.generic.steps:Shell",
    "traffic.swap-name": "relight.traffic.steps:SwapName",
    "traffic.verify-client": "relight.traffic.steps:VerifyClient",
    "vault.copy-point": "relight.vault.steps:CopyPoint",
    "vault.fence-store": "relight.vault.steps:FenceStore",
    "vault.rehydrate": "relight.vault.steps:Rehydrate",
    "wait": "relight.generic.steps:Wait",
    "workload.drain": "relight.workload.steps:Drain",
    "workload.make-room": "relight.workload.steps:MakeRoom",
    "workload.start": "relight.workload.steps:Start",
    "workload.stop": "relight.workload.steps:Stop",
    "workload.verify-training": "relight.workload.steps:VerifyTraining",
}
"""Every kind of step: where its spec stands."""

HANDLERS: Mapping[str, str] = {
    kind: place.replace(".steps:", ".handlers:") + "Handler" for kind, place in SPECS.items()
} | {
    "ansible": "relight.generic.ansible_handlers:AnsibleHandler",
    "vault.rehydrate": "relight.vault.rehydration:RehydrateHandler",
}
"""What carries each kind out: named after its spec, and beside it or in a file of its own."""

PROBES = (
    "relight.fence.probes:probes",
    "relight.vault.probes:probes",
    "relight.workload.probes:probes",
    "relight.traffic.probes:probes",
    "relight.provision.probes:probes",
)
"""What each domain asks the world in a survey."""

OBJECTS = {
    "gcs": "relight.objects.adapters.obstore:gcs_objects",
    "s3": "relight.objects.adapters.obstore:s3_objects",
}
SCHEDULER = "relight.workload.adapters.agent:AgentScheduler"
VAULT = "relight.vault.adapters.objects:ObjectVault"
WITNESS = "relight.fence.adapters.witness:ObjectWitness"
LOOKOUT = "relight.fence.adapters.observer:HttpLookout"
CLAIMS = "relight.fence.adapters.claims:ObjectClaims"
ANCHORS = "relight.fence.adapters.anchors:ObjectAnchors"
INTENTS = "relight.fence.adapters.intents:ObjectIntents"
STACKS = "relight.provision.adapters.automation:AutomationStacks"
CLOUDS = {
    "aws": "relight.provision.adapters.aws.cloud:open_aws",
    "gcp": "relight.provision.adapters.google.cloud:open_google",
    "kubernetes": "relight.provision.adapters.kubernetes.cloud:open_cluster",
}
DECIDED = "relight.topology:Decided"
NAMES = "relight.traffic.adapters.rfc2136:SignedNames"

CATALOGUE = Catalogue(SPECS)


def named(place: str) -> Any:
    """What "module:name" names, imported now."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


class World:
    """Ports to everything that an estate declares, each made once, when first asked for; for any thread."""

    def __init__(self, project: Project, estate: Estate) -> None:
        self.estate = estate
        self.project = project.root
        self.secrets = Secrets(project.root)
        self._state = project.state
        self._made: dict[tuple[str, str], Any] = {}
        self._lock = RLock()

    def objects(self, store: str) -> ObjectStore:
        """The bytes of a declared store."""
        declared = self._declared(self.estate.stores, "store", store)
        made: ObjectStore = self._once(
            "objects", store, lambda: named(OBJECTS[declared.kind])(store, declared, self.secrets)
        )
        return made

    def vault(self, store: str) -> Vault:
        """The recovery points in a declared store."""
        made: Vault = self._once("vault", store, lambda: named(VAULT)(self.objects(store), store))
        return made

    def scheduler(self, site: str) -> Scheduler:
        """What starts and stops workloads at a site."""
        declared = self._declared(self.estate.sites, "site", site)
        if declared.agent is None:
            raise UsageError(
                f"the estate does not say what starts and stops workloads at {site}",
                f"add sites.{site}.agent: http://…",
            )
        made: Scheduler = self._once("scheduler", site, lambda: named(SCHEDULER)(site, declared.agent))
        return made

    def names(self, server: str) -> Names:
        """A declared name server."""
        declared = self._declared(self.estate.dns.servers, "name server", server)
        made: Names = self._once("names", server, lambda: named(NAMES)(server, declared, self.secrets))
        return made

    def witness(self) -> Witness:
        """Who may write, as the witness has it."""
        made: Witness = self._once("witness", "", lambda: named(WITNESS)(self._witness_objects))
        return made

    def lookouts(self) -> Mapping[str, Lookout]:
        """Every observer, by name."""
        return {name: self._lookout(name, declared.url) for name, declared in self.estate.observers.items()}

    def claims(self) -> Claims:
        """What runs have taken for themselves."""
        made: Claims = self._once("claims", "", lambda: named(CLAIMS)(self._witness_objects))
        return made

    def anchors(self) -> Anchors:
        """Heads of journals, kept outside of them."""
        made: Anchors = self._once("anchors", "", lambda: named(ANCHORS)(self._witness_objects))
        return made

    def intents(self) -> Intents:
        """How large the pools of each site should be."""
        made: Intents = self._once("intents", "", lambda: named(INTENTS)(self._witness_objects))
        return made

    def engine(self, stack: str) -> Engine:
        """What the engine's process is given for a stack. Raise UsageError."""
        require_own_project(self.project, self.estate)
        return engine_of(self.estate, stack, os.environ)

    def stacks(self, stack: str) -> Stacks:
        """The engine, with what it needs for one stack: for commands, as it takes its time."""
        engine = self.engine(stack)
        secrets = {name: self.secrets.resolve(reference) for name, reference in engine.secrets.items()}
        for reference in engine.read:
            with suppress(RelightError):  # of what lacks the program tells
                self.secrets.resolve(reference)
        made: Stacks = named(STACKS)(
            self.project,
            {**engine.environment, **secrets},
            blank=self.secrets.redact,
            secrets_provider=engine.secrets_provider,
        )
        return made

    def pool_sizes(self, site: str) -> PoolSizes:
        """The sizes of a site's pools, by its cloud's own API."""
        return _pooled(site, self._cloud(site).sizes)

    def capacity(self, site: str) -> Capacity:
        """Room for a site's pools, as far as its cloud tells."""
        return _pooled(site, self._cloud(site).capacity)

    def finder(self, stack: str) -> Finder:
        """What looks resources of a stack up by tag or client token."""
        return self._cloud(stack).finder

    def _cloud(self, stack: str) -> Cloud:
        """The API of the cloud that a stack stands in."""
        kind = cloud_of(self.estate, stack)

        def writes_here(workload: str) -> bool:
            authority = self.witness().authority(workload)
            return stack == (authority.active if authority else self.estate.workloads[workload].runs_on)

        made: Cloud = self._once(
            "cloud", stack, lambda: named(CLOUDS[kind])(self.estate, stack, self.secrets.resolve, writes_here)
        )
        return made

    @cached_property
    def processes(self) -> Supervisor:
        """Detached processes of steps."""
        return cast("Supervisor", named("relight.supervisor:Supervisor")(self._state / "processes"))

    def handler(self, kind: str) -> Handler[Any]:
        """What carries a kind out."""
        made: Handler[Any] = self._once("handler", kind, lambda: named(HANDLERS[kind])(self))
        return made

    def probes(self, estate: Estate) -> Iterator[Probe]:
        """Every question of every domain."""
        for place in PROBES:
            yield from named(place)(estate, self)

    def _lookout(self, name: str, url: str) -> Lookout:
        made: Lookout = self._once("lookout", name, lambda: named(LOOKOUT)(name, url))
        return made

    @property
    def _witness_objects(self) -> ObjectStore:
        return self.objects(self.estate.witness.store)

    def _once(self, what: str, name: str, make: Callable[[], Any]) -> Any:
        key = (what, name)
        with self._lock:
            if key not in self._made:
                self._made[key] = make()
            return self._made[key]

    @staticmethod
    def _declared(section: Mapping[str, T], what: str, name: str) -> T:
        if name not in section:
            raise UsageError(
                f"the estate declares no {what} {name!r}", f"it has {', '.join(section) or 'none'}"
            )
        return section[name]


def _pooled(site: str, port: T | None) -> T:
    if port is None:
        raise UsageError(f"{site} has no pools", "name a site of a cloud")
    return port


def open_world(root: Path) -> World:
    """The world of the project at `root`, its estate loaded. Raise InvalidFile, UsageError."""
    project = Project(root)
    return World(project, load_estate(project.estate_path))


def decided_for(world: World, site: str) -> Decided:
    """What the witness has for a site and for every workload that writes. Raise StoreError."""
    seen = {name: world.witness().authority(name) for name, w in world.estate.workloads.items() if w.writes}
    made: Decided = named(DECIDED)(
        intent=world.intents().intent(site),
        writers={name: authority.active for name, authority in seen.items() if authority},
    )
    return made


def surveyor(world: World) -> ThreadSurveyor:
    """What looks at everything that the estate declares."""
    return ThreadSurveyor(world.probes)


_RESURVEY_DEADLINE = timedelta(seconds=3)


def become_worse(world: World, plan: Plan) -> tuple[str, ...]:
    """What has become worse since a plan was made, by making it again now.

    A plan whose runbook is not in the project was brought here as a file; it is not made again.
    """
    loaded = Project(world.project).runbooks().get(plan.runbook)
    if loaded is None:
        return ()
    situation = surveyor(world).survey(world.estate, _RESURVEY_DEADLINE)
    return worse(plan, make_plan(loaded, world.estate, situation, plan.inputs, CATALOGUE))


def driver(world: World, journal: Journal, run: str, listener: Listener | None = None) -> Driver:
    """A driver for one run, with real ports."""
    around = Surroundings(
        catalogue=CATALOGUE,
        executor=ThreadExecutor(world.handler, world.processes),
        processes=world.processes,
        claims=world.claims(),
        anchors=world.anchors(),
        redact=world.secrets.redact,
        why_not=partial(why_not, world.estate, Judge(world.project, world.estate), world.secrets.redact),
        resurvey=lambda plan: become_worse(world, plan),
    )
    return Driver(run, journal, around, listener)
