"""What `doctor` looks at in the PIM: the connection, its user's rights, and mappings against it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cli.finding import Finding

if TYPE_CHECKING:
    from cli.target import Target
    from pim_connector.akeneo import AkeneoClient


def pim(target: Target) -> Iterator[Finding]:
    """Credentials, and what the role of their user may do."""
    with target.pim() as client:
        known = client.system_information()
        yield Finding(
            level="ok",
            about="PIM",
            found=f"{target.output('AkeneoUrl')} answers: Akeneo {known.get('version')} "
            f"{known.get('edition')}",
        )
        yield from _reads(client)
        yield _writes(client)
    yield Finding(
        level="note",
        about="PIM",
        found="the API does not tell the connection's flow type",
        advice="it should be Source (Connect > Connection settings); only then the PIM lists what "
        "it refused under Error monitoring",
    )


def _reads(client: AkeneoClient) -> Iterator[Finding]:
    needed = ("attributes", "families", "channels", "locales", "currencies", "measurement-families")
    for path in needed:
        if client.list_known(path) is None:
            yield Finding(
                level="problem",
                about="PIM",
                found=f"the connection's user may not list {path}",
                advice="give its role this right: System > Roles > Web API permissions",
            )
    if client.list_known("asset-families") is None:
        yield Finding(
            level="note",
            about="PIM",
            found="asset families are not there, or not for this user to see",
            advice="needed for a DAM only: Enterprise Edition, and the right to list them",
        )


def _writes(client: AkeneoClient) -> Finding:
    """Send a line that no PIM takes, for want of an identifier: it is refused, but as what?"""
    from pim_connector.akeneo import ForbiddenError, Refused

    try:
        [answer] = client.upsert_products([{"enabled": True}])
        allowed = not (isinstance(answer, Refused) and answer.status == 403)
    except ForbiddenError:
        allowed = False
    if allowed:
        return Finding(level="ok", about="PIM", found="the connection's user may write products")
    return Finding(
        level="problem",
        about="PIM",
        found="the connection's user may not create or update products",
        advice="give its role this right: System > Roles > Web API permissions",
    )


def mappings(target: Target) -> Iterator[Finding]:
    """Every mapping in place must be usable, and agree with the PIM."""
    from cli.imports import CONFIG_PREFIX
    from pim_connector.akeneo.structure_cache import fetch_structure
    from pim_connector.mapping.checking import check_against
    from pim_connector.mapping.compiling import compile_mapping
    from pim_connector.mapping.loading import MappingError, load_mapping

    store = target.bucket()
    keys = [key for key in store.keys(CONFIG_PREFIX) if key.count("/") == 2]
    if not keys:
        yield Finding(
            level="warning",
            about="mappings",
            found="no source has a mapping",
            advice="pim-connector config push SOURCE FILE",
        )
        return
    with target.pim() as client:
        structure = fetch_structure(client)
    for key in keys:
        try:
            compiled = compile_mapping(load_mapping(store.get(key), name=key))
            problems = check_against(compiled, structure)
        except MappingError as error:
            problems = error.problems
        for problem in problems:
            yield Finding(
                level="problem",
                about="mappings",
                found=problem,
                advice="fix it and pim-connector config push SOURCE FILE",
            )
        if not problems:
            yield Finding(level="ok", about="mappings", found=f"{key} agrees with the PIM")
