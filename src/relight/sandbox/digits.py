"""The handwritten digits that scikit-learn ships: 1,797 images of 8 by 8 pixels, and what they show."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relight.errors import RelightError

TRAINED_ON = 1500  # the rest is for asking the model about


@dataclass(frozen=True)
class Digits:
    """Images as rows of 64 values from 0 to 1, and the digit that each shows."""

    images: NDArray[np.float32]
    labels: NDArray[np.int64]


def unpack_digits(path: Path) -> None:
    """Write the digits where every process of the sandbox reads them.

    Read from scikit-learn's folder, because importing it takes longer than starting a site.
    """
    found = find_spec("sklearn")
    places = list(found.submodule_search_locations or ()) if found else []
    source = Path(*places[:1]) / "datasets" / "data" / "digits.csv.gz"
    try:
        with gzip.open(source) as table:
            rows = np.loadtxt(table, delimiter=",", dtype=np.float32)
    except OSError as error:
        raise RelightError(
            f"the handwritten digits of scikit-learn are not there: {error}", "install relight[demo]"
        ) from None
    np.savez(path, images=rows[:, :64] / np.float32(16), labels=rows[:, 64].astype(np.int64))


def load_digits(path: Path) -> Digits:
    """Read what `unpack_digits` wrote."""
    with np.load(path) as arrays:
        return Digits(arrays["images"], arrays["labels"])
