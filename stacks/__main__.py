"""The Pulumi program of an estate: `pulumi up -s SITE`, `-s global` or `-s LINK`.

It reads estate.yaml, asks the witness how large the pools of the site should be now, and declares what the
stack is made of. The config of a stack may hold quiet sizes (`relight:pools: {train: 2}`) and, while the
witness is gone for good, `relight:without-witness: true`; nothing else: all else stands in the estate.
"""

from datetime import UTC, datetime
from pathlib import Path

import pulumi

from relight.app import World, decided_for, open_world
from relight.errors import NotFound, RelightError, Unreachable
from relight.topology import Decided, declare

_UNASKED = (
    "bring the witness back, or the way to it (a new estate: bring up its global stack first); "
    "if it is gone for good: pulumi config set relight:without-witness true, and look at the sizes that "
    "the preview shows"
)


def _ask(world: World, config: pulumi.Config, site: str) -> Decided:
    """What the witness has. Its answer stands, whatever the config says: that may have come from anywhere."""
    try:
        return decided_for(world, site)
    except (Unreachable, NotFound) as error:
        if not (pulumi.runtime.is_dry_run() or config.get_bool("without-witness")):
            raise Unreachable(f"what {site} should be now cannot be asked: {error.what}", _UNASKED) from None
        pulumi.log.warn(f"quiet sizes are taken: what {site} should be cannot be asked ({error.what})")
        return Decided()


def main() -> None:
    """Declare the stack that Pulumi runs."""
    config = pulumi.Config("relight")
    try:
        world = open_world(Path(__file__).resolve().parent.parent)
        declare(
            world.estate,
            pulumi.get_stack(),
            ask=lambda site: _ask(world, config, site),
            now=datetime.now(UTC),
            resolve=world.secrets.resolve,
            configured=config.get_object("pools"),
        )
    except RelightError as error:
        raise pulumi.RunError(str(error)) from None


main()
