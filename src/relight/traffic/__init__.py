"""Names and clients: signed DNS updates with compare-and-swap, and the proof from a client's side."""

from relight.traffic.port import Names
from relight.traffic.steps import SwapName, SwappedName, VerifiedClient, VerifyClient

__all__ = ["Names", "SwapName", "SwappedName", "VerifiedClient", "VerifyClient"]
