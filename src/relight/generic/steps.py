"""The generic kinds: shell, http, python, manual, wait."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from relight.estate import SecretRef
from relight.plan import Facts, Input, Interruption, Limits, Spec
from relight.units import Duration


class _MayRunTwice(Spec):
    """For kinds whose effect nobody can look up: a person decides after a cut-off, unless the step says."""

    interrupted: ClassVar[Interruption] = "ask"
    if_interrupted: Interruption = "ask"

    @property
    def interruption(self) -> Interruption:
        """What the step says, else a person decides."""
        return self.if_interrupted


class Ran(Facts):
    """How a command ended; its output is not a fact, it may hold secrets."""

    exit_status: int


class Shell(_MayRunTwice):
    """Run a command as a detached process; it outlives the controller and is found again.

    It runs in `folder`, below the project's root, with `environment`, with `secrets` resolved when it starts,
    and with the little that a login has (PATH, HOME, LANG …), not with what else the controller's environment
    holds. Any exit status that is not in `succeeds_with` is Retry with the end of the output, redacted. The
    command may tell progress (see `relight.plan.Process`), and leave files in the folder RELIGHT_ARTIFACTS.
    """

    kind: ClassVar[str] = "shell"
    summary: ClassVar[str] = "run a command"
    facts: ClassVar[type[Facts]] = Ran

    command: tuple[str, ...] = Field(min_length=1, description='argument by argument: ["sh", "-c", "…"]')
    environment: dict[str, str] = {}
    secrets: dict[str, SecretRef] = Field(default={}, description="environment names, and where values are")
    folder: str | None = None
    succeeds_with: tuple[int, ...] = (0,)
    limits: Limits | None = None

    @field_validator("environment", "secrets")
    @classmethod
    def _check_names(cls, names: dict[str, str]) -> dict[str, str]:
        for name in names:
            if name.startswith("RELIGHT_"):
                raise ValueError(f"{name} belongs to Relight")
        return names


class PythonCall(_MayRunTwice):
    """Call a function of the project, "module:function", in a process of its own, with text arguments."""

    kind: ClassVar[str] = "python"
    summary: ClassVar[str] = "call a Python function of the project"
    facts: ClassVar[type[Facts]] = Ran

    function: str = Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")
    arguments: dict[str, str] = {}
    limits: Limits | None = None


class Answered(Facts):
    """What a request was answered with."""

    status: int


class Http(_MayRunTwice):
    """Send one request; Done if the status is one of `succeeds_with`, else Retry."""

    kind: ClassVar[str] = "http"
    summary: ClassVar[str] = "send a request"
    facts: ClassVar[type[Facts]] = Answered

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: Input[str]
    headers: dict[str, str] = {}
    secret_headers: dict[str, SecretRef] = Field(default={}, description="header names, and where values are")
    body: str | None = None
    succeeds_with: tuple[int, ...] = (200, 201, 202, 204)


class Manual(Spec):
    """Something a person does. The step's gate asks; approving it says that it is done."""

    kind: ClassVar[str] = "manual"
    summary: ClassVar[str] = "a person does something and says so"
    interrupted: ClassVar[Interruption] = "repeat"

    instructions: str


class Wait(Spec):
    """Let time pass, counted from the step's first attempt."""

    kind: ClassVar[str] = "wait"
    summary: ClassVar[str] = "let time pass"
    interrupted: ClassVar[Interruption] = "repeat"

    duration: Duration
