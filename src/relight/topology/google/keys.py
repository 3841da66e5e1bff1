"""Keys: each in the location of what it encrypts, so that no site waits for another site's key service."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from relight.estate import fit_name
from relight.topology.frame import Frame
from relight.topology.google.places import RESOURCE_NAME

_ROTATION_SECONDS = 90 * 86_400
_DESTROY_SECONDS = 30 * 86_400  # how long a version that is to be destroyed can still be brought back

AGENTS = {
    "compute": "service-{number}@compute-system.iam.gserviceaccount.com",
    "container": "service-{number}@container-engine-robot.iam.gserviceaccount.com",
    "file": "service-{number}@cloud-filer.iam.gserviceaccount.com",
    "lustre": "service-{number}@gcp-sa-lustre.iam.gserviceaccount.com",
    "storage": "service-{number}@gs-project-accounts.iam.gserviceaccount.com",
}
"""Whom a service uses keys as; the account is there once its API is on (Google "Service agents")."""


@dataclass(frozen=True)
class KeyArgs:
    """One key: what it is called, where it stands, what is lost with it, and which services use it."""

    frame: Frame
    project: str
    location: str  # a region, or a multi-region of Cloud KMS: "us", "nam4"
    agents: tuple[str, ...]
    what: str = ""


class Key(pulumi.ComponentResource):
    """A key ring with one symmetric key, rotated every 90 days, and the right of services to use it.

    Key rings cannot be deleted at all, and a key that is destroyed takes all data with it: both are
    protected.

    Billed while asleep: each active key version, by the month, and operations.
    """

    def __init__(self, name: str, args: KeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:google:Key", name, None, opts)
        kept = pulumi.ResourceOptions(parent=self, protect=True)
        called = fit_name(args.frame.name(args.what), RESOURCE_NAME)
        ring = gcp.kms.KeyRing(name, name=called, location=args.location, opts=kept)
        key = gcp.kms.CryptoKey(
            name,
            name=called,
            key_ring=ring.id,
            purpose="ENCRYPT_DECRYPT",
            rotation_period=f"{_ROTATION_SECONDS}s",
            destroy_scheduled_duration=f"{_DESTROY_SECONDS}s",
            labels=args.frame.labels("data"),
            opts=kept,
        )
        rights = self._let_use(key.id, args)
        # What takes the id of the key waits until its service may use it.
        self.id = pulumi.Output.all(key.id, *(right.id for right in rights)).apply(lambda ids: str(ids[0]))
        self.register_outputs({"key": self.id})

    def _let_use(self, key: pulumi.Input[str], args: KeyArgs) -> list[pulumi.CustomResource]:
        within = pulumi.InvokeOptions(parent=self)
        project = gcp.organizations.get_project_output(project_id=args.project, opts=within)
        return [
            gcp.kms.CryptoKeyIAMMember(
                f"{args.what or 'site'}-{agent}",
                crypto_key_id=key,
                role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
                member=project.number.apply(
                    lambda number, agent=agent: f"serviceAccount:{AGENTS[agent].format(number=number)}"
                ),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for agent in args.agents
        ]
