"""Where recovery points live: sealed whole or not at all, fenced by epoch, brought back verified.

`Vault` speaks for one store. A point's members are written first, then its manifest, and last the store's
head of the workload is moved by a conditional write: only then does the point exist. The head carries the
epoch, so raising the epoch in the head makes every later seal of the old epoch fail.
"""

from relight.vault.manifest import Manifest, Member
from relight.vault.port import Vault
from relight.vault.steps import CopiedPoint, CopyPoint, FencedStore, FenceStore, Rehydrate, RestoredPoint

__all__ = [
    "CopiedPoint",
    "CopyPoint",
    "FenceStore",
    "FencedStore",
    "Manifest",
    "Member",
    "Rehydrate",
    "RestoredPoint",
    "Vault",
]
