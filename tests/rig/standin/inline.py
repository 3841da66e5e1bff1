"""A step's context whose process is done at once, on stacks in memory; and a world of fakes around it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from relight.errors import UsageError
from relight.estate import Secrets
from relight.plan import Handler, Outcome, Process, Progress, Working
from relight.provision import Engine
from relight.provision.fake import FakeFinder, FakeIntents, FakePools, FakeStacks, urn_of
from relight.provision.work import RESULT, Call, carry_out
from rig.context import FakeContext
from rig.standin.site import POOL, STACK, estate_with_a_pool

METAL, SPOT = f"{POOL}-own-metal", f"{POOL}-spot"


class FakeWorld:
    """A site whose program sizes the pool `train` by the intent, and whose cloud gives what is asked."""

    def __init__(self, folder: Path) -> None:
        self.project = folder
        self.estate = estate_with_a_pool()
        self.secrets = Secrets(folder)
        self.kept = FakeIntents()
        self.pools = FakePools({POOL: {"own-metal": 2, "spot": 0}})
        self.finds = FakeFinder()
        self.image = "a"
        self.own_sizes: dict[str, int] | None = None  # that the program has whatever was decided
        self.lacks = ""  # what the engine's process cannot be given
        rungs = {rung: {"urn": urn_of(STACK, f"{POOL}-{rung}")} for rung in ("own-metal", "spot")}
        self.stacks = FakeStacks(lambda _: self._program(), {"pools": {POOL: rungs}})

    def _program(self) -> dict[str, dict[str, object]]:
        intent = self.kept.kept.get(STACK)
        sizes = intent.pools[POOL] if intent else {"own-metal": 2, "spot": 0}
        sizes = self.own_sizes or sizes
        return {
            f"{POOL}-{rung}": {"desiredCapacity": nodes, "image": self.image} for rung, nodes in sizes.items()
        }

    def follow(self) -> None:
        """Have the cloud's pools be what the stack made of them."""
        for name, inputs in self.stacks.cloud.get(STACK, {}).items():
            self.pools.pools[POOL][name.removeprefix(f"{POOL}-")] = int(str(inputs["desiredCapacity"]))

    def engine(self, stack: str) -> Engine:
        if self.lacks:
            raise UsageError(self.lacks, "export it")
        return Engine(environment={"PULUMI_BACKEND_URL": "file:///nowhere"}, secrets={})

    def finder(self, stack: str) -> FakeFinder:
        return self.finds

    def intents(self) -> FakeIntents:
        return self.kept

    def pool_sizes(self, site: str) -> FakePools:
        return self.pools

    def capacity(self, site: str) -> FakePools:
        return self.pools


@dataclass
class InlineContext(FakeContext):
    """See FakeContext; a process that is started carries its call out at once, unless it `vanishes`."""

    world: FakeWorld = field(kw_only=True)
    vanishes: bool = False
    breaks: bool = False  # the process ends at once, with an error of its own

    def start_process(
        self, command: tuple[str, ...], environment: dict[str, str], folder: str | None = None
    ) -> None:
        super().start_process(command, environment, folder)
        artifacts = self.world.project / f"artifacts-{len(self.started)}"
        artifacts.mkdir(parents=True)
        if not self.vanishes and not self.breaks:
            end = carry_out(
                Call.model_validate_json(command[-1]),
                self.world.stacks,
                lambda *_: None,
                patience={True: 0, None: 0, False: 0},
            )
            (artifacts / RESULT).write_text(end.model_dump_json(), encoding="utf-8")
            self.world.follow()
        status = None if self.vanishes else int(self.breaks)
        said = "ModuleNotFoundError: No module named 'pulumi'\n" if self.breaks else ""
        self.process = Process(
            running=False, exit_status=status, output=said, attempt=self.attempt, artifacts=artifacts
        )

    def calls(self) -> list[Call]:
        """What processes were started for."""
        return [Call.model_validate_json(command[-1]) for command, _, _ in self.started]


def play(handler: Handler[Any], spec: Any, context: InlineContext, calls: int = 30) -> Outcome:
    """Call the handler as the engine does, its clock going on, until it ends or was called so often."""
    outcome: Outcome = Working(timedelta(0), progress=Progress(note="not begun"))
    for _ in range(calls):
        outcome = handler.attempt(spec, context)
        if not isinstance(outcome, Working):
            break
        context.clock += outcome.check_in
    return outcome
