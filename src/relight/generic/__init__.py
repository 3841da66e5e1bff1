"""Steps that fit no other room: a command, a Python function, a request, a person, a wait."""

from relight.generic.steps import Answered, Http, Manual, PythonCall, Ran, Shell, Wait

__all__ = ["Answered", "Http", "Manual", "PythonCall", "Ran", "Shell", "Wait"]
