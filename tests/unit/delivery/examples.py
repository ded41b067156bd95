"""Small records, messages and mapped products for the tests of deliveries."""

from __future__ import annotations

from typing import Any

from pim_connector.mapping.language import Owner
from pim_connector.mapping.results import Json, Mapped, Slot
from pim_connector.products.lines import Line
from pim_connector.sync.messages import MappingPin, MessageRecord, ProductMessage
from pim_connector.sync.state import StateEntry

ORDER = "2026-01-02T00:00:00Z|b.xml|2"
OLDER = "2026-01-01T00:00:00Z|a.xml|1"
NEWER = "2026-01-03T00:00:00Z|c.xml|3"
DIGEST = "0123456789abcdef"
FINGERPRINT = b"\x01" * 12


def value(attribute: str, data: Json, owner: Owner = "on_change", locale: str = "") -> Slot:
    return Slot(key=("values", attribute, locale, ""), data=data, owner=owner)


def mapped(*slots: Slot, **changes: Any) -> Mapped:
    fields: dict[str, Any] = {
        "resource": "product",
        "identifier": "shoe",
        "family_key": "shoe",
        "parent": None,
        "slots": slots,
    }
    return Mapped(**fields | changes)


def record(number: int = 7, identifier: str = "shoe", **changes: Any) -> MessageRecord:
    fields: dict[str, Any] = {
        "number": number,
        "line": number,
        "rule": "products",
        "identifier": identifier,
        "family_key": identifier,
        "fingerprint": FINGERPRINT,
        "xml": "<item/>",
    }
    return MessageRecord(**fields | changes)


def message(*records: MessageRecord, **changes: Any) -> ProductMessage:
    fields: dict[str, Any] = {
        "run": "run-2",
        "source": "shop",
        "id": "000001",
        "group": 0,
        "order": ORDER,
        "mapping": MappingPin(key="config/erp/shop.yaml", version="v", digest=DIGEST),
        "resource": "product",
        "records": records,
    }
    return ProductMessage(**fields | changes)


def entry(identifier: str = "shoe", **changes: Any) -> StateEntry:
    fields: dict[str, Any] = {
        "source": "shop",
        "resource": "product",
        "identifier": identifier,
        "order": OLDER,
        "fingerprint": FINGERPRINT,
        "mapping": DIGEST,
        "slots": b"",
        "run": "run-1",
        "record": 3,
    }
    return StateEntry(**fields | changes)


def line(*slots: Slot, sent: tuple[Slot, ...] | None = None, **changes: Any) -> Line:
    mapping = {key: changes.pop(key) for key in ("refused", "resource") if key in changes}
    fields: dict[str, Any] = {
        "record": record(),
        "mapped": mapped(*slots, **mapping),
        "entry": None,
        "slots": slots if sent is None else sent,
    }
    return Line(**fields | changes)
