"""What is declared: sites, workloads, what each may lose and how soon it must be back.

The estate is loaded whole, validated whole and frozen. `load_estate` reads `estate.yaml` and raises
`InvalidFile` with every fault at its line and column; `check_estate` then asks the questions that span
sections and returns what it found.
"""

from relight.estate.adopted import AwsAdopted, ClusterAdopted, GoogleAdopted
from relight.estate.approvals import Approvals
from relight.estate.caches import AwsCache, Filestore, ManagedLustre
from relight.estate.checks import Check, check_estate, check_provisioning
from relight.estate.clouds import AwsAccount, AwsCredentials, CloudAccount, GoogleCredentials, GoogleProject
from relight.estate.documents import Places
from relight.estate.fitting import fit_pool
from relight.estate.hardware import MACHINES, Machine, machine_of
from relight.estate.identifiers import fit_name
from relight.estate.links import Link
from relight.estate.loader import Reading, load_estate, load_with_places, read_estate
from relight.estate.model import Estate, Person
from relight.estate.names import DnsName, NameServer, TsigKey
from relight.estate.naming import CLUSTER_NAME, GROUP_NAME
from relight.estate.observers import Observer
from relight.estate.placement import GLOBAL
from relight.estate.pools import CloudPool, ClusterPool, Pool, Rung
from relight.estate.promises import check_bookings
from relight.estate.regions import CONTROL_PLANE_REGION
from relight.estate.schema import estate_schema
from relight.estate.secrets import SecretRef, Secrets, parts_of, redact
from relight.estate.sites import (
    AwsSite,
    Capability,
    CloudSite,
    ClusterCredentials,
    ClusterSite,
    Gateway,
    GoogleSite,
    MetalSite,
    OwnNodes,
    SandboxSite,
    Site,
)
from relight.estate.ssh import Ssh, expand_nodes
from relight.estate.stacks import Stacks
from relight.estate.stores import GcsStore, Managed, S3Store, Store, Witness
from relight.estate.topologies import ActiveActive, ActivePassive, CloudBurst, PilotLight, Topology
from relight.estate.traffic import HealthCheck, Traffic, TrafficRecord, ttl_of
from relight.estate.workloads import Container, Objective, Workload

__all__ = [
    "CLUSTER_NAME",
    "CONTROL_PLANE_REGION",
    "GLOBAL",
    "GROUP_NAME",
    "MACHINES",
    "ActiveActive",
    "ActivePassive",
    "Approvals",
    "AwsAccount",
    "AwsAdopted",
    "AwsCache",
    "AwsCredentials",
    "AwsSite",
    "Capability",
    "Check",
    "CloudAccount",
    "CloudBurst",
    "CloudPool",
    "CloudSite",
    "ClusterAdopted",
    "ClusterCredentials",
    "ClusterPool",
    "ClusterSite",
    "Container",
    "DnsName",
    "Estate",
    "Filestore",
    "Gateway",
    "GcsStore",
    "GoogleAdopted",
    "GoogleCredentials",
    "GoogleProject",
    "GoogleSite",
    "HealthCheck",
    "Link",
    "Machine",
    "Managed",
    "ManagedLustre",
    "MetalSite",
    "NameServer",
    "Objective",
    "Observer",
    "OwnNodes",
    "Person",
    "PilotLight",
    "Places",
    "Pool",
    "Reading",
    "Rung",
    "S3Store",
    "SandboxSite",
    "SecretRef",
    "Secrets",
    "Site",
    "Ssh",
    "Stacks",
    "Store",
    "Topology",
    "Traffic",
    "TrafficRecord",
    "TsigKey",
    "Witness",
    "Workload",
    "check_bookings",
    "check_estate",
    "check_provisioning",
    "estate_schema",
    "expand_nodes",
    "fit_name",
    "fit_pool",
    "load_estate",
    "load_with_places",
    "machine_of",
    "parts_of",
    "read_estate",
    "redact",
    "ttl_of",
]
