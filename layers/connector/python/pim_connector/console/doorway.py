"""Puts the door together: the stack's key, its tables, the PIM's app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pim_connector.console.app_connection import AppConnection, AppSecret
from pim_connector.console.people import People
from pim_connector.console.scopes import needs_of, scopes_for
from pim_connector.console.sessions import OneTime, Sessions
from pim_connector.console.sign_in import Door

if TYPE_CHECKING:
    from pim_connector.console.parts import Parts
    from pim_connector.dam.asset_rules import AssetMapping
    from pim_connector.mapping.language import MappingFile


def make_door(parts: Parts) -> Door:
    """Return the door of a stack."""

    def now() -> float:
        return parts.clock().timestamp()

    one_time = OneTime(parts.state, now=now)
    settings = parts.settings
    secret = AppSecret(parts.client("secretsmanager"), settings.akeneo_secret_arn)

    def scopes() -> tuple[str, ...]:
        extensions = secret.wants_extensions()
        return scopes_for(needs_of(mappings(parts), _dams(parts), extensions=extensions))

    return Door(
        sessions=Sessions(key=parts.key, stack=settings.stack_name, table=parts.state, now=now),
        one_time=one_time,
        people=People(parts.runs, now=now),
        app=AppConnection(
            pim_url=settings.akeneo_url,
            secret=secret,
            one_time=one_time,
            scopes=scopes,
            now=now,
        ),
    )


def mappings(parts: Parts) -> list[MappingFile]:
    """Return the mappings of the ERP sources as they are now."""
    from pim_connector.console.parts import CONFIG
    from pim_connector.mapping.loading import load_mapping

    keys = [f"{CONFIG}{name}.yaml" for name in parts.sources()]
    return [load_mapping(parts.bucket.get(key), name=key).file for key in keys]


def _dams(parts: Parts) -> list[AssetMapping]:
    from pim_connector.console.assets import FOLDER, names
    from pim_connector.dam.loading import load_source

    keys = [f"{FOLDER}{name}.yaml" for name in names(parts)]
    found = [load_source(parts.bucket.get(key), name=key).assets for key in keys]
    return [mapping for mapping in found if mapping is not None]
