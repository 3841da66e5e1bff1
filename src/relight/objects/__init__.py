"""Bytes under keys, with conditional writes: the ground that vault, fence and journal heads stand on.

One port, `ObjectStore`, and one adapter over obstore, which speaks S3 and keeps a memory store too; the
memory store is the fake that tests and dry runs use, and passes the same contract suite.
"""

from relight.objects.port import ABSENT, ANY, Condition, Object, ObjectStore, Version
from relight.objects.trial import prove_right_to_move, prove_writes

__all__ = [
    "ABSENT",
    "ANY",
    "Condition",
    "Object",
    "ObjectStore",
    "Version",
    "prove_right_to_move",
    "prove_writes",
]
