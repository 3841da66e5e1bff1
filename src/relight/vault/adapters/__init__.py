"""A vault over an object store."""
