"""The `search` filters of product and product model lists that a connector asks with.

Source: https://api.akeneo.com/documentation/filter.html.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from simulators.akeneo.attribute import IDENTIFIER, Attribute
from simulators.akeneo.catalog import Catalog
from simulators.akeneo.entities import Product, ProductModel
from simulators.akeneo.phpjson import InvalidJsonError, decode, type_name
from simulators.akeneo.pim import Pim
from simulators.akeneo.refusal import Refusal
from simulators.akeneo.standard import all_categories
from simulators.akeneo.variants import all_values, family_variant_of

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
    return _compare(field, operator, value, lambda entity: read(pim, entity), pim.now())


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
    return _compare(code, operator, value, read, pim.now())


def _limit(field: str, value: list[Any]) -> None:
    if len(value) > MAX_IN:
        raise Refusal(422, f'Property "{field}" expects at most {MAX_IN} values for IN.')


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _compare(
    field: str, operator: str, value: Any, read: Callable[[Any], Any], now: datetime
) -> Test:
    if operator == "SINCE LAST N DAYS":
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Refusal(
                422,
                f'Property "{field}" expects a numeric as data, "{type_name(value)}" given.',
            )
        moment = (now - timedelta(days=value)).astimezone(UTC)
        return lambda entity: _moment(read(entity)) > moment
    if field in ("updated", "created"):
        return _time_test(field, operator, value, read)
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


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _time_test(field: str, operator: str, value: Any, read: Callable[[Any], Any]) -> Test:
    texts = value if isinstance(value, list) else [value]
    try:
        moments = [_moment(str(text)) for text in texts]
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
