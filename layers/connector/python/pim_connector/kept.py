"""Records that were rejected before they reached the queue, kept raw so they can be replayed."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence

import msgspec

from pim_connector.bucket import Bucket
from pim_connector.erp.record import SourceRecord
from pim_connector.errors import RejectedError
from pim_connector.mapping.result import FieldError
from pim_connector.reasons import field_problems
from pim_connector.states import RecordOutcome


class KeptRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record as it was in the file, and why it went no further."""

    outcome: RecordOutcome
    record: SourceRecord


_KEPT = msgspec.json.Decoder(tuple[KeptRecord, ...])


def rejected(
    record: SourceRecord, errors: Sequence[FieldError], identifier: str | None = None
) -> KeptRecord:
    """Tell a mapping's errors in the words of the report."""
    outcome = RecordOutcome(
        number=record.number,
        line=record.line,
        state="rejected",
        identifier=identifier,
        problems=field_problems(errors),
    )
    return KeptRecord(outcome=outcome, record=record)


def keep(bucket: Bucket, run: str, window: int, records: Sequence[KeptRecord]) -> None:
    """Write what a window rejected; writing it again changes nothing."""
    if records:
        bucket.put(f"{_prefix(run)}{window:06d}", gzip.compress(msgspec.json.encode(records)))


def kept(bucket: Bucket, run: str) -> Iterator[KeptRecord]:
    """Give all that the splitter rejected of a run, in the order of the file.

    Raises RejectedError for an object that somebody else has written over.
    """
    for key in bucket.keys(_prefix(run)):
        try:
            found = _KEPT.decode(gzip.decompress(bucket.get(key)))
        except (msgspec.MsgspecError, OSError, EOFError, zlib.error) as error:
            raise RejectedError(f"{key} does not hold kept records: {error}") from error
        yield from found


def _prefix(run: str) -> str:
    return f"records/{run}/window-"
