"""A site of own nodes on premises: what a cloud must hold for it, so that it can be brought back.

Its machines are its own, and no stack sizes them. A cloud holds its system images, knows its routers, and
keeps a way open to its BMCs that needs nothing else of it.
"""

from relight.topology.metal.site import Site

__all__ = ["Site"]
