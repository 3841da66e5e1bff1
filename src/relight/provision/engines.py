"""What the engine's process is given for a stack: where its state is, and what speaks to clouds. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from relight.errors import UsageError
from relight.estate import (
    GLOBAL,
    CloudSite,
    ClusterSite,
    Estate,
    GcsStore,
    GoogleSite,
    MetalSite,
    SecretRef,
)
from relight.provision.port import Engine

_PLAIN = (
    "AWS_CA_BUNDLE", "AWS_CONFIG_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_DEFAULT_REGION",
    "AWS_EC2_METADATA_DISABLED", "AWS_PROFILE", "AWS_REGION", "AWS_ROLE_ARN", "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE", "AZURE_STORAGE_ACCOUNT", "CLOUDSDK_CONFIG",
    "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT", "HOME", "HTTPS_PROXY", "HTTP_PROXY",
    "KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "LANG", "NO_PROXY",
    "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "PULUMI_HOME",
    "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "USER",
)  # fmt: skip
"""Of the controller's environment, what clouds and the engine read."""

_SECRET = (
    "AWS_ACCESS_KEY_ID", "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "AZURE_STORAGE_KEY", "AZURE_STORAGE_SAS_TOKEN", "GOOGLE_CREDENTIALS", "GOOGLE_OAUTH_ACCESS_TOKEN",
    "PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE", "VAULT_TOKEN",
)  # fmt: skip
"""Likewise, and blanked in all that the process writes."""


_PHRASE_IN_FILE = "PULUMI_CONFIG_PASSPHRASE_FILE"


def engine_of(estate: Estate, stack: str, environ: Mapping[str, str]) -> Engine:
    """What an update of a stack is given; `environ` is the controller's environment.

    Nothing else of that reaches the engine. Raise UsageError where the estate has no stacks.
    """
    stacks = estate.stacks
    if stacks is None:
        raise UsageError(f"the estate has no stacks, so no {stack}", "add stacks: {backend: …, owner: …}")
    secrets: dict[str, SecretRef] = {name: f"env:{name}" for name in _SECRET if environ.get(name)}
    read = [*dict.fromkeys(_read_by_the_program(estate))]
    if environ.get(_PHRASE_IN_FILE):
        read.append(f"file:{environ[_PHRASE_IN_FILE]}")
    for reference in read:
        kind, _, name = reference.partition(":")
        if kind == "env" and name in environ:  # what lacks is told by the program, by name
            secrets[name] = reference
    if stacks.passphrase is not None:
        secrets["PULUMI_CONFIG_PASSPHRASE"] = stacks.passphrase
    return Engine(
        environment={
            **{name: environ[name] for name in _PLAIN if environ.get(name)},
            "PULUMI_BACKEND_URL": stacks.backend,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        },
        secrets=secrets,
        secrets_provider=stacks.secrets_provider,
        read=tuple(reference for reference in read if reference.startswith("file:")),
    )


def stack_names(estate: Estate) -> tuple[str, ...]:
    """Every stack of an estate: the global one, one per site that has any, one per link."""
    stacks = estate.stacks
    has_global = bool(stacks and stacks.outside)
    sites = [
        name
        for name, site in estate.sites.items()
        if isinstance(site, CloudSite) or (site.kind == "metal" and site.cloud is not None)
    ]
    return (*([GLOBAL] if has_global else []), *sites, *estate.links)


def cloud_of(estate: Estate, stack: str) -> str:
    """The cloud that a stack stands in: "aws", "gcp" or "kubernetes".

    A link stands in two: what is looked up of it is looked up on its first end's side that is a cloud. Raise
    UsageError where the stack stands in none.
    """
    site = estate.sites.get(stack)
    if isinstance(site, CloudSite):
        return site.kind
    if isinstance(site, MetalSite) and site.cloud is not None:
        return site.cloud.kind
    if stack == GLOBAL and estate.stacks is not None and estate.stacks.outside is not None:
        return estate.stacks.outside.kind
    link = estate.links.get(stack)
    for end in link.between if link else ():
        if isinstance(estate.sites.get(end), CloudSite):
            return cloud_of(estate, end)
    raise UsageError(f"{stack} stands in no cloud that could be asked", "name a stack of the estate")


def _read_by_the_program(estate: Estate) -> Iterator[SecretRef]:
    """References that the stack's program resolves: the witness's, the clusters', the links'."""
    witness = estate.stores.get(estate.witness.store)
    declared: list[SecretRef | None] = []
    if isinstance(witness, GcsStore):
        declared.append(witness.key_file)
    elif witness is not None:
        declared += [witness.access_key, witness.secret_key]
    for site in estate.sites.values():
        if isinstance(site, GoogleSite):
            declared.append(site.credentials.key_file)
        if isinstance(site, ClusterSite):
            declared.append(site.credentials.kubeconfig)
    declared += [link.preshared_key for link in estate.links.values()]
    yield from (reference for reference in declared if reference)
