"""pyakeneo (https://pypi.org/project/pyakeneo/), a hundred products a call, four calls at once.

Its documentation does not mention errors; a call that fails is told and the next one goes on.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

from pyakeneo.client import Client
from record import CREDENTIALS, hundreds


def main(url: str, path: str) -> None:
    client = Client(url, **CREDENTIALS)

    def send(products):
        try:
            for line in client.products.update_create_list(products):
                if line["status_code"] >= 400:
                    print(line)
        except Exception as error:
            print(products[0]["identifier"], error)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, hundreds(path)))


main(*sys.argv[1:])
