"""`pim-connector assets resend`: some assets once more, whatever the PIM is known to have."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from cli.assets_reconcile import NO_SOURCE, JsonOption, SourceArgument
from cli.target import ProfileOption, RegionOption, StackOption
from cli.target import connect as connect_stack
from pim_connector.errors import ConfigurationError

if TYPE_CHECKING:
    from cli.target import Target


def resend(
    source: SourceArgument,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of assets in the DAM.")
    ] = None,
    rejected: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="All assets that were rejected in this run, too."),
    ] = None,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Send assets to the PIM once more, whole, as the DAM has them now.

    For assets that were rejected, once the reason is fixed, and for those that somebody changed in
    the PIM by mistake. What is gone from the DAM is dealt with as the source's `on_delete` says.
    Exit status: 0 queued · 2 there is no such source, or nothing to send.

    Example: pim-connector assets resend bynder 0A1B2C3D --rejected assets-bynder-2026-11-20
    """
    from pim_connector.aws.queue import FifoQueue
    from pim_connector.dam.polling import AssetQueue
    from pim_connector.sync.messages import ASSET_GROUPS, Change

    target = connect_stack(stack, profile, region)
    _expect_item(target, source)
    wanted = list(dict.fromkeys([*(ids or ()), *(_rejected(target, rejected) if rejected else ())]))
    if not wanted:
        raise ConfigurationError("nothing to send: name ids, or a run with --rejected")
    queue = FifoQueue(target.client("sqs"), target.output("AssetQueue"))
    changes = [Change(id=one, origin="operator") for one in wanted]
    AssetQueue(queue, groups=ASSET_GROUPS).send(source, changes)
    told = {"source": source, "queued": len(wanted)}
    said = f"{source}: {len(wanted)} assets are queued"
    typer.echo(json.dumps(told) if as_json else said)


def _expect_item(target: Target, source: str) -> None:
    """Raise ConfigurationError for a source that is not there, or cannot be asked for one asset."""
    from pim_connector.dam.loading import load_source

    key = f"config/dam/{source}.yaml"
    try:
        described = load_source(target.bucket().get(key), name=key)
    except FileNotFoundError:
        raise ConfigurationError(NO_SOURCE.format(source=source)) from None
    if described.item is None:
        raise ConfigurationError(f"{key} has no `item`: how to ask the DAM for one asset by its id")


def _rejected(target: Target, run: str) -> list[str]:
    from cli.runs import find, rejections

    found = rejections(target, find(target, run).id)
    return [str(one.identifier) for one in found if one.resource == "asset" and one.identifier]
