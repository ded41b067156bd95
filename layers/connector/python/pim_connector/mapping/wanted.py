"""The options of selects that a record needs, and may have created."""

from __future__ import annotations

from pim_connector.mapping.result import Json, WantedOption
from pim_connector.mapping.rules import Beside
from pim_connector.mapping.view import to_text


def wanted_options(attribute: str, data: Json, beside: Beside) -> list[WantedOption]:
    """The options of a select's `data`; labels are taken in the order of the values."""
    codes = data if isinstance(data, list) else [data]
    wanted = []
    for n, code in enumerate(codes):
        labels = {
            locale: to_text(texts[n])
            for locale, texts in beside.labels.items()
            if n < len(texts) and len(texts) == len(codes) and texts[n] != ""
        }
        wanted.append(WantedOption(attribute=attribute, code=str(code), labels=labels))
    return wanted
