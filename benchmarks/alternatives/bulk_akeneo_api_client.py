"""akeneo-api-client (https://pypi.org/project/akeneo-api-client/): its `upsert_list`.

It knows products by UUID only, so each gets one that follows from its number. The page catches
`AkeneoApiError`; what else a call raises is told, too, and the next one goes on.
"""

import hashlib
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor

from akeneo_api_client.client.akeneo_api_error import AkeneoApiError
from akeneo_api_client.client_builder import ClientBuilder
from record import CREDENTIALS, hundreds, value


def by_uuid(product):
    identifier = product.pop("identifier")
    product["uuid"] = str(uuid.UUID(hex=hashlib.md5(identifier.encode()).hexdigest(), version=4))
    product["values"]["sku"] = [value(identifier)]
    return product


def main(url: str, path: str) -> None:
    login = CREDENTIALS
    api = ClientBuilder(url).build_authenticated_by_password(
        login["username"], login["password"], login["client_id"], login["secret"]
    )

    def send(products):
        try:
            for line in api.product_uuid_api.upsert_list(list(map(by_uuid, products))):
                if line["status_code"] >= 400:
                    print(line)
        except AkeneoApiError as error:
            print(error.response.reason)
        except Exception as error:
            print(repr(error))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, hundreds(path)))


main(*sys.argv[1:])
