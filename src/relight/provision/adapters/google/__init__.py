"""A site in Google Cloud, asked through its own REST APIs."""

from relight.provision.adapters.google.capacity import GoogleCapacity
from relight.provision.adapters.google.clients import GoogleClients
from relight.provision.adapters.google.finder import GoogleFinder
from relight.provision.adapters.google.pools import GooglePoolSizes

__all__ = ["GoogleCapacity", "GoogleClients", "GoogleFinder", "GooglePoolSizes"]
