"""What the handlers need of the world, and how they start and read the process of an update."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from relight.errors import RelightError
from relight.estate import Estate, Secrets
from relight.plan import GRACE, REDACT, Context, Outcome, Process, Progress, Retry, Working
from relight.provision.port import Capacity, Engine, Finder, Intents, PoolSizes
from relight.provision.work import RESULT, Call, End

STOP_GRACE = timedelta(minutes=45)
"""Between TERM and KILL: the engine waits for what is in flight, a file system takes half an hour."""

_SOON = timedelta(seconds=0.5)
_BLANKED = "RELIGHT_BLANKED"  # and a number: what is in the process's environment only to be blanked
_MOST_OF_A_VARIABLE = 100_000  # characters, of an argument as well; Linux takes 128 KiB


class Provisioning(Protocol):
    """Where stacks and clouds come from."""

    estate: Estate
    secrets: Secrets
    project: Path

    def engine(self, stack: str) -> Engine:
        """What the engine is given for a stack: where its state is, as whom it speaks to the cloud."""

    def finder(self, stack: str) -> Finder:
        """What looks resources of a stack up by tag or client token."""

    def intents(self) -> Intents:
        """What was decided for each site."""

    def pool_sizes(self, site: str) -> PoolSizes:
        """The sizes of a site's pools, by its cloud's own API."""

    def capacity(self, site: str) -> Capacity:
        """Room for a site's pools, as far as its cloud tells."""


@dataclass(frozen=True)
class Work:
    """A process that can be started: what carries a call out, and what it is given."""

    command: tuple[str, ...]
    environment: dict[str, str]
    folder: str


def prepare_work(world: Provisioning, call: Call) -> Work:
    """The process that carries a call out; its secrets go by its environment alone.

    Raise RelightError where the engine cannot be given what it needs: a secret lacks, there are no stacks.
    """
    environment: dict[str, str] = {}
    secrets: dict[str, str] = {}
    provider = None
    for stack in call.stacks:
        engine = world.engine(stack)
        environment |= engine.environment
        secrets |= {name: world.secrets.resolve(reference) for name, reference in engine.secrets.items()}
        secrets |= _read_besides(world.secrets, engine)
        provider = engine.secrets_provider
    call = call.model_copy(update={"secrets_provider": provider})
    if len(call.model_dump_json()) > _MOST_OF_A_VARIABLE:
        # With four hundred changes only the digest goes along: cut off, such an update is approved anew.
        call = call.model_copy(update={"expect_changes": ()})
    return Work(
        (sys.executable, "-P", "-m", "relight.provision.work", call.model_dump_json()),
        {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            **environment,
            **secrets,
            REDACT: ",".join(sorted(secrets)),
            GRACE: str(STOP_GRACE.total_seconds()),
        },
        str(world.project),
    )


def start_work(world: Provisioning, call: Call, context: Context) -> None:
    """Start the process that carries a call out."""
    work = prepare_work(world, call)
    context.check()
    context.start_process(work.command, work.environment, work.folder)


def _read_besides(secrets: Secrets, engine: Engine) -> dict[str, str]:
    """What the program will read by itself, for blanking; of what lacks the program tells."""
    found = {}
    for number, reference in enumerate(engine.read):
        with suppress(RelightError):
            value = secrets.resolve(reference)
            if len(value) < _MOST_OF_A_VARIABLE and "\0" not in value:
                found[f"{_BLANKED}_{number}"] = value
    return found


def read_end(process: Process) -> End | None:
    """What came of a process that has ended; None: it left no word."""
    if process.artifacts is None:
        return None
    try:
        return End.model_validate_json((process.artifacts / RESULT).read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        raise RelightError(
            f"{process.artifacts / RESULT} was written by another version of relight", "retry the step"
        ) from None


def still_at_it(process: Process, note: str) -> Working:
    """That the process runs, and how far it has come."""
    return Working(_SOON, process.progress or Progress(note=note))


def without_word(process: Process) -> Outcome:
    """What a process that left no result means."""
    if process.exit_status is None:
        return Retry("the update's process vanished (was the machine restarted?)")
    end = process.output.strip()[-1500:]
    return Retry(f"the update's process was cut off (exit status {process.exit_status}): {end}")
