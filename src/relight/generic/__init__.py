"""Steps that fit no other room: a command, a playbook, a Python function, a request, a person, a wait."""

from relight.generic.ansible_steps import Ansible, AnsibleFacts
from relight.generic.steps import Answered, Http, Manual, PythonCall, Ran, Shell, Wait

__all__ = ["Ansible", "AnsibleFacts", "Answered", "Http", "Manual", "PythonCall", "Ran", "Shell", "Wait"]
