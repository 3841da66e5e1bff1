"""Proof that the old side can no longer write: the epoch in the witness.

The witness holds one `Authority` per workload: the epoch, and the site that may write in it. Raising the
epoch is a conditional write, so of two who try one wins. A sealed point carries its epoch; a point of an old
epoch that was sealed after the fence is in nobody's lineage.
"""

from relight.fence.port import Witness
from relight.fence.steps import (
    ConfirmVerdict,
    DeclareAuthority,
    DeclaredAuthority,
    RaisedEpoch,
    RaiseEpoch,
    VerdictSeen,
)

__all__ = [
    "ConfirmVerdict",
    "DeclareAuthority",
    "DeclaredAuthority",
    "RaiseEpoch",
    "RaisedEpoch",
    "VerdictSeen",
    "Witness",
]
