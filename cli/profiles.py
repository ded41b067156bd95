"""Which PIM a command speaks to, and with which credentials.

`--pim staging` names a section of `~/.config/pim-connector/profiles.toml` (another file:
PIM_CONNECTOR_PROFILES); `--pim https://…` means that PIM, and no `--pim` means AKENEO_URL, both
with credentials from AKENEO_CLIENT_ID, AKENEO_SECRET, AKENEO_USERNAME and AKENEO_PASSWORD, or from
AKENEO_APP_TOKEN. A section with no credentials of its own takes them from there, too.
"""

from __future__ import annotations

import os
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pim_connector.errors import ConfigurationError

if TYPE_CHECKING:
    from pim_connector.akeneo import AkeneoClient, Credentials

FIELDS = ("client_id", "secret", "username", "password", "app_token")
OPTION_WRITES_PER_SECOND = 3

PimOption = Annotated[
    str | None,
    typer.Option(
        "--pim",
        metavar="PROFILE|URL",
        help="A profile's name or a PIM's URL. Default: AKENEO_URL, otherwise the stack's PIM.",
    ),
]


OtherPimOption = Annotated[
    str | None,
    typer.Option(
        "--pim",
        metavar="PROFILE|URL",
        help="Another PIM than the stack's: a profile's name or a URL.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A PIM's URL and the credentials for it; the credentials never show."""

    url: str
    credentials: Credentials


def find_profile(pim: str | None, environment: Mapping[str, str] = os.environ) -> Profile:
    """Resolve what `--pim` says. ConfigurationError names what is missing and where it belongs."""
    from pim_connector.akeneo.auth import credentials_from

    if pim is None:
        pim = environment.get("AKENEO_URL")
        if not pim:
            raise ConfigurationError(
                "no PIM is named: give --pim PROFILE or --pim URL, or set AKENEO_URL."
            )
    if pim.startswith(("http://", "https://")):
        return Profile(url=pim, credentials=_credentials_of(environment))
    file = _profiles_file(environment)
    section = _section(file, pim)
    if not section.get("url"):
        raise ConfigurationError(f"{file}: [{pim}] lacks url, the address of the PIM.")
    own = {key: value for key, value in section.items() if key in FIELDS}
    if not own:
        return Profile(url=str(section["url"]), credentials=_credentials_of(environment))
    credentials = credentials_from(own, source=f"{file}: [{pim}]")
    return Profile(url=str(section["url"]), credentials=credentials)


def connect(pim: str | None) -> AkeneoClient:
    """Make a client of the PIM that `--pim` names; nothing is asked of it yet."""
    from pim_connector.akeneo import AkeneoClient
    from pim_connector.akeneo.answers import LocalPace

    profile = find_profile(pim)
    pace = LocalPace(OPTION_WRITES_PER_SECOND, now=time.monotonic, sleep=time.sleep)
    return AkeneoClient(profile.url, profile.credentials, pace=pace)


def _credentials_of(environment: Mapping[str, str]) -> Credentials:
    from pim_connector.akeneo.auth import credentials_from

    fields = {key: environment.get(f"AKENEO_{key.upper()}") for key in FIELDS}
    return credentials_from(fields, source="the environment (AKENEO_CLIENT_ID, …)")


def _profiles_file(environment: Mapping[str, str]) -> Path:
    named = environment.get("PIM_CONNECTOR_PROFILES")
    if named:
        return Path(named)
    config = environment.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(config) / "pim-connector" / "profiles.toml"


def _section(file: Path, name: str) -> Mapping[str, Any]:
    try:
        profiles = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"profile {name!r}: there is no {file}. Write one with a section"
            f' [{name}] and url, client_id, secret, username, password ("…"); or give a URL.'
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {type(error).__name__}.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file} is not TOML: {error}") from None
    section = profiles.get(name)
    if not isinstance(section, dict):
        known = ", ".join(sorted(profiles)) or "none"
        raise ConfigurationError(f"{file} has no profile [{name}]; it has: {known}.")
    return section
