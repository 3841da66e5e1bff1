"""Small sites on loopback, made of real processes, for the demo, for stories and to play with.

Two sites, north and south, and outside both of them a witness, three observers and a client that asks all the
time. A site has an object store (moto), a name server that takes signed dynamic updates, an agent that starts
workloads, and a replicator; north trains a small real model and serves it. All processes of a site share one
process group, so that a site dies the way sites die: all of it at once.

Every process of the sandbox passes this door on its way to its own module, and many start at once: what the
door names is therefore imported when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from relight.sandbox.client_log import ClientLog
    from relight.sandbox.sandbox import Sandbox

__all__ = ["ClientLog", "Sandbox"]


def __getattr__(name: str) -> Any:
    if name == "Sandbox":
        from relight.sandbox.sandbox import Sandbox  # noqa: PLC0415 - see above

        return Sandbox
    if name == "ClientLog":
        from relight.sandbox.client_log import ClientLog  # noqa: PLC0415 - see above

        return ClientLog
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
