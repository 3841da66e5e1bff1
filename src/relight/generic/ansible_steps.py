"""The kind `ansible`: a playbook of the project, on nodes of a site."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import Field, JsonValue, StringConstraints, model_validator

from relight.estate import SecretRef
from relight.plan import Facts, Input, Interruption, Limits, Spec

_Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class AnsibleFacts(Facts):
    """What became of each host, as one word for each; none is named twice but for `changed`.

    `cancelled` is a host that was to be done and was not, or not to the end, without a fault of its own: the
    playbook was stopped, or ended early because others failed.
    """

    ok: tuple[str, ...]
    changed: tuple[str, ...] = Field(default=(), description="those of `ok` on which something was changed")
    failed: tuple[str, ...] = ()
    unreachable: tuple[str, ...] = ()
    cancelled: tuple[str, ...] = ()
    artifacts: str = Field(description="folder with events, output and results, redacted; from the root")


class Ansible(Spec):
    """Run a playbook on a batch of hosts, as one detached process that outlives the controller.

    The step is done when `at_least` hosts are ok, whatever Ansible's own exit status says. Where too few are,
    and hosts that could not be reached are all it lacks, that is Retry; else it is Failed, naming each host
    with its last message. Cut off and taken up again, it finds the same process.
    """

    kind: ClassVar[str] = "ansible"
    summary: ClassVar[str] = "run an Ansible playbook"
    facts: ClassVar[type[Facts]] = AnsibleFacts
    interrupted: ClassVar[Interruption] = "probe"
    usual: ClassVar[tuple[timedelta, timedelta]] = (timedelta(minutes=2), timedelta(minutes=10))

    playbook: str = Field(
        pattern=r"^[A-Za-z0-9_][\w./-]*\.ya?ml$",
        description='path from the root: "playbooks/node_health.yml"',
    )
    site: str | None = Field(default=None, description="whose nodes; none: `hosts` are addresses")
    hosts: Input[tuple[str, ...]] = Field(
        default=(), description='node sets or names: ["gpu[01-16]", "login1"]; none: all nodes of the site'
    )
    groups: tuple[_Variable, ...] = Field(
        default=(), description="groups that all of these hosts belong to, where the playbook names some"
    )
    variables: dict[_Variable, JsonValue] = Field(default={}, description="extra variables; never secrets")
    secrets: dict[_Variable, SecretRef] = Field(
        default={}, description="extra variables, and where their values are; read when the playbook starts"
    )
    vault_password: SecretRef | None = Field(default=None, description="where Ansible Vault's password is")
    environment: dict[_Variable, str] = Field(
        default={}, description="of Ansible: ANSIBLE_TIMEOUT and the like"
    )
    tags: tuple[str, ...] = ()
    skip_tags: tuple[str, ...] = ()
    forks: int = Field(default=20, ge=1, le=500, description="hosts at once")
    check: bool = Field(default=False, description="look only: --check --diff")
    at_least: int | None = Field(default=None, ge=0, description="hosts that must be ok; none: all of them")
    limits: Limits | None = None
    secrets_on_disk: bool = Field(
        default=False, description="where there is no tmpfs, keep secrets in a private folder on disk"
    )

    @model_validator(mode="after")
    def _check_shape(self) -> Ansible:
        if ".." in self.playbook.split("/"):
            raise ValueError("the playbook must lie below the project's root")
        if self.site is None and not self.hosts:
            raise ValueError("names neither a site nor hosts")
        twice = sorted(set(self.variables) & set(self.secrets))
        if twice:
            raise ValueError(f"is a variable and a secret at once: {', '.join(twice)}")
        for text in (*self.tags, *self.skip_tags):
            if not text or "," in text or text.startswith("-"):
                raise ValueError(f"not a tag: {text!r}")
        for name in self.environment:
            if name.startswith("RELIGHT_"):
                raise ValueError(f"{name} belongs to Relight")
        return self
