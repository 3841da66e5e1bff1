"""Relight brings a dark GPU site back: an estate is declared, a plan is made, a run carries it out."""

__version__ = "0.1.0"
