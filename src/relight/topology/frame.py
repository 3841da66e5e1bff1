"""What every component is given: whose it is, which stack it stands in, and how large its pools are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from relight.errors import UsageError
from relight.estate import Estate

Sizes = Mapping[str, Mapping[str, int]]
"""Nodes that each pool of a site should have now: by pool, then by rung."""


def _refuse(reference: str) -> str:
    raise UsageError(f"{reference} is a secret, and nothing here may read it", "run the stack's program")


@dataclass(frozen=True)
class Frame:
    """The estate that a stack belongs to, and the stack."""

    estate: Estate
    stack: str  # a site, "global", or a link
    resolve: Callable[[str], str] = _refuse  # the value behind a reference to a secret

    def name(self, what: str = "") -> str:
        """A name in the cloud that says whose it is: "{estate}-{stack}-{what}"."""
        return "-".join(part for part in (self.estate.name, self.stack, what) if part)

    def tags(self, data_class: str, name: str = "") -> dict[str, str]:
        """Tags of an AWS resource: whose it is, where it stands, whom to call, what it holds.

        `data_class` is what is lost with it: "data", "state", "network", "compute", "identity", "traffic".
        """
        return {
            **({"Name": name} if name else {}),
            **{f"relight:{key}": value for key, value in self._said(data_class).items()},
        }

    def labels(self, data_class: str) -> dict[str, str]:
        """The same as labels of Google Cloud: keys and values in lower case, without ":", "@" and "."."""
        return {f"relight-{key}": _as_label(value) for key, value in self._said(data_class).items()}

    def cluster_labels(self, data_class: str) -> dict[str, str]:
        """The same as labels of Kubernetes objects."""
        said = self._said(data_class)
        return {"app.kubernetes.io/managed-by": "relight"} | {
            f"relight.dev/{key}": _as_label(value) for key, value in said.items()
        }

    def _said(self, data_class: str) -> dict[str, str]:
        owner = self.estate.stacks.owner if self.estate.stacks else "nobody"
        return {"estate": self.estate.name, "site": self.stack, "owner": owner, "class": data_class}


@dataclass(frozen=True)
class SiteArgs:
    """What the component of a site is made of; the site is `frame.estate.sites[frame.stack]`."""

    frame: Frame
    sizes: Sizes
    active: bool = False  # whether the site is to work now: the intent says so, else the topology
    authority: Mapping[str, str] = field(default_factory=dict)
    """The one site that may write, by workload, as the witness has it; else where it runs quietly."""

    def writes_here(self, workload: str) -> bool:
        """Whether this site, and no other, is to run a workload that only one may run."""
        declared = self.frame.estate.workloads[workload].runs_on
        return self.active and self.authority.get(workload, declared) == self.frame.stack


def _as_label(value: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in value.lower())[:63].strip("-_")
