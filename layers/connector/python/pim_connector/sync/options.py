"""Creates the select options that products need, in bulk, before the products are sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from pim_connector.akeneo import LineOutcome, Refused, Unanswered, Upserted
from pim_connector.akeneo.structure import AttributeOption, Structure
from pim_connector.errors import TransientError

if TYPE_CHECKING:
    from pim_connector.akeneo import AkeneoClient
    from pim_connector.mapping.results import WantedOption

LINES_PER_CALL = 100


class OptionsCreated(Struct, frozen=True, kw_only=True):
    """Options that the PIM has now, and why it has not the others, by (attribute, code)."""

    created: tuple[AttributeOption, ...]
    refused: dict[tuple[str, str], str]


def missing_options(
    wanted: Iterable[WantedOption], structure: Structure
) -> tuple[AttributeOption, ...]:
    """Return the wanted options that the PIM does not have, each once, labels joined. Pure.

    Codes are compared without case, as the PIM does: `Red` is not created beside `red`.
    """
    missing: dict[tuple[str, str], AttributeOption] = {}
    for option in wanted:
        if structure.option(option.attribute, option.code) is not None:
            continue
        key = (option.attribute, option.code.casefold())
        known = missing.get(key)
        missing[key] = AttributeOption(
            code=known.code if known else option.code,
            attribute=option.attribute,
            labels=option.labels | (known.labels if known else {}),
        )
    return tuple(missing.values())


def create_options(pim: AkeneoClient, options: Sequence[AttributeOption]) -> OptionsCreated:
    """Create options, 100 of one attribute a call, at the pace the client was given.

    TransientError where the PIM did not answer for one: nobody knows whether it is there.
    """
    created: list[AttributeOption] = []
    refused: dict[tuple[str, str], str] = {}
    for attribute, chunk in _calls(options):
        answers = pim.upsert_attribute_options(attribute, [_body(option) for option in chunk])
        for option, answer in zip(chunk, answers, strict=True):
            if isinstance(answer, Upserted):
                created.append(option)
            elif isinstance(answer, Refused):
                refused[(attribute, option.code)] = _words(answer)
            else:
                raise _unanswered(option, answer)
    return OptionsCreated(created=tuple(created), refused=refused)


def _calls(options: Iterable[AttributeOption]) -> Iterator[tuple[str, list[AttributeOption]]]:
    by_attribute: dict[str, list[AttributeOption]] = defaultdict(list)
    for option in options:
        by_attribute[option.attribute].append(option)
    for attribute, group in by_attribute.items():
        for start in range(0, len(group), LINES_PER_CALL):
            yield attribute, group[start : start + LINES_PER_CALL]


def _body(option: AttributeOption) -> dict[str, object]:
    return {"code": option.code, "attribute": option.attribute, "labels": option.labels}


def _words(answer: Refused) -> str:
    return "; ".join(error.message for error in answer.errors) or answer.message


def _unanswered(option: AttributeOption, answer: LineOutcome) -> TransientError:
    why = answer.message if isinstance(answer, Unanswered) else ""
    return TransientError(f"option {option.code} of attribute {option.attribute}: {why}")
