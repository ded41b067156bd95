"""What is said of a file that could not be read as it should."""

from __future__ import annotations

from pim_connector.erp.record import UnreadableFileError
from pim_connector.messages import MappingPin
from pim_connector.runs.run import Run


def reading_problem(
    run: Run, pin: MappingPin, error: UnreadableFileError | None, records: int
) -> str | None:
    """Say what is wrong with a file of which so many records were read, and what to do."""
    if error and records == 0:
        return (
            f"{run.key}: {error}. Nothing was handed on; compare the file with {pin.key}, or have "
            "the ERP write it again"
        )
    if error:
        return (
            f"{run.key}: {error}. The {records} records before that place were handed on; have "
            "the ERP write the file again"
        )
    if records == 0:
        return (
            f"{run.key}: no element of the file matches a record path of {pin.key}; compare the "
            "paths under `records` with the file"
        )
    return None


def exhausted_problem(run: Run, records: int, tries: int) -> str:
    """Say that reading stopped again and again after so many records, and what to do."""
    return (
        f"{run.key}: the splitter was stopped {tries} times after record {records}, most likely by "
        "a record too large for its memory. The records before that place were handed on; give the "
        "function more memory, or have the ERP write the file without that record"
    )
