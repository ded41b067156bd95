"""The script most people write: the whole file by xmltodict, one PATCH per product by requests."""

import sys
from concurrent.futures import ThreadPoolExecutor

import requests
import xmltodict
from record import CREDENTIALS, product


def main(url: str, path: str) -> None:
    login = CREDENTIALS
    token = requests.post(
        f"{url}/api/oauth/v1/token",
        auth=(login["client_id"], login["secret"]),
        json={
            "grant_type": "password",
            "username": login["username"],
            "password": login["password"],
        },
    ).json()["access_token"]
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    with open(path, "rb") as file:
        found = xmltodict.parse(file)["catalog"]["product"]

    def send(record):
        body = product(record)
        try:
            answer = session.patch(f"{url}/api/rest/v1/products/{body['identifier']}", json=body)
            answer.raise_for_status()
        except requests.RequestException as error:
            print(body["identifier"], error)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, found))


main(*sys.argv[1:])
