"""Products as they are read: found by `search`, shown in the API's standard format."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from simulators.akeneo.catalog import (
    FILE,
    IDENTIFIER,
    IMAGE,
    METRIC,
    NUMBER,
    PRICE,
    Attribute,
    Catalog,
)
from simulators.akeneo.phpjson import InvalidJsonError, decode, is_numeric, type_name
from simulators.akeneo.pim import KINDS, Pim, Product, ProductModel, Values
from simulators.akeneo.product_rules import all_values, family_variant_of
from simulators.akeneo.refusal import Refusal

Json = dict[str, Any]


def product_json(pim: Pim, product: Product, base: str, *, by_uuid: bool) -> Json:
    """One product; `base` is the API's root URL for media links. `by_uuid`: no identifier."""
    shown: Json = {"uuid": product.uuid}
    if not by_uuid:
        shown["identifier"] = pim.identifier_of(product)
    return shown | {
        "enabled": product.enabled,
        "family": product.family,
        "categories": all_categories(pim, product),
        "groups": sorted(product.groups),
        "parent": product.parent,
        "values": values_json(pim, all_values(pim, product), base),
        "created": pim.shown(product.created),
        "updated": pim.shown(product.updated),
        "associations": associations_json(pim, product, by_uuid=by_uuid),
        "quantified_associations": quantified_json(pim, product, by_uuid=by_uuid),
    }


def model_json(pim: Pim, model: ProductModel, base: str) -> Json:
    """One product model, with the values of its parent."""
    row = family_variant_of(pim, model)
    return {
        "code": model.code,
        "family": row["family"] if row else None,
        "family_variant": model.family_variant,
        "parent": model.parent,
        "categories": all_categories(pim, model),
        "values": values_json(pim, all_values(pim, model), base),
        "created": pim.shown(model.created),
        "updated": pim.shown(model.updated),
        "associations": associations_json(pim, model, by_uuid=False),
        "quantified_associations": quantified_json(pim, model, by_uuid=False),
    }


def all_categories(pim: Pim, entity: Product | ProductModel) -> list[str]:
    """Codes of the entity's and its ancestors' categories, in alphabetical order."""
    codes = set(entity.categories)
    for model in pim.ancestors_of(entity):
        codes.update(model.categories)
    return sorted(codes)


def values_json(pim: Pim, values: Values, base: str) -> Json:
    """Values by attribute code, each a list over locales and channels."""
    shown: Json = {}
    for (code, channel, locale), data in values.items():
        attribute = pim.catalog.attributes.get(code)
        if attribute is None:
            continue
        entry = {"locale": locale, "scope": channel, "data": data_json(pim, attribute, data)}
        if attribute.type in (FILE, IMAGE):
            href = f"{base}/media-files/{quote(str(data))}/download"
            entry["_links"] = {"download": {"href": href}}
        shown.setdefault(code, []).append(entry)
    return shown


def data_json(pim: Pim, attribute: Attribute, data: Any) -> Any:
    """The data of a value: numbers as strings of at least 4 decimals, prices of 2.

    SaaS shows the symbol of a unit besides its code.
    """
    if attribute.type == NUMBER:
        return _amount(data, attribute.decimals_allowed, 4)
    if attribute.type == METRIC:
        amount = _amount(data["amount"], attribute.decimals_allowed, 4)
        shown = {"amount": amount, "unit": data["unit"]}
        if pim.edition.saas:
            family = pim.catalog.symbols.get(attribute.metric_family or "", {})
            shown["symbol"] = family.get(data["unit"])
        return shown
    if attribute.type == PRICE:
        return [
            {
                "amount": _amount(price["amount"], attribute.decimals_allowed, 2),
                "currency": price["currency"],
            }
            for price in data
        ]
    return data


def _amount(amount: Any, decimals: bool, places: int) -> Any:
    if not is_numeric(amount):
        return amount
    try:
        number = Decimal(str(amount).strip())
    except InvalidOperation:
        return amount
    if not decimals:
        return int(number)
    text = f"{number:f}"
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.rstrip('0'):0<{places}}"


def associations_json(pim: Pim, entity: Product | ProductModel, *, by_uuid: bool) -> Json:
    """Every association type that is not quantified, with the links of the ancestors."""
    shown: Json = {}
    for row in pim.catalog.rows["association_types"].values():
        if row["is_quantified"]:
            continue
        links: dict[str, list[str]] = {kind: [] for kind in KINDS}
        for holder in (*reversed(pim.ancestors_of(entity)), entity):
            for kind, targets in holder.associations.get(row["code"], {}).items():
                links[kind] += [target for target in targets if target not in links[kind]]
        if not by_uuid:
            links["products"] = _identifiers(pim, links["products"])
        shown[row["code"]] = links
    return shown


def _identifiers(pim: Pim, uuids: list[str]) -> list[str]:
    products = (pim.products[uuid] for uuid in uuids if uuid in pim.products)
    found = (pim.identifier_of(product) for product in products)
    return [identifier for identifier in found if identifier is not None]


