"""An example's project, as `relight init` writes it, with stand-ins of the clouds' providers."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from relight.cli.init import write_project
from relight.control import Project
from rig.stores import ACCESS, BUCKET, SECRET

PASSPHRASE = "correct-horse-battery"
_CLOUDS = Path(__file__).parent / "clouds"
_PROVIDERS = "".join(f"    - {{name: {name}, path: {_CLOUDS}}}\n" for name in ("aws", "gcp", "kubernetes"))


class ShippedProject:
    """The project of an example in `folder`, whose witness is the bucket at `endpoint`."""

    def __init__(self, folder: Path, example: str, endpoint: str) -> None:
        self.root = folder / "project"
        self.state = folder / "state"
        self.cloud_file = folder / "cloud.json"
        for each in (self.root, self.state, folder / "home"):
            each.mkdir(parents=True)
        write_project(self.root, example)
        declared = self.root / "Pulumi.yaml"
        declared.write_text(f"{declared.read_text('utf-8')}\nplugins:\n  providers:\n{_PROVIDERS}", "utf-8")
        self._endpoint = endpoint
        self.change_estate(self._bring_home)
        self.environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "WITNESS_ACCESS": ACCESS,
            "WITNESS_SECRET": SECRET,
        }

    @property
    def found(self) -> Project:
        """The project, as commands find it."""
        return Project.find(self.root)

    def change_estate(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Write the estate again as `change` leaves it."""
        path = self.root / "estate.yaml"
        declared = yaml.safe_load(path.read_bytes())
        change(declared)
        path.write_text(json.dumps(declared), "utf-8")

    def _bring_home(self, declared: dict[str, Any]) -> None:
        declared["stacks"].pop("secrets_provider", None)
        declared["stacks"] |= {
            "backend": f"file://{self.state}",
            "passphrase": "env:PULUMI_CONFIG_PASSPHRASE",
        }
        # The witness as if it had been there before: no stack makes its bucket.
        keys = {"access_key": "env:WITNESS_ACCESS", "secret_key": "env:WITNESS_SECRET"}
        here = {"kind": "s3", "bucket": BUCKET, "endpoint": self._endpoint, **keys}
        declared["stores"][declared["witness"]["store"]] = here

    def cloud(self) -> dict[str, Any]:
        """What exists, by the provider's id."""
        content: dict[str, Any] = json.loads(self.cloud_file.read_bytes())["resources"]
        return content
