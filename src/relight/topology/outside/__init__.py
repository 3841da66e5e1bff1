"""The global stack: what must outlive every site. Names, health checks, routing controls, and the witness.

It stands in an account of its own (`stacks.outside`), away from every site, and is small. In an incident
it is read and switched, not changed: what was provisioned before (health checks, failover records,
routing controls) goes on while the control plane that would change it is dark. See `route53`, `recovery`
and `cloud_dns` for what depends on which region.
"""

from relight.topology.outside.outside import Outside, OutsideArgs

__all__ = ["Outside", "OutsideArgs"]
