"""A site in AWS, asked through its own API."""

from relight.provision.adapters.aws.capacity import AwsCapacity
from relight.provision.adapters.aws.clients import AwsClients
from relight.provision.adapters.aws.finder import AwsFinder
from relight.provision.adapters.aws.pools import AwsPoolSizes

__all__ = ["AwsCapacity", "AwsClients", "AwsFinder", "AwsPoolSizes"]
