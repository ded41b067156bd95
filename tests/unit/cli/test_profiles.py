"""Which PIM `--pim` means, and what is said when it means none."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.profiles import find_profile
from pim_connector.akeneo import AppToken, ConnectionCredentials
from pim_connector.errors import ConfigurationError

WORDS = {
    "AKENEO_CLIENT_ID": "id",
    "AKENEO_SECRET": "s3cret",
    "AKENEO_USERNAME": "user",
    "AKENEO_PASSWORD": "pass",
}
CREDENTIALS = ConnectionCredentials(
    client_id="id", secret="s3cret", username="user", password="pass"
)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"PIM_CONNECTOR_PROFILES": str(tmp_path / "profiles.toml")}


def write(environment: dict[str, str], text: str) -> None:
    Path(environment["PIM_CONNECTOR_PROFILES"]).write_text(text)


def test_a_profile_holds_url_and_credentials(environment: dict[str, str]) -> None:
    write(
        environment,
        '[staging]\nurl = "https://a"\nclient_id = "id"\nsecret = "s3cret"\n'
        'username = "user"\npassword = "pass"\n[live]\nurl = "https://b"\napp_token = "t"\n',
    )
    staging, live = find_profile("staging", environment), find_profile("live", environment)
    assert (staging.url, staging.credentials) == ("https://a", CREDENTIALS)
    assert (live.url, live.credentials) == ("https://b", AppToken(token="t"))
    assert "s3cret" not in repr(staging)


def test_a_url_and_no_profile_at_all_take_the_environments_credentials() -> None:
    assert find_profile("https://x", WORDS).credentials == CREDENTIALS
    assert find_profile(None, {**WORDS, "AKENEO_URL": "https://y"}).url == "https://y"


def test_a_profile_without_credentials_takes_the_environments(environment: dict[str, str]) -> None:
    write(environment, '[ci]\nurl = "https://a"\n')
    assert find_profile("ci", {**environment, **WORDS}).credentials == CREDENTIALS


def test_a_profile_is_looked_for_in_the_users_configuration(tmp_path: Path) -> None:
    folder = tmp_path / "pim-connector"
    folder.mkdir()
    (folder / "profiles.toml").write_text('[live]\nurl = "https://b"\napp_token = "t"\n')
    assert find_profile("live", {"XDG_CONFIG_HOME": str(tmp_path)}).url == "https://b"


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        (None, "live", r"there is no .*profiles\.toml\. Write one with a section \[live\]"),
        ('[a]\nurl = "u"\n[b]\n', "live", r"no profile \[live\]; it has: a, b"),
        ("live = 5\n", "live", r"no profile \[live\]"),
        ("[live", "live", "is not TOML"),
        ('[live]\napp_token = "t"\n', "live", "lacks url"),
        ('[live]\nurl = "https://b"\nsecret = "s3cret"\n', "live", r"\[live\] lacks client_id"),
        ('[live]\nurl = "https://b"\n', "live", "environment .* lacks client_id"),
        (None, None, "no PIM is named"),
        (None, "https://x", "environment .* lacks client_id, secret, username, password"),
    ],
)
def test_what_is_missing_is_named_with_its_place_and_without_its_value(
    environment: dict[str, str], text: str | None, name: str | None, words: str
) -> None:
    if text is not None:
        write(environment, text)
    with pytest.raises(ConfigurationError, match=words) as caught:
        find_profile(name, environment)
    assert "s3cret" not in str(caught.value)
