"""Quantities as people write them, parsed once at the edge.

`Duration` is a `timedelta` written "90s", "1h30m" or "250ms" and never negative; `ByteSize` is an `int`
of bytes written "16MiB" or "1.5GB"; `Rate` is an `int` of bytes per second written "500MB/s". All three are
pydantic types that serialise to the text they parse. GPU-hours are what a site loses: GPUs times time.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_DURATION_UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}  # in milliseconds
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|d|h|m|s)")
_DURATION = re.compile(rf"(?:{_DURATION_PART.pattern})+")
_LONGEST_MS = 3650 * _DURATION_UNITS["d"]  # ten years: beyond it there is a slip of the hand

_BYTE_UNITS = {"B": 1}
_BYTE_UNITS |= {f"{p}B": 1000**n for n, p in enumerate(("k", "M", "G", "T", "P"), 1)}
_BYTE_UNITS |= {f"{p}iB": 1024**n for n, p in enumerate(("K", "M", "G", "T", "P"), 1)}
_BYTES = re.compile(r"(\d+(?:\.\d+)?)\s?([kKMGTP]i?B|B)")


def parse_duration(text: object) -> timedelta:
    """Read "90s", "1h30m" or "2d"; a bare 0 needs no unit. Raise ValueError with what to write instead."""
    if isinstance(text, timedelta):
        if text < timedelta(0):
            raise ValueError("a duration cannot be negative")
        return text
    if text in (0, "0"):
        return timedelta(0)
    if not isinstance(text, str) or len(text) > 40 or not _DURATION.fullmatch(text):
        raise ValueError(f'not a duration: {_shown(text)}; write "30s", "15m", "4h", "1h30m" or "2d"')
    parts = _DURATION_PART.findall(text)
    units = [unit for _, unit in parts]
    order = list(_DURATION_UNITS)
    if sorted(set(units), key=order.index) != units:
        raise ValueError(f"not a duration: {_shown(text)}; write each unit once, the largest first")
    milliseconds = sum(float(number) * _DURATION_UNITS[unit] for number, unit in parts)
    if milliseconds > _LONGEST_MS:
        raise ValueError(f"{_shown(text)} is longer than ten years")
    return timedelta(milliseconds=round(milliseconds))


def format_duration(value: timedelta) -> str:
    """Write a duration the way `parse_duration` reads it, to the millisecond: "1h30m", "2.5s", "0s"."""
    milliseconds = round(value / timedelta(milliseconds=1))
    sign, milliseconds = ("-", -milliseconds) if milliseconds < 0 else ("", milliseconds)
    parts = []
    for unit in ("d", "h", "m"):
        count, milliseconds = divmod(milliseconds, _DURATION_UNITS[unit])
        parts += [f"{count}{unit}"] if count else []
    if milliseconds or not parts:
        seconds, rest = divmod(milliseconds, 1000)
        parts.append(f"{seconds}.{rest:03}".rstrip("0") + "s" if rest else f"{seconds}s")
    return sign + "".join(parts)


def parse_bytes(text: object) -> int:
    """Read "16MiB", "1.5GB" or a whole number of bytes. Raise ValueError with what to write instead."""
    if isinstance(text, int) and not isinstance(text, bool) and text >= 0:
        return text
    match = _BYTES.fullmatch(text) if isinstance(text, str) and len(text) <= 40 else None
    if not match:
        raise ValueError(f'not a size: {_shown(text)}; write "16MiB", "1.5GB" or a number of bytes')
    unit = match[2] if match[2] != "KB" else "kB"
    if unit not in _BYTE_UNITS:
        raise ValueError(f'not a size: {_shown(text)}; write "16MiB", "1.5GB" or a number of bytes')
    return round(float(match[1]) * _BYTE_UNITS[unit])


def format_bytes(value: int) -> str:
    """Write a size the way `parse_bytes` reads it, exactly where that is short, else to three digits."""
    for unit in ("PiB", "TiB", "GiB", "MiB", "KiB"):
        if value >= _BYTE_UNITS[unit]:
            return (
                f"{value / _BYTE_UNITS[unit]:.3g}{unit}"
                if value % _BYTE_UNITS[unit]
                else (f"{value // _BYTE_UNITS[unit]}{unit}")
            )
    return f"{value}B"


def parse_rate(text: object) -> int:
    """Read "500MB/s" as bytes per second; network people's "10Gbit/s" too."""
    if isinstance(text, int) and not isinstance(text, bool) and text > 0:
        return text
    if isinstance(text, str) and text.endswith("bit/s"):
        bits = parse_bytes(text.removesuffix("bit/s") + "B")
        if bits >= 8:
            return bits // 8
    elif isinstance(text, str) and text.endswith("/s"):
        rate = parse_bytes(text.removesuffix("/s"))
        if rate:
            return rate
    raise ValueError(f'not a rate: {_shown(text)}; write "500MB/s" or "10Gbit/s"')


def gpu_hours(gpus: int, time: timedelta) -> float:
    """GPU-hours that `gpus` GPUs spend in `time`."""
    return gpus * (time / timedelta(hours=1))


def _shown(text: object) -> str:
    shown = repr(text)
    return shown if len(shown) <= 60 else shown[:57] + "..."


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "pattern": rf"^(0|{_DURATION.pattern})$"}, {"const": 0}],
            "examples": ["30s", "4h"],
        }
    ),
]
ByteSize = Annotated[
    int,
    BeforeValidator(parse_bytes),
    WithJsonSchema({"type": ["string", "integer"], "examples": ["16MiB", "1.5GB"]}),
]
Rate = Annotated[
    int,
    BeforeValidator(parse_rate),
    WithJsonSchema({"type": ["string", "integer"], "examples": ["500MB/s", "10Gbit/s"]}),
]