def quantified_json(pim: Pim, entity: Product | ProductModel, *, by_uuid: bool) -> Json:
    """The quantified links with those of the ancestors; the entity's own quantity wins."""
    merged: dict[str, dict[str, dict[str, int]]] = {}
    for holder in (*reversed(pim.ancestors_of(entity)), entity):
        for code, kinds in holder.quantified.items():
            links = merged.setdefault(code, {"products": {}, "product_models": {}})
            for kind, targets in kinds.items():
                links.setdefault(kind, {}).update(targets)
    return {
        code: {
            "products": [
                _quantified_product(pim, uuid, quantity, by_uuid)
                for uuid, quantity in kinds["products"].items()
            ],
            "product_models": [
                {"identifier": model, "quantity": quantity}
                for model, quantity in kinds["product_models"].items()
            ],
        }
        for code, kinds in merged.items()
    }


def _quantified_product(pim: Pim, uuid: str, quantity: int, by_uuid: bool) -> Json:
    product = pim.products.get(uuid)
    if by_uuid or product is None:
        return {"uuid": uuid, "quantity": quantity}
    return {"identifier": pim.identifier_of(product), "quantity": quantity}


Entity = Product | ProductModel
Test = Callable[[Any], bool]
MAX_IN = 100


def find_products(pim: Pim, query: Mapping[str, str]) -> list[Product]:
    """Products that match all filters; raises `Refusal` 400 or 422 for filters that are wrong."""
    criteria = _criteria(query, status=400)
    tests = [_test(pim, query, field, criterion) for field, criterion in criteria]
    return [item for item in pim.products.values() if all(test(item) for test in tests)]


def find_models(pim: Pim, query: Mapping[str, str]) -> list[ProductModel]:
    """Product models that match all filters; raises `Refusal` 422 for filters that are wrong."""
    criteria = _criteria(query, status=422)
    tests = [_test(pim, query, field, criterion) for field, criterion in criteria]
    return [item for item in pim.models.values() if all(test(item) for test in tests)]


def _criteria(query: Mapping[str, str], *, status: int) -> list[tuple[str, dict[str, Any]]]:
    if "search" not in query:
        return []
    try:
        search = decode(query["search"].encode())
    except InvalidJsonError:
        raise Refusal(status, "Search query parameter should be valid JSON.") from None
    if search == []:
        return []
    if not isinstance(search, dict):
        raise Refusal(422, f'Search query parameter has to be an array, "{query["search"]}" given.')
    found = []
    for field, entries in search.items():
        if not isinstance(entries, list):
            raise Refusal(
                422,
                f'Structure of filter "{field}" should respect this structure: '
                '{"%s":[{"operator": "my_operator", "value": "my_value"}]}' % field,
            )
        for entry in entries:
            if not isinstance(entry, dict) or "operator" not in entry:
                raise Refusal(422, f'Operator is missing for the property "{field}".')
            if not isinstance(entry["operator"], str):
                given = type_name(entry["operator"])
                raise Refusal(422, f'Operator has to be a string, "{given}" given.')
            found.append((field, entry))
    return found


def _test(pim: Pim, query: Mapping[str, str], field: str, criterion: dict[str, Any]) -> Test:
    operator, value = criterion["operator"], criterion.get("value")
    if field in pim.catalog.attributes:
        return _value_test(pim, query, field, criterion)
    if field == "parent" and operator == "=":
        return lambda entity: _folded(value) in _as_set([m.code for m in pim.ancestors_of(entity)])
    read = _FIELDS.get(field)
    if read is None:
        text = f'"{field}" does not exist or you do not have permission to access it.'
        raise Refusal(404, text)
    for code in value if field == "categories" and isinstance(value, list) else ():
        if pim.catalog.find("categories", code) is None:
            raise Refusal(422, f'Category "{code}" does not exist.')
    return _compare(pim, field, operator, value, lambda entity: read(pim, entity))


def _place(
    catalog: Catalog, query: Mapping[str, str], attribute: Attribute, criterion: dict[str, Any]
) -> tuple[str | None, str | None]:
    """Channel and locale of a filter, by itself or for all filters of the query."""
    channel = criterion.get("scope", query.get("search_scope")) if attribute.scopable else None
    locale = criterion.get("locale", query.get("search_locale")) if attribute.localizable else None
    name = f'Attribute "{attribute.code}"'
    if attribute.localizable and locale is None:
        raise Refusal(422, f"{name} expects a locale, none given.")
    if locale is not None and locale not in catalog.active_locales:
        raise Refusal(422, f'Locale "{locale}" does not exist or is not activated.')
    if attribute.scopable and channel is None:
        raise Refusal(422, f"{name} expects a scope, none given.")
    if channel is not None and catalog.find("channels", channel) is None:
        raise Refusal(422, f'{name} expects an existing scope, "{channel}" given.')
    return channel, locale


