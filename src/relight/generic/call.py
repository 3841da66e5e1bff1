"""Calls one function of the project, in a process of its own: the inside of the kind `python`.

Run as `python -P -m relight.generic.call MODULE:FUNCTION` in the project's root, which is put in front of the
module path; the arguments are a JSON object of texts in the environment. An exception ends it with its
traceback and status 1; what the function returns is not looked at.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module

ARGUMENTS = "RELIGHT_ARGUMENTS"


def main(place: str) -> None:
    """Import and call."""
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 (a module path is text)
    module, _, function = place.partition(":")
    getattr(import_module(module), function)(**json.loads(os.environ.pop(ARGUMENTS, "{}")))


if __name__ == "__main__":
    main(sys.argv[1])
