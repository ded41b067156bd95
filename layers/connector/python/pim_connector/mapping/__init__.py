"""The mapping language: one YAML file says how an ERP's XML becomes products of the PIM.

`load_mapping` reads and validates the file, `compile_mapping` makes a `Program` of it, the program
identifies and maps records; `payload` is the line that is sent.
"""

from pim_connector.mapping.loading import Mapping, MappingError, load_mapping
from pim_connector.mapping.program import Program
from pim_connector.mapping.program_compiling import compile_mapping
from pim_connector.mapping.result import (
    FieldError,
    Filtered,
    Identity,
    Mapped,
    Media,
    Rejected,
    Slot,
    WantedOption,
    payload,
)

__all__ = [
    "FieldError",
    "Filtered",
    "Identity",
    "Mapped",
    "Mapping",
    "MappingError",
    "Media",
    "Program",
    "Rejected",
    "Slot",
    "WantedOption",
    "compile_mapping",
    "load_mapping",
    "payload",
]
