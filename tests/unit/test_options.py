from __future__ import annotations

from pim_connector.akeneo.structure import Attribute, AttributeOption, Structure
from pim_connector.mapping.results import WantedOption
from pim_connector.sync.options import missing_options

STRUCTURE = Structure(
    attributes=(Attribute(code="color", type="pim_catalog_simpleselect"),),
    attribute_options=(AttributeOption(code="Red", attribute="color"),),
)


def wanted(code: str, **labels: str) -> WantedOption:
    return WantedOption(attribute="color", code=code, labels=labels)


def test_an_option_the_pim_has_in_any_case_is_not_created() -> None:
    assert missing_options([wanted("red"), wanted("RED")], STRUCTURE) == ()


def test_an_option_many_products_want_is_created_once_with_the_labels_of_all() -> None:
    options = [wanted("teal", en_US="Teal"), wanted("Teal", de_DE="Blaugrün", en_US="other")]

    (created,) = missing_options(options, STRUCTURE)

    assert created.code == "teal"
    assert created.labels == {"en_US": "Teal", "de_DE": "Blaugrün"}
