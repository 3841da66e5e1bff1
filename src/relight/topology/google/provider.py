"""How Pulumi speaks to a project: with the declared identity, and no other project by accident."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from relight.estate import GoogleProject, GoogleSite
from relight.topology.frame import Frame


def provider(
    frame: Frame,
    account: GoogleSite | GoogleProject,
    opts: pulumi.ResourceOptions | None = None,
    name: str = "gcp",
) -> gcp.Provider:
    """The provider of a stack, explicit. A key file's content is a secret in the state, too."""
    credentials = account.credentials
    key = credentials.key_file
    return gcp.Provider(
        name,
        project=account.project,
        region=account.region,
        credentials=pulumi.Output.secret(frame.resolve(key)) if key else None,
        impersonate_service_account=credentials.impersonate,
        add_pulumi_attribution_label=False,  # it would show as drift on what is adopted
        opts=opts,
    )
