"""The rules of `relight.topology.policy` as a CrossGuard pack: `pulumi preview --policy-pack stacks/policy`.

What one resource says about itself is judged as it is registered, before anything changes. What takes several
resources (a bucket and its lock) is judged at the end of the preview, so an update must not skip its preview.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from relight.estate import Estate, load_estate
from relight.topology.policy import RULES, UNKNOWN, Rule, Scene, Subject

_PROJECT = Path(__file__).resolve().parents[2]


def subject_of(resource: ResourceValidationArgs | PolicyResource) -> Subject:
    """A resource of the engine as rules see it."""
    dependencies = getattr(resource, "dependencies", ())
    return Subject(
        type=resource.resource_type,
        name=resource.name,
        inputs=plain(resource.props),
        protect=bool(resource.opts.protect),
        ignored=tuple(resource.opts.ignore_changes or ()),
        depends_on=tuple(f"{each.resource_type}::{each.name}" for each in dependencies),
    )


def plain(value: Any) -> Any:
    """Inputs as plain data; what only the update will know is UNKNOWN."""
    if isinstance(value, Mapping):
        return {str(key): _known(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_known(value, at) for at in range(len(value))]
    return value


def _known(items: Any, key: Any) -> Any:
    try:
        return plain(items[key])
    except UnknownValueError:
        return UNKNOWN


def stack_of(urn: str) -> str:
    """The stack that a resource belongs to: "urn:pulumi:STACK::PROJECT::TYPE::NAME"."""
    return urn.partition("::")[0].rpartition(":")[2]


def policy_of(rule: Rule, estate: Estate) -> ResourceValidationPolicy | StackValidationPolicy:
    """A rule as the engine asks it."""

    def judge_one(args: ResourceValidationArgs, report: ReportViolation) -> None:
        subject = subject_of(args)
        scene = Scene(estate, stack_of(args.urn), (subject,))
        for violation in rule.violations(subject, scene):
            report(f"{violation.what} ({violation.remedy})")

    def judge_all(args: StackValidationArgs, report: ReportViolation) -> None:
        subjects = [(resource.urn, subject_of(resource)) for resource in args.resources]
        everything = tuple(subject for _, subject in subjects)
        for urn, subject in subjects:
            for violation in rule.violations(subject, Scene(estate, stack_of(urn), everything)):
                report(f"{violation.what} ({violation.remedy})", urn)

    if rule.whole:
        return StackValidationPolicy(rule.name, rule.says, judge_all)
    return ResourceValidationPolicy(rule.name, rule.says, judge_one)


def main() -> None:
    """Serve the rules for the estate of this project."""
    estate = load_estate(_PROJECT / "estate.yaml")
    PolicyPack("relight", [policy_of(rule, estate) for rule in RULES], EnforcementLevel.MANDATORY)


main()
