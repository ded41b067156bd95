import httpx
import pytest

from simulators.akeneo.pim import Pim
from tests.unit.simulated_akeneo.small_pim import API

LOGIN = {"grant_type": "password", "username": "user", "password": "password"}
TOKEN_URL = "/api/oauth/v1/token"


@pytest.mark.parametrize("form", [False, True])
def test_a_password_gives_a_token_and_a_refresh_token_works_once(
    client: httpx.Client, form: bool
) -> None:
    def ask(parameters: dict[str, str]) -> httpx.Response:
        if form:
            return client.post(TOKEN_URL, data=parameters, auth=("id", "secret"))
        return client.post(TOKEN_URL, json=parameters, auth=("id", "secret"))

    first = ask(LOGIN).json()
    headers = {"Authorization": f"Bearer {first['access_token']}"}
    assert client.get(f"{API}/channels", headers=headers).status_code == 200
    refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    assert ask(refresh).status_code == 200
    again = ask(refresh)
    assert (again.status_code, again.json()["message"]) == (
        422,
        "Refresh token is invalid or has expired",
    )


def test_wrong_credentials_are_a_422_with_the_reason(client: httpx.Client) -> None:
    secret = client.post(TOKEN_URL, json=LOGIN, auth=("id", "wrong"))
    password = client.post(TOKEN_URL, json=LOGIN | {"password": "no"}, auth=("id", "secret"))
    assert (secret.status_code, password.status_code) == (422, 422)
    assert "secret is invalid" in secret.json()["message"]
    assert password.json()["message"] == "No user found for the given username and password"


def test_a_token_request_may_have_300_bytes(client: httpx.Client) -> None:
    padded = LOGIN | {"padding": "x" * 300}
    answer = client.post(TOKEN_URL, json=padded, auth=("id", "secret"))
    assert answer.status_code == 413


@pytest.mark.parametrize("header", ["", "Bearer", "Basic abc", "Bearer nonsense"])
def test_without_a_good_token_nothing_is_read(client: httpx.Client, header: str) -> None:
    response = client.get(f"{API}/channels", headers={"Authorization": header})
    assert response.status_code == 401


def test_expired_tokens_are_refused_and_a_new_one_is_given(pim: Pim, client: httpx.Client) -> None:
    token = client.post(TOKEN_URL, json=LOGIN, auth=("id", "secret")).json()["access_token"]
    client.post("/_simulator/expire-tokens")
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get(f"{API}/channels", headers=headers).status_code == 401
    assert client.post(TOKEN_URL, json=LOGIN, auth=("id", "secret")).status_code == 200


def test_a_right_that_is_taken_away_refuses_the_whole_call(pim: Pim, client: httpx.Client) -> None:
    pim.accounts.denied.add("app:product_edit")
    try:
        response = client.patch(f"{API}/products/a", json={})
    finally:
        pim.accounts.denied.clear()
    assert response.json() == {
        "code": 403,
        "message": "Access forbidden. You are not allowed to create or update products.",
    }


def test_an_unknown_path_and_a_wrong_method_are_json_errors(client: httpx.Client) -> None:
    assert client.get(f"{API}/nothing").json()["code"] == 404
    assert client.put(f"{API}/channels", json={}).json()["code"] == 405


def test_a_connection_has_only_the_rights_that_it_was_given(pim: Pim, client: httpx.Client) -> None:
    told = client.patch(
        "/_simulator/rights", json={"app": {"rights": ["web_api", "product_edit"]}}
    ).json()
    assert told["app"] == {"rights": ["product_edit", "web_api"], "products": "own"}
    assert client.patch(f"{API}/products/a", json={}).status_code == 201
    refused = client.get(f"{API}/attributes/colour/options")
    assert refused.json() == {
        "code": 403,
        "message": "Access forbidden. You are not allowed to list attribute options.",
    }
    client.patch("/_simulator/rights", json={"app": {"without": ["channel_list"]}})
    assert client.get(f"{API}/attributes/colour/options").status_code == 200
    assert client.get(f"{API}/channels").status_code == 403
    client.patch("/_simulator/rights", json={"app": {"rights": None}})
    assert client.get(f"{API}/channels").status_code == 200


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"rights": ["product_paint"]}, "unknown rights product_paint"),
        ({"products": "rule"}, "unknown permission 'rule'"),
        ({"colour": 1}, "expected an object with rights"),
    ],
)
def test_rights_that_do_not_exist_are_refused(
    client: httpx.Client, given: dict[str, object], reason: str
) -> None:
    answer = client.patch("/_simulator/rights", json={"app": given})
    assert answer.status_code == 422
    assert reason in answer.json()["message"]
