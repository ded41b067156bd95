"""What an error of AWS means: one consequence for each code, whichever service says it.

Codes are those of each service's API reference, section "Errors"
(https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html,
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html,
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
)

from pim_connector.errors import ConfigurationError, ConnectorError, TransientError

ABSENT: Final = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound"})
"""S3 has no such object, or no such version of it."""
DENIED: Final = frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AllAccessDisabled",
        "KMSAccessDeniedException",
    }
    | {"KMS.AccessDeniedException", "KmsAccessDenied", "UnauthorizedOperation"}
    | {"InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException"}
    | {"SignatureDoesNotMatch", "AuthFailure", "InvalidObjectState"}
)
_DENIED_ACTION: Final = re.compile(r"not authorized to perform: ([\w-]+:\w+)")
"""Which right is missing, as far as AWS says so: of a KMS key it is not the one that was used."""
GONE: Final = frozenset(
    {"NoSuchBucket", "ResourceNotFoundException", "QueueDoesNotExist"}
    | {"AWS.SimpleQueueService.NonExistentQueue", "KMS.NotFoundException", "KMS.DisabledException"}
    | {"KMS.KMSInvalidStateException", "KmsDisabled", "KmsNotFound", "DecryptionFailure"}
)
"""A table, queue, bucket, secret or key that is not there, or can no longer be used."""
BROKEN: Final = (NoCredentialsError, NoRegionError, ParamValidationError, PartialCredentialsError)
"""What botocore says before it asks AWS, and says again however often it is tried."""

FIRST_WAIT_SECONDS: Final = 0.05
LONGEST_WAIT_SECONDS: Final = 5.0


class ConditionFailedError(Exception):
    """A conditional write found something else than it expected."""


class CancelledError(Exception):
    """A transaction was cancelled; `codes` has the reason of each of its actions, in order."""

    def __init__(self, codes: list[str]) -> None:
        super().__init__(codes)
        self.codes = codes

    def places(self, code: str) -> tuple[int, ...]:
        """Return which actions were refused with the code."""
        return tuple(place for place, found in enumerate(self.codes) if found == code)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn errors of AWS into ours; `what` says what was tried, such as "queue X: sending".

    Raises ConfigurationError where a right, a resource or a credential is missing,
    FileNotFoundError for an object that S3 does not have, ConditionFailedError and CancelledError
    for conditional writes, and TransientError for all the rest: throttling, time-outs, outages.
    """
    try:
        yield
    except ClientError as error:
        raise _meaning(what, error) from error
    except BROKEN as error:
        raise ConfigurationError(f"{what}: {error}; check credentials and region") from error
    except BotoCoreError as error:
        raise TransientError(f"{what}: AWS did not answer ({error}); try again later") from error


def code_of(error: ClientError) -> str:
    """Return AWS's code of an error, such as `AccessDenied`."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))


def consequence(what: str, code: str) -> ConnectorError:
    """Return what a code means, as an exception to raise."""
    if code == "InvalidObjectState":
        return ConfigurationError(
            f"{what}: the object is archived ({code}); restore it, or upload it again"
        )
    if code in DENIED:
        return ConfigurationError(f"{what}: {code}; give this role the right to do that")
    if code in GONE:
        return ConfigurationError(f"{what}: {code}; check the name, and that it still exists")
    return TransientError(f"{what}: {code}; try again later")


def backoff(attempt: int, jitter: float) -> float:
    """Return the seconds to wait before another try: exponential, with half of it at random.

    `attempt` counts from 0, `jitter` is between 0 and 1
    (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
    """
    longest: float = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2**attempt)
    return longest * (0.5 + jitter / 2)


def _meaning(what: str, error: ClientError) -> Exception:
    code = code_of(error)
    if code == "ConditionalCheckFailedException":
        return ConditionFailedError(what)
    if code == "TransactionCanceledException":
        response: Any = error.response
        reasons = response.get("CancellationReasons", ())
        return CancelledError([reason.get("Code", "") for reason in reasons])
    if code in ABSENT:
        return FileNotFoundError(what)
    denied = _DENIED_ACTION.search(str(error.response.get("Error", {}).get("Message", "")))
    if denied and code in DENIED:
        what = f"{what} (not allowed: {denied[1]})"
    return consequence(what, code)
