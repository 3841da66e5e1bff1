"""Names as the components give them, where a cloud allows fewer characters than an estate does."""

from __future__ import annotations

from hashlib import blake2b

EKS_NODE_GROUP = 63  # the most characters of a managed node group's name (EKS API)


def fit(name: str, most: int) -> str:
    """The name, or where it is longer than `most` characters its start and a digest of all of it.

    As `relight.topology` does it; a test holds the two together.
    """
    if len(name) <= most:
        return name
    digest = blake2b(name.encode(), digest_size=4).hexdigest()
    return f"{name[: most - 9].rstrip('-')}-{digest}"
