"""The mapping language: one YAML file says how an ERP's XML becomes products of the PIM.

`load_mapping` reads and validates the file, `compile_mapping` makes a `Program` of it, the program
identifies and maps records; `payload` is the line that is sent.

Names are loaded when they are asked for: the DAM flow shares types of this package, and its
functions need not load an XML library for them when they start.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
_ELSEWHERE = {
    "Mapping": "loading",
    "MappingError": "loading",
    "load_mapping": "loading",
    "Program": "program",
    "compile_mapping": "program_compiling",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{_ELSEWHERE.get(name, 'result')}")
    return getattr(module, name)
