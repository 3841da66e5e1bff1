"""What is declared: sites, workloads, what each may lose and how soon it must be back.

The estate is loaded whole, validated whole and frozen. `load_estate` reads `estate.yaml` and raises
`InvalidFile` with every fault at its line and column; `check_estate` then asks the questions that span
sections and returns what it found.
"""

from relight.estate.approvals import Approvals
from relight.estate.checks import Check, check_estate
from relight.estate.documents import Places
from relight.estate.loader import load_estate, load_with_places
from relight.estate.model import Estate, Person
from relight.estate.names import DnsName, NameServer, TsigKey
from relight.estate.observers import Observer
from relight.estate.schema import estate_schema
from relight.estate.secrets import SecretRef, Secrets
from relight.estate.sites import Capability, SandboxSite, Site
from relight.estate.ssh import Ssh, expand_nodes
from relight.estate.stores import S3Store, Store, Witness
from relight.estate.topologies import ActivePassive, Topology
from relight.estate.workloads import Objective, Workload

__all__ = [
    "ActivePassive",
    "Approvals",
    "Capability",
    "Check",
    "DnsName",
    "Estate",
    "NameServer",
    "Objective",
    "Observer",
    "Person",
    "Places",
    "S3Store",
    "SandboxSite",
    "SecretRef",
    "Secrets",
    "Site",
    "Ssh",
    "Store",
    "Topology",
    "TsigKey",
    "Witness",
    "Workload",
    "check_estate",
    "estate_schema",
    "expand_nodes",
    "load_estate",
    "load_with_places",
]
