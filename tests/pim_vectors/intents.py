"""User intents of the recorded set-up as the body of a PATCH."""

from collections.abc import Callable
from typing import Any

Body = dict[str, Any]
Resolve = Callable[[str], str]

_VALUES = {
    "SetBooleanValue": "value",
    "SetDateValue": "value",
    "SetSimpleSelectValue": "value",
    "SetMultiSelectValue": "values",
    "SetTextareaValue": "value",
    "SetTextValue": "value",
    "SetNumberValue": "value",
    "SetImageValue": "imagePath",
    "SetFileValue": "filePath",
    "SetIdentifierValue": "value",
}


class UnknownStepError(ValueError):
    """The recorded set-up has a step that is not understood."""


def body_of(intents: Any, resolve: Resolve) -> Body:
    """The PATCH body for a list of intents; a plain object is one already."""
    if isinstance(intents, dict):
        return dict(intents)
    body: Body = {}
    for intent in intents or []:
        _add(body, intent, resolve)
    return body


def _add(body: Body, intent: dict[str, Any], resolve: Resolve) -> None:
    match kind := intent["$class"]:
        case "SetCategories":
            body["categories"] = intent["categoryCodes"]
        case "SetGroups":
            body["groups"] = intent["groupCodes"]
        case "SetFamily":
            body["family"] = intent["familyCode"]
        case "ChangeParent":
            body["parent"] = intent["parentCode"]
        case "SetEnabled":
            body["enabled"] = intent["enabled"]
        case "AssociateProducts":
            _associate(body, intent, "products", intent["productIdentifiers"])
        case "AssociateProductModels":
            _associate(body, intent, "product_models", intent["productModelCodes"])
        case "AssociateGroups":
            _associate(body, intent, "groups", intent["groupCodes"])
        case "AssociateQuantifiedProducts":
            _quantify(body, intent, "products", intent["quantifiedProducts"])
        case "AssociateQuantifiedProductModels":
            _quantify(body, intent, "product_models", intent["quantifiedProductModels"])
        case "SetMeasurementValue":
            _value(body, intent, {"amount": intent["amount"], "unit": intent["unit"]})
        case "SetPriceCollectionValue":
            _value(body, intent, intent["priceValues"])
        case _ if kind in _VALUES:
            _value(body, intent, _plain(intent[_VALUES[kind]], resolve))
        case _:
            raise UnknownStepError(f"user intent {kind}")


def _plain(data: Any, resolve: Resolve) -> Any:
    if isinstance(data, dict) and "$date" in data:
        return data["$date"]
    return resolve(data) if isinstance(data, str) else data


def _value(body: Body, intent: dict[str, Any], data: Any) -> None:
    entry = {
        "scope": intent.get("channelCode"),
        "locale": intent.get("localeCode"),
        "data": data,
    }
    body.setdefault("values", {}).setdefault(intent["attributeCode"], []).append(entry)


def _associate(body: Body, intent: dict[str, Any], kind: str, targets: list[str]) -> None:
    types = body.setdefault("associations", {})
    types.setdefault(intent["associationType"], {})[kind] = targets


def _quantify(body: Body, intent: dict[str, Any], kind: str, targets: list[Any]) -> None:
    types = body.setdefault("quantified_associations", {})
    types.setdefault(intent["associationType"], {})[kind] = [
        {"identifier": target["entityIdentifier"], "quantity": target["quantity"]}
        for target in targets
    ]
