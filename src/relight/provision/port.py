"""What Relight asks of stacks and of clouds, as promises.

`Stacks` is the engine's state and updates; the others are a cloud's own API, asked where the engine cannot
answer or cannot be reached. All times are aware and in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from relight.canonical import Frozen
from relight.errors import Conflict, Refused, RelightError
from relight.estate import SecretRef
from relight.situation import Intent

OnProgress = Callable[[int, int | None, str], None]
"""Called with how many resources are done, how many there are where that is known, and what is being done."""


class Change(Frozen):
    """One resource that an update would change, or changed."""

    urn: str
    name: str
    type: str  # "aws:autoscaling/group:Group"
    op: str  # "create", "update", "replace", "delete", "read", "import" …
    paths: tuple[str, ...] = ()  # properties that differ, as "desiredCapacity" or "tags.owner", sorted
    values: dict[str, str] = {}  # per path the new value as JSON, cut; secrets never: they are "[secret]"
    digest: str = ""  # of all that the program gives the resource, whole but for secrets; "" of a deletion
    open: tuple[str, ...] = ()  # what of that nobody knew yet, as "/tags/vpc": an id that is made on the way
    sealed: dict[str, str] = {}  # per path of a new secret, as "/password", a mark that tells it from others

    @property
    def approved(self) -> Approved:
        """What of it a plan carries, so that an update that was cut off may be finished, and no other."""
        return Approved(urn=self.urn, op=self.op, digest=self.digest, open=self.open, sealed=self.sealed)


class Approved(Frozen):
    """A change that somebody saw in a preview and approved; see Change."""

    urn: str
    op: str
    digest: str
    open: tuple[str, ...] = ()
    sealed: dict[str, str] = {}


class Preview(Frozen):
    """What an update would change now; nothing in it depends on when it was made."""

    stack: str
    changes: tuple[Change, ...] = ()  # by URN; resources that stay as they are are not listed
    same: int = 0
    digest: str  # of the changes: what is done to what, which properties, and their new values, whole
    sizes: dict[str, dict[str, int]] = {}  # nodes by pool and rung, as the program now has them


class Update(Frozen):
    """What an update did."""

    stack: str
    counts: dict[str, int] = {}  # resources per op, as {"create": 3, "same": 12}
    changes: tuple[Change, ...] = ()
    seconds: float = 0.0


class Drift(Frozen):
    """Where the cloud is not as the state has it."""

    stack: str
    changes: tuple[Change, ...] = ()
    pending: tuple[PendingCreate, ...] = ()  # cut off: nobody knows whether they are there
    unread: dict[str, str] = {}  # resources that could not be read, by logical name, and why

    @property
    def is_clean(self) -> bool:
        """Whether everything was seen, and is as the state has it."""
        return not (self.changes or self.pending or self.unread)


class Lock(Frozen):
    """Who holds a stack, which allows one update at a time."""

    id: str  # names this very lock: what an approval names
    user: str
    host: str
    pid: int
    since: datetime

    def __str__(self) -> str:
        at = f"{self.user}@{self.host} (pid {self.pid})"
        return f"lock {self.id} of {at} since {self.since:%Y-%m-%d %H:%M:%S}Z"


class PendingCreate(Frozen):
    """A resource that an update began to create and nobody saw finished: it may be there or not."""

    urn: str
    type: str
    name: str  # logical
    inputs: dict[str, object] = {}  # as the program gave them, tags among them; secrets are "[secret]"
    begun_at: datetime  # when the state was last written: the create was asked for no later
    known: tuple[str, ...] = ()  # ids of this type that the state has: of what it replaces, of its likes

    @property
    def tags(self) -> Mapping[str, str]:
        """Tags or labels that the program gave it."""
        for name in ("tags", "labels"):
            given = self.inputs.get(name)
            if isinstance(given, Mapping):
                return {str(key): str(value) for key, value in given.items()}
        return {}


class Locked(Conflict):
    """Another update holds the stack, or died holding it; `lock` says whose, None where nobody can."""

    def __init__(self, stack: str, lock: Lock | None) -> None:
        who = str(lock) if lock else "an unknown lock"
        super().__init__(f"the stack {stack} is locked: {who}", "wait, or see whether that update is alive")
        self.lock = lock


class Interrupted(Conflict):
    """An update was cut off in mid-create: doing another would create twice. Settle it by `refresh`."""

    def __init__(self, stack: str, pending: tuple[PendingCreate, ...]) -> None:
        names = ", ".join(create.name for create in pending)
        super().__init__(
            f"an update of the stack {stack} was cut off while it made {names}",
            "look whether they are there, then refresh",
        )
        self.pending = pending


class LockUnknown(Conflict):
    """The backend of the state does not tell who holds a stack unless one writes to it."""


class Deviates(Refused):
    """The update would do something else than what was approved, or than this step may do."""


class UpdateFailed(RelightError):
    """The engine or a provider refused; `what` has their errors, without secrets."""


class Stacks(Protocol):
    """The stacks of one project. Every method may raise Unreachable (the state's backend or a cloud)."""

    def preview(self, stack: str, targets: tuple[str, ...] = ()) -> Preview:
        """What `up` would do now; changes nothing, but a stack that never was is made, empty.

        `targets` are URNs: of nothing else anything is changed. Raise UpdateFailed, and Interrupted where a
        create is pending, since nobody knows then what is there.
        """

    def up(
        self,
        stack: str,
        targets: tuple[str, ...] = (),
        expect_digest: str | None = None,
        on_progress: OnProgress | None = None,
        approved: tuple[Approved, ...] = (),
    ) -> Update:
        """Make the stack as the program has it. After it returns every change is done and in the state.

        With `expect_digest` a preview is made first, and Deviates raised if its digest is another and its
        changes are not what is left of `approved` after an update that was cut off. Raise Interrupted,
        having changed nothing, where a create is pending; Locked; UpdateFailed (what was done before the
        failure is in the state).
        """

    def refresh(
        self, stack: str, adopt: Mapping[str, str] | None = None, on_progress: OnProgress | None = None
    ) -> Update:
        """Read every resource from the cloud into the state, and settle pending creates.

        Those named in `adopt` (URN to provider's id) become resources of the stack, all others are
        forgotten: afterwards nothing is pending. Changes nothing in the cloud. Raise Locked, UpdateFailed.
        """

    def drift(self, stack: str) -> Drift:
        """Where the cloud differs from the state; changes neither.

        Raise NotFound where nothing was ever brought up, UpdateFailed where nothing can be read.
        """

    def outputs(self, stack: str) -> Mapping[str, object]:
        """What the program exported, JSON-like; secrets are "[secret]". Raise NotFound."""

    def lock(self, stack: str) -> Lock | None:
        """Who holds the stack now; None: nobody. Reads only. Raise NotFound.

        Raise LockUnknown where the state's backend cannot be asked that without writing to it.
        """

    def cancel(self, stack: str, lock: str) -> None:
        """Take this very lock away; nothing if the stack is free. Raise Conflict if another lock is there.

        Raise Locked if its update lives on this machine; of another machine's somebody has made sure that
        it is dead: a living one would go on beside the next.
        """


class Finder(Protocol):
    """Looks in a cloud for what an update may have created before it died."""

    def find(self, sought: PendingCreate) -> str | None:
        """The provider's id of the resource with this client token, or these tags; None: there is none.

        Never one of `sought.known`: what a resource replaces has the same tags and is still there. Raise
        Unreachable, Conflict if several fit, RelightError if this type cannot be looked up.
        """


class Intents(Protocol):
    """What was decided for each site, kept in the witness with the fence's epoch."""

    def intent(self, site: str) -> Intent | None:
        """What was last decided; None: nothing yet, the quiet sizes hold. Raise Unreachable."""

    def decide(
        self,
        site: str,
        *,
        pools: Mapping[str, Mapping[str, int]],
        active: bool,
        epoch: int,
        by: str,
        at: datetime,
        quiet: bool = False,
    ) -> Intent:
        """Merge `pools` (pool to {rung: nodes}) into the intent and return what holds now.

        `quiet`: these have the estate's quiet size, and follow it from now on, whatever that becomes.
        Where that changes nothing, nothing is written. Raise Unreachable, and Conflict if what is there was
        decided in a higher epoch.
        """


class PoolSizes(Protocol):
    """Sizes of a site's pools, asked of the cloud itself. Every method may raise Unreachable.

    They answer within 2 s, and raise NotFound for a pool or rung that the cloud does not have.
    """

    def sizes(self, pool: str) -> Mapping[str, int]:
        """Nodes that each rung is asked to have."""

    def ready(self, pool: str) -> Mapping[str, int]:
        """Nodes of each rung that are up."""

    def resize(self, pool: str, rung: str, nodes: int) -> None:
        """Ask for this many nodes; returns once the cloud has taken it, not once they are up.

        Idempotent. Raise Refused where the cloud will not (a quota, a maximum), saying so.
        """


class Free(Frozen):
    """What a cloud says of a rung's capacity."""

    nodes: int | None  # None: nobody can know
    reason: str = ""  # why not, or what the number rests on


class Capacity(Protocol):
    """Room for nodes, as far as a cloud tells; a dry-run launch tests permission, never capacity."""

    def free(self, pool: str, rung: str) -> Free:
        """Nodes that the rung would surely get now. Raise Unreachable, NotFound."""


@dataclass(frozen=True)
class Cloud:
    """What a cloud's own API is asked for one stack; sizes and capacity only where it has pools."""

    finder: Finder
    sizes: PoolSizes | None = None
    capacity: Capacity | None = None


@dataclass(frozen=True)
class Engine:
    """What an update's process is given of its surroundings.

    `environment` is plain (PULUMI_BACKEND_URL, AWS_REGION); `secrets` are resolved when the process starts
    (PULUMI_CONFIG_PASSPHRASE, credentials) and blanked in all that it writes, as is what is behind `read`.
    """

    environment: Mapping[str, str]
    secrets: Mapping[str, SecretRef]
    secrets_provider: str | None = None  # for a stack that is made anew: "awskms://…"; None: the passphrase
    read: tuple[SecretRef, ...] = ()  # files that the program reads by itself, as "file:key.json"
