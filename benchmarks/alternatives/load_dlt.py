"""dlt with a destination of one's own
(https://dlthub.com/docs/dlt-ecosystem/destinations/destination).

Its HTTP helper tries 429 and 5xx again, and its loader tries a failed job again.
"""

import os
import sys
import tempfile

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"
os.environ["DATA_WRITER__FILE_MAX_ITEMS"] = "500"  # more files, so that four can be loaded at once

import dlt
from dlt.sources.helpers import requests
from record import CREDENTIALS, product, records


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

    @dlt.destination(
        batch_size=100, max_parallel_load_jobs=4, loader_parallelism_strategy="parallel"
    )
    def akeneo(items, table) -> None:
        answer = requests.patch(
            f"{url}/api/rest/v1/products",
            data="\n".join(map(dlt.common.json.dumps, items)),
            headers={
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/vnd.akeneo.collection+json",
            },
        )
        for line in map(dlt.common.json.loads, answer.text.split("\n")):
            if line["status_code"] >= 400:
                print(line)

    @dlt.resource(name="products", max_table_nesting=0)
    def found():
        yield from map(product, records(path))

    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline("akeneo", destination=akeneo, pipelines_dir=folder)
        pipeline.run(found())


main(*sys.argv[1:])
