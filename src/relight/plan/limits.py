"""What a detached process may use at most."""

from __future__ import annotations

from pydantic import Field

from relight.canonical import Frozen
from relight.units import ByteSize

LIMITS = "RELIGHT_LIMITS"
"""Environment name under which a process's limits reach the supervisor, as JSON."""


class Limits(Frozen):
    """Limits of one process and, each for itself, of whatever it starts (setrlimit(2)); none where None.

    They hold a runaway step back from the machine that recovers everything else. Above a hard limit of the
    controller's own they have no effect.
    """

    cpu_seconds: int | None = Field(
        default=None, ge=1, description="of processor time; SIGXCPU ends it then, and SIGKILL 5 s later"
    )
    memory: ByteSize | None = Field(
        default=None, ge=2**20, description="of address space: allocations beyond it fail"
    )
    open_files: int | None = Field(default=None, ge=8, description="at once")
    file_size: ByteSize | None = Field(
        default=None, ge=1, description="of any file it writes, its output too: SIGXFSZ"
    )
    niceness: int = Field(default=0, ge=0, le=19, description="19 yields to everything else")

    def environment(self) -> dict[str, str]:
        """What `Context.start_process` must be given for these limits to hold."""
        return {LIMITS: self.model_dump_json(exclude_none=True)}
