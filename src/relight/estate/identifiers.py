"""Names inside an estate: short, lower case, safe in file names, DNS labels, tags and metric labels."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