def _value_test(pim: Pim, query: Mapping[str, str], code: str, criterion: dict[str, Any]) -> Test:
    attribute = pim.catalog.attributes[code]
    key = (code, *_place(pim.catalog, query, attribute, criterion))

    def read(entity: Entity) -> Any:
        data = all_values(pim, entity).get(key)
        return data["amount"] if isinstance(data, dict) else data

    operator, value = criterion["operator"], criterion.get("value")
    if attribute.type == IDENTIFIER and operator in ("IN", "NOT IN") and isinstance(value, list):
        _limit(code, value)
    return _compare(pim, code, operator, value, read)


def _limit(field: str, value: list[Any]) -> None:
    if len(value) > MAX_IN:
        raise Refusal(422, f'Property "{field}" expects at most {MAX_IN} values for IN.')


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _compare(pim: Pim, field: str, operator: str, value: Any, read: Callable[[Any], Any]) -> Test:
    if operator == "SINCE LAST N DAYS":
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Refusal(
                422,
                f'Property "{field}" expects a numeric as data, "{type_name(value)}" given.',
            )
        moment = (pim.now() - timedelta(days=value)).astimezone(UTC)
        return lambda entity: _moment(read(entity)) > moment
    if field in ("updated", "created"):
        return _time_test(field, operator, value, read, pim.time_zone)
    if operator in ("IN", "NOT IN"):
        if not isinstance(value, list):
            raise Refusal(
                422, f'Property "{field}" expects an array as data, "{type_name(value)}" given.'
            )
        wanted = {_folded(item) for item in value}
        is_in = operator == "IN"
        return lambda entity: bool(wanted & _as_set(read(entity))) == is_in
    compare = _OPERATORS.get(operator)
    if compare is None:
        raise Refusal(
            422,
            f'Filter on property "{field}" is not supported or does not support '
            f'operator "{operator}"',
        )
    return lambda entity: compare(_folded(read(entity)), _folded(value))


def _as_set(value: Any) -> set[Any]:
    items = value if isinstance(value, (list, tuple)) else [value]
    return {_folded(item) for item in items}


def _moment(text: str, zone: tzinfo = UTC) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _time_test(
    field: str, operator: str, value: Any, read: Callable[[Any], Any], zone: tzinfo
) -> Test:
    texts = value if isinstance(value, list) else [value]
    try:
        moments = [_moment(str(text), zone) for text in texts]
    except ValueError:
        raise Refusal(
            422,
            f'Property "{field}" expects a string with the format "yyyy-mm-dd H:i:s" as data, '
            f'"{value}" given.',
        ) from None
    tests: dict[str, Test] = {
        ">": lambda entity: _moment(read(entity)) > moments[0],
        "<": lambda entity: _moment(read(entity)) < moments[0],
        "=": lambda entity: _moment(read(entity)) == moments[0],
        "!=": lambda entity: _moment(read(entity)) != moments[0],
        "BETWEEN": lambda entity: moments[0] <= _moment(read(entity)) <= moments[-1],
        "NOT BETWEEN": lambda entity: not moments[0] <= _moment(read(entity)) <= moments[-1],
    }
    if operator not in tests:
        raise Refusal(
            422,
            f'Filter on property "{field}" is not supported or does not support '
            f'operator "{operator}"',
        )
    return tests[operator]


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda have, want: have == want or _number(have) == _number(want),
    "!=": lambda have, want: have != want,
    "<": lambda have, want: _number(have) < _number(want),
    "<=": lambda have, want: _number(have) <= _number(want),
    ">": lambda have, want: _number(have) > _number(want),
    ">=": lambda have, want: _number(have) >= _number(want),
    "EMPTY": lambda have, _: have in (None, "", []),
    "NOT EMPTY": lambda have, _: have not in (None, "", []),
    "CONTAINS": lambda have, want: isinstance(have, str) and str(want) in have,
    "DOES NOT CONTAIN": lambda have, want: isinstance(have, str) and str(want) not in have,
    "STARTS WITH": lambda have, want: isinstance(have, str) and have.startswith(str(want)),
}


def _code(pim: Pim, entity: Entity) -> Any:
    return entity.code if isinstance(entity, ProductModel) else pim.identifier_of(entity)


def _family(pim: Pim, entity: Entity) -> Any:
    if isinstance(entity, Product):
        return entity.family
    row = family_variant_of(pim, entity)
    return row["family"] if row else None


_FIELDS: dict[str, Callable[[Pim, Any], Any]] = {
    "uuid": lambda _, product: product.uuid,
    "identifier": _code,
    "code": _code,
    "family": _family,
    "enabled": lambda _, product: product.enabled,
    "groups": lambda _, product: product.groups,
    "categories": all_categories,
    "updated": lambda pim, entity: max(
        (entity.updated, *(model.updated for model in pim.ancestors_of(entity)))
    ),
    "created": lambda _, entity: entity.created,
    "parent": lambda _, entity: entity.parent,
    "family_variant": lambda _, model: model.family_variant,
}
