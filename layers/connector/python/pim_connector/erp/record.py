"""A record of an ERP file as it travels: self-contained, to be replayed without the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from msgspec import Struct

from pim_connector.digests import hasher
from pim_connector.errors import RejectedError

_HASH: Final = hasher(12)

Row: TypeAlias = dict[str, str]
Tables: TypeAlias = dict[str, dict[str, list[Row]]]

RECORD_MARK = "pim-connector-record"
"""Target of the processing instruction that stands before the record inside `SourceRecord.xml`."""


class SourceRecord(Struct, frozen=True, kw_only=True):
    """One record with all that its mapping can see of the file around it.

    `number` counts from 1 in document order over all record rules; `line` is that of the start tag
    in the decoded file. `xml` holds the record inside the skeleton of its ancestors, `head` only
    the head values and `tables` only the look-up rows that the record's rule uses.
    """

    number: int
    line: int
    rule: str
    xml: str
    head: dict[str, str] = {}
    tables: Tables = {}
    fault: str = ""


class UnreadableFileError(RejectedError):
    """The file cannot be read to its end; says where, and how far reading came.

    `line` and `column` count from 1 in the decoded text; `records_read` is the number of whole
    records before the place.
    """

    def __init__(
        self,
        what: str,
        *,
        line: int | None = None,
        column: int | None = None,
        records_read: int = 0,
    ) -> None:
        place = "" if line is None else f" (line {line}, column {column})"
        super().__init__(f"{what}{place}; {records_read} records read before it")
        self.what = what
        self.line = line
        self.column = column
        self.records_read = records_read


def fingerprint(record: SourceRecord) -> bytes:
    """12 bytes that change when, and only when, something changes that the mapping can see.

    Number and line are left out: a record that only moved within the file is the same record.
    """
    seen = f"{record.rule}\0{record.xml}"
    if record.head or record.tables:
        seen += "".join(_around(record))
    return _HASH(seen.encode())


def _around(record: SourceRecord) -> Iterator[str]:
    for name, value in sorted(record.head.items()):
        yield f"\0{name}\0{value}"
    for table, keys in sorted(record.tables.items()):
        for key, rows in sorted(keys.items()):
            yield f"\1{table}\0{key}"
            for row in rows:
                yield "\2"
                for name, value in sorted(row.items()):
                    yield f"\0{name}\0{value}"
