"""The JSON Schema of an estate file, for editors that complete and check while one writes."""

from __future__ import annotations

from typing import Any

from relight.estate.model import Estate

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SPELT = {
    "Dns": "DNS",
    "Gpus": "GPUs",
    "Rpo": "RPO",
    "Rto": "RTO",
    "Ttl": "TTL",
    "Url": "URL",
    "S3Store": "S3 store",
    "Asn": "ASN",
    "AwsAccount": "AWS account",
    "AwsSite": "AWS site",
    "Cidr": "CIDR",
    "GcsStore": "Cloud Storage store",
    "Gib": "GiB",
    "GoogleProject": "Google Cloud project",
    "GoogleSite": "Google Cloud site",
    "Id": "ID",
    "ClusterSite": "Kubernetes site",
    "Usd": "USD",
    "Vpc": "VPC",
    "Ssh": "SSH",
}


def estate_schema() -> dict[str, Any]:
    """The schema as a JSON-like value, in the names that files use; kinds are told apart by `kind`."""
    schema = Estate.model_json_schema(by_alias=True, mode="validation")
    _close(schema)
    return {"$schema": _DIALECT, **schema, "title": "Relight estate"}


def _close(part: Any) -> None:
    """Refuse keys that are no names as well, and spell titles as people do."""
    if isinstance(part, list):
        for inner in part:
            _close(inner)
    if not isinstance(part, dict):
        return
    if "patternProperties" in part:
        part.setdefault("additionalProperties", False)
    if isinstance(part.get("title"), str):
        part["title"] = " ".join(_SPELT.get(word, word) for word in part["title"].split())
    for inner in part.values():
        _close(inner)
