"""Fetches a certificate or confirms a subscription: one small GET over https, no redirects."""

from __future__ import annotations

from pim_connector.errors import RejectedError, TransientError

TIMEOUT_SECONDS = 5.0
LONGEST_BYTES = 200_000


def get(url: str) -> bytes:
    """Read `url`, whose host the caller has checked.

    RejectedError where the host says no, TransientError where it does not answer. urllib3 comes
    with boto3 and is imported here, so that a webhook which needs no certificate never loads it.
    """
    import urllib3

    try:
        with urllib3.PoolManager(timeout=TIMEOUT_SECONDS, retries=1) as pool:
            answer = pool.request("GET", url, redirect=False, preload_content=False)
            body = answer.read(LONGEST_BYTES)
            status = answer.status
            answer.release_conn()
    except urllib3.exceptions.HTTPError as error:
        raise TransientError(f"{url.partition('?')[0]} does not answer: {error}") from error
    if status >= 500 or status == 429:
        raise TransientError(f"{url.partition('?')[0]} answers {status}")
    if status >= 300:
        raise RejectedError(f"{url.partition('?')[0]} answers {status}")
    return body
