"""Routing controls of Application Recovery Controller: switches that a person, or a runbook, throws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from relight.topology.frame import Frame

CONFIGURED_IN = "us-west-2"
"""The only region where clusters, panels, controls and rules can be changed (AWS General Reference)."""

_WAIT_MS = 5_000  # how long a rule looks at a change before it lets it pass; ARC's own example


@dataclass(frozen=True)
class RoutingControlsArgs:
    """The sites that are switched; `one_at_a_time` where two that work at once would harm."""

    frame: Frame
    sites: tuple[str, ...]
    one_at_a_time: bool


class RoutingControls(pulumi.ComponentResource):
    """A cluster, a panel with one control per site, safety rules, and the health checks that records follow.

    What it depends on: changes to any of it need us-west-2 (`CONFIGURED_IN`). Throwing a switch needs
    none of that: the cluster answers at five endpoints in five regions, and three of them are enough.
    Keep the endpoints (output `clusterEndpoints`) with the runbook; looking them up again needs
    us-west-2.

    Every control is off when it is made, and Route 53 takes a name whose answers are all unhealthy as if
    all were healthy: turn the working site on once, before the records follow the controls.

    Rules: at least one site is on; and, where only one site may work, never two. There is no gate in
    front of the switches: approvals and the fence are the gate, and one more switch costs time when time
    is short.

    Billed while asleep: the cluster, by the hour (about 2.50 USD, 1,800 USD a month: the largest item of
    this stack), and each health check by the month.
    """

    def __init__(
        self, name: str, args: RoutingControlsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("relight:outside:RoutingControls", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        frame, tags = args.frame, args.frame.tags("traffic")
        kept = pulumi.ResourceOptions(parent=self, protect=True)
        self.cluster = aws.route53recoverycontrol.Cluster(
            f"{name}-cluster",
            aws.route53recoverycontrol.ClusterArgs(name=frame.name("recovery")[:64], tags=tags),
            kept,
        )
        panel = aws.route53recoverycontrol.ControlPanel(
            f"{name}-panel",
            aws.route53recoverycontrol.ControlPanelArgs(
                cluster_arn=self.cluster.arn, name=frame.name("sites")[:64], tags=tags
            ),
            own,
        )
        self.controls = {
            site: aws.route53recoverycontrol.RoutingControl(
                f"{name}-{site}",
                aws.route53recoverycontrol.RoutingControlArgs(
                    cluster_arn=self.cluster.arn, control_panel_arn=panel.arn, name=site
                ),
                own,
            )
            for site in args.sites
        }
        self._rule(name, "some-site", panel, args, least=1, inverted=False)
        if args.one_at_a_time:
            self._rule(name, "no-two-sites", panel, args, least=2, inverted=True)
        self.checks = {
            site: aws.route53.HealthCheck(
                f"{name}-{site}-switch",
                aws.route53.HealthCheckArgs(
                    type="RECOVERY_CONTROL",
                    routing_control_arn=control.arn,
                    tags=frame.tags("traffic", frame.name(f"switch-{site}")),
                ),
                own,
            )
            for site, control in self.controls.items()
        }
        self.outputs: Mapping[str, pulumi.Input[Any]] = {
            "routingControls": {site: control.arn for site, control in self.controls.items()},
            "clusterEndpoints": self.cluster.cluster_endpoints,
        }
        self.register_outputs(dict(self.outputs))

    def _rule(
        self, name: str, what: str, panel: Any, args: RoutingControlsArgs, *, least: int, inverted: bool
    ) -> None:
        aws.route53recoverycontrol.SafetyRule(
            f"{name}-{what}",
            aws.route53recoverycontrol.SafetyRuleArgs(
                name=what,
                control_panel_arn=panel.arn,
                asserted_controls=[control.arn for control in self.controls.values()],
                rule_config=aws.route53recoverycontrol.SafetyRuleRuleConfigArgs(
                    type="ATLEAST", threshold=least, inverted=inverted
                ),
                wait_period_ms=_WAIT_MS,
                tags=args.frame.tags("traffic"),
            ),
            pulumi.ResourceOptions(parent=self),
        )
