"""Whether a restored member loads, as far as that can be told without the framework that wrote it."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import Any

_LARGEST_HEADER_BYTES = 100_000_000  # what the safetensors library itself accepts
_LARGEST_JSON_BYTES = 64 * 2**20
_BITS = {"BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8}
_BITS |= {"F8_E5M2FNUZ": 8, "U16": 16, "I16": 16, "F16": 16, "BF16": 16, "U32": 32, "I32": 32, "F32": 32}
_BITS |= {"U64": 64, "I64": 64, "F64": 64, "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6}


def why_not_loadable(path: Path) -> str | None:
    """Why a file does not load, by its suffix; None if it does, or if its kind is not known here.

    Of safetensors only the header is read (https://github.com/huggingface/safetensors, "Format"): the
    tensors must cover the file without holes. Raise OSError.
    """
    if path.suffix == ".safetensors":
        return _why_not_tensors(path)
    if path.suffix == ".json" and path.stat().st_size <= _LARGEST_JSON_BYTES:
        try:
            json.loads(path.read_bytes())
        except (ValueError, RecursionError):
            return "it is not JSON"
    return None


def _why_not_tensors(path: Path) -> str | None:
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, _LARGEST_HEADER_BYTES):
            return "its header is longer than the file"
        try:
            header = json.loads(file.read(length))
        except (ValueError, RecursionError):
            return "its header is not JSON"
    if not isinstance(header, dict):
        return "its header is no table of tensors"
    try:
        spans = sorted(_span(tensor) for name, tensor in header.items() if name != "__metadata__")
    except (KeyError, TypeError, ValueError):
        return "its header describes a tensor that cannot be"
    end = 0
    for start, stop in spans:
        if start != end:
            return "its tensors do not lie one after the other"
        end = stop
    return None if end == size - 8 - length else "its tensors do not cover the file"


def _span(tensor: Any) -> tuple[int, int]:
    start, stop = tensor["data_offsets"]
    bits = _BITS.get(tensor["dtype"])
    if not (isinstance(start, int) and isinstance(stop, int) and 0 <= start <= stop):
        raise ValueError
    # A type that came after this was written is believed.
    if bits is not None and prod(tensor["shape"]) * bits != (stop - start) * 8:
        raise ValueError
    return start, stop
