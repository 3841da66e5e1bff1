"""A tiny site on the stand-in cloud: a network, a key and pools with rungs, as the file WANTED says."""

import json
import os
from pathlib import Path

import pulumi


class Thing(pulumi.CustomResource):
    """A resource of any type of the stand-in."""


wanted = json.loads(Path(os.environ["WANTED"]).read_text(encoding="utf-8"))
site = pulumi.get_stack()


def tags(name: str) -> dict[str, str]:
    return {"relight:site": site, "relight:token": f"{site}/{name}"}


network = Thing("standin:index:Network", "network", {"cidr": wanted["cidr"], "tags": tags("network")})
if "STANDIN_SECRET" in os.environ:
    sealed = pulumi.Output.secret(os.environ["STANDIN_SECRET"])
    Thing("standin:index:Key", "key", {"material": sealed, "tags": tags("key")})
    pulumi.export("key", sealed)
for name, kind in wanted.get("others", {}).items():
    Thing(kind, name, {"tags": tags(name)})

pools: dict[str, dict[str, object]] = {}
for pool, rungs in wanted["pools"].items():
    for rung, nodes in rungs.items():
        name = f"{pool}-{rung}"
        made = Thing(
            "standin:index:Pool",
            name,
            {"desiredCapacity": nodes, "image": wanted["image"], "network": network.id, "tags": tags(name)},
        )
        pools.setdefault(pool, {})[rung] = {
            "urn": made.urn,
            "resource": "standin:index:Pool",
            "id": made.id,
            "nodes": nodes,
        }
pulumi.export("pools", pools)
