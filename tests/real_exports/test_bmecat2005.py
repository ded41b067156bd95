"""BMEcat 2005 by the starter docs/mappings/bmecat2005.yaml; values read in the files."""

from __future__ import annotations

from tests.real_exports.exports import (
    Export,
    field,
    labels,
    own_export,
    price,
    problems_of,
    real_export,
    value,
)

STARTER = "docs/mappings/bmecat2005.yaml"
PIM = "industrial.json"


def test_the_starter_fits_its_pim() -> None:
    assert problems_of(STARTER, PIM) == ()


class TestWeidmueller:
    """One product with 5,740 ECLASS features in a tree, two languages, entities escaped twice."""

    def export(self) -> Export:
        return real_export("bmecat2005_weidmueller_onto_1020000000.xml", STARTER, PIM)

    def test_the_one_product_is_mapped(self) -> None:
        assert self.export().states == {"mapped": 1}

    def test_texts_of_both_languages_with_their_entities(self) -> None:
        block = self.export()["1020000000"]
        assert value(block, "name", "de_DE") == "Durchgangs-Reihenklemme"
        assert value(block, "name", "en_US") == "Feed-through terminal block"
        assert value(block, "description", "de_DE") == (
            "Durchgangs-Reihenklemme, Schraubanschluss, 2.5 mm², 800 V, 24 A, dunkelbeige"
        )
        assert value(block, "keywords", "en_US") == "Feed-through terminal block"
        assert str(value(block, "keywords", "de_DE")).split(", ")[2] == "Durchgangsreihenklemme"

    def test_features_by_their_property_whatever_its_version(self) -> None:
        block = self.export()["1020000000"]
        assert value(block, "weight") == {"amount": "0.00751", "unit": "KILOGRAM"}
        assert value(block, "depth") == {"amount": "46.25", "unit": "MILLIMETER"}
        assert value(block, "height") == {"amount": "60", "unit": "MILLIMETER"}
        assert value(block, "width") == {"amount": "5.1", "unit": "MILLIMETER"}

    def test_a_choice_has_its_text_beside_its_reference(self) -> None:
        assert labels(self.export()["1020000000"], "mounting") == {"aufbau": {"de_DE": "Aufbau"}}

    def test_a_property_that_stands_in_the_tree_four_times_is_read_under_its_parent(self) -> None:
        block = self.export()["1020000000"]
        assert value(block, "rated_voltage") == {"amount": "800", "unit": "VOLT"}
        assert value(block, "rated_current") == {"amount": "24", "unit": "AMPERE"}
        assert value(block, "cross_section") == {"amount": "4", "unit": "SQUARE_MILLIMETER"}

    def test_accessories_and_the_price_that_has_no_amount(self) -> None:
        block = self.export()["1020000000"]
        links = field(block, "associations")
        assert isinstance(links, dict)
        accessories = links["X_SELL"]
        assert isinstance(accessories, dict)
        products = accessories["products"]
        assert isinstance(products, list)
        assert len(products) == 28
        assert products[0] == "1053660000"
        assert products[21] == "0517960000"  # with its leading zero
        assert value(block, "price_net_customer") is None


class TestOwnFile:
    def export(self) -> Export:
        return own_export("bmecat2005.xml", STARTER, PIM)

    def test_what_the_product_becomes(self) -> None:
        clamp = self.export()["K-1"]
        assert value(clamp, "name", "de_DE") == "Klemme 1,5 mm²"
        assert value(clamp, "name", "en_US") == "Terminal 1.5 mm²"
        assert value(clamp, "keywords", "de_DE") == "Klemme, Verbinder"
        assert value(clamp, "weight") == {"amount": "0.004", "unit": "KILOGRAM"}
        assert labels(clamp, "mounting") == {"auf_putz": {"de_DE": "Auf Putz"}}
        assert value(clamp, "rated_voltage") == {"amount": "500", "unit": "VOLT"}
        assert value(clamp, "price_net_list") == price("1.2", "EUR")
        assert field(clamp, "associations") == {"X_SELL": {"products": ["K-9"]}}

    def test_a_text_in_a_language_nobody_mapped_rejects_the_product(self) -> None:
        assert self.export().states == {"mapped": 1, "rejected": 1}
        (error,) = self.export().records[1].errors
        assert (error.attribute, error.message) == ("name", '"fra" is not in the map')
