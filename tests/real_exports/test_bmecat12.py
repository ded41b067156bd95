"""BMEcat 1.01 and 1.2 by the starter docs/mappings/bmecat12.yaml; values read in the files."""

from __future__ import annotations

from pim_connector.mapping.results import Json
from tests.real_exports.exports import (
    Export,
    field,
    labels,
    media,
    own_export,
    price,
    problems_of,
    real_export,
    value,
)

STARTER = "docs/mappings/bmecat12.yaml"
PIM = "industrial.json"
NO_NAMESPACE = (
    "namespaces:\n  default: http://www.bmecat.org/bmecat/1.2/bmecat_new_catalog\n",
    "",
)


def metric(amount: str, unit: str) -> Json:
    return {"amount": amount, "unit": unit}


def test_the_starter_fits_its_pim() -> None:
    assert problems_of(STARTER, PIM) == ()


class TestNewCatalog101:
    """The sample of the standard's authors: decimal commas, factors, two currencies."""

    def export(self) -> Export:
        return real_export("bmecat101_new_catalog_ok.xml", STARTER, PIM, NO_NAMESPACE)

    def test_both_articles_are_mapped(self) -> None:
        assert self.export().states == {"mapped": 2}

    def test_prices_with_a_comma_are_multiplied_by_their_factor_in_each_currency(self) -> None:
        shirt = self.export()["54-Charlie-R"]
        assert value(shirt, "price_net_customer") == [
            {"amount": "13.784", "currency": "DEM"},  # 17,23 times ,8
            {"amount": "6.888", "currency": "EUR"},  # 8,61 times ,8
        ]
        assert value(shirt, "price_net_list") == [
            {"amount": "16", "currency": "DEM"},
            {"amount": "8", "currency": "EUR"},
        ]

    def test_a_price_without_currency_is_in_that_of_the_head(self) -> None:
        shirt = self.export()["54-Dennis-B"]
        assert value(shirt, "price_net_customer") == price("17.23", "DEM")
        assert value(shirt, "price_net_list") == price("20", "DEM")

    def test_texts_are_in_the_language_of_the_head(self) -> None:
        shirt = self.export()["54-Charlie-R"]
        assert value(shirt, "name", "de_DE") == "Freizeithemd Charlie"
        assert value(shirt, "description", "de_DE") == "Das modische Hemd der Extraklasse."
        assert value(shirt, "keywords", "de_DE") == "Oberhemd, Strandhemd"

    def test_features_order_data_and_dates(self) -> None:
        shirt = self.export()["54-Charlie-R"]
        assert value(shirt, "weight") == metric("500", "GRAM")
        assert labels(shirt, "colour") == {"rot": {"de_DE": "Rot"}}
        assert value(shirt, "content_per_order_unit") == "6"
        assert value(shirt, "price_valid_from") == "1999-10-01"
        assert value(shirt, "price_valid_to") == "2000-03-31"
        assert value(shirt, "tax_rate") == "16"
        assert value(self.export()["54-Dennis-B"], "weight") == metric("200", "GRAM")

    def test_the_catalogue_group_stands_behind_the_articles(self) -> None:
        shirt = self.export()["54-Charlie-R"]
        assert field(shirt, "categories") == ["bmecat_5"]
        assert value(shirt, "category_path") == "Oberbekleidung > Hemden"

    def test_pictures_papers_and_references(self) -> None:
        shirt = self.export()["54-Charlie-R"]
        assert media(shirt) == {"image": "charlie.jpg", "datasheet": "charlie.pdf"}
        assert field(shirt, "associations") == {
            "SUBSTITUTION": {"products": ["57-Roger-S"]},
            "UPSELL": {"products": ["54-Dennis-B"]},
        }


class TestEbero:
    """ISO-8859-1, no namespace, texts broken over lines, eCl@ss, scales of prices."""

    def export(self) -> Export:
        return real_export("bmecat12_ebero_iso8859.xml", STARTER, PIM, NO_NAMESPACE)

    def test_all_articles_are_mapped(self) -> None:
        assert self.export().states == {"mapped": 32}

    def test_a_text_over_several_lines_is_one_line(self) -> None:
        wheel = self.export()["132111946810"]
        assert value(wheel, "name", "de_DE") == (
            "Handrad-Set-2 1 mit Befestigungsmaterial DN 100 / 150, 315 mm, 19 mm Vierkant"
        )

    def test_umlauts_of_latin_1(self) -> None:
        sleeve = self.export()["980024702150"]
        assert value(sleeve, "name", "de_DE") == (
            "Muffen-Überschieber SMU-R DN 150, 168,3 x 159,0, PN 16, BL 500 mm"
        )
        assert value(sleeve, "delivery_days") == 30
        assert value(sleeve, "eclass") == "22360605"
        assert labels(sleeve, "brand")["franz_schuck_gmbh"]["de_DE"] == "Franz Schuck GmbH"
        film = self.export()["652630017100"]
        assert value(film, "description", "de_DE") == (
            "Thermofit WPC-C30 WPC-C30-17X100-RL Korrosionsschutz von Schweißnähten (Rolle à 30 m)"
        )
        assert value(film, "order_unit") == "RO"
        assert value(film, "price_net_customer") == price("406.15", "EUR")

    def test_of_a_scale_of_prices_the_one_for_the_smallest_quantity_is_taken(self) -> None:
        wheel = self.export()["132111946810"]
        assert value(wheel, "price_net_customer") == price("17.98", "EUR")
        assert value(wheel, "tax_rate") == "19"  # 0.19 in the file

    def test_the_picture_that_says_there_is_no_picture_is_none(self) -> None:
        assert media(self.export()["132111946810"]) == {}
        pictures = [media(r).get("image") for r in self.export().records]
        assert pictures.count(None) == 25
        assert pictures.count("41100f.jpg") == 3
        assert "tn_41100f.jpg" not in {p for r in self.export().records for p in media(r).values()}


class TestFischer:
    """nexMart: 726 groups before one article, rows named "-", names with dots, two price types."""

    def export(self) -> Export:
        return real_export("bmecat12_fischer_nexmart_udx.xml", STARTER, PIM)

    def test_the_one_article_is_mapped_once(self) -> None:
        assert self.export().states == {"mapped": 1}
        assert self.export().records[0].line == 34684

    def test_rows_named_dash_are_kept_apart_by_their_block(self) -> None:
        slide = self.export()["079685"]
        assert value(slide, "selling_points", "de_DE") == (
            "Brandschutzprüfung F120.\nMuster-Leitungsanlagen-Richtlinien Prüfung MLAR F30."
        )
        assert str(value(slide, "benefits", "de_DE")).startswith("Die zweifache Rohrabstützung")

    def test_measures_prices_and_names_with_dots(self) -> None:
        slide = self.export()["079685"]
        assert value(slide, "package_height") == metric("0.135", "METER")
        assert value(slide, "gross_weight") == metric("4.158", "KILOGRAM")
        assert value(slide, "price_net_list") == price("17.779", "EUR")
        assert value(slide, "price_retail") == price("21.15701", "EUR")
        assert value(slide, "material_surcharge") == "6"
        assert value(slide, "pipe_diameter") == "bis DN 80"
        assert value(slide, "short_name", "de_DE") == "fischer Schiebeschlitten SBS M8"
        assert value(slide, "ean") == "4006209796856"

    def test_the_path_in_a_tree_of_726_groups(self) -> None:
        slide = self.export()["079685"]
        assert field(slide, "categories") == ["bmecat_1001344406"]
        assert value(slide, "category_path") == (
            "Installationssysteme > Gleitelemente > Schiebeschlitten SBS"
        )

    def test_pictures_by_purpose(self) -> None:
        found = media(self.export()["079685"])
        assert found["image"] == "p_p_sbs001_f__sall__app__v1.jpg"
        assert found["image_2"] == "a_i_01_518-gleitelement-konsole__sall__app__v1.jpg"
        assert found["datasheet"] == "lt_01_samo-sbs-n_f__sde__aip__v1.pdf"
        assert "p_p_sbs001_f__sall__ail__v1.jpg" not in found.values()  # the thumbnail


class TestKsTools:
    """A DTD that is not there, escaped HTML, parts of a set, two groups of one article."""

    def export(self) -> Export:
        return real_export("bmecat12_pilz_full_dtd.xml", STARTER, PIM)

    def test_the_one_article_is_mapped_without_its_dtd(self) -> None:
        assert self.export().states == {"mapped": 1}

    def test_escaped_html_is_html_once(self) -> None:
        text = str(value(self.export()["100.1180"], "description", "de_DE"))
        assert text.startswith('<ul><li class="liste">ideale Zusammenstellung für die fachgerechte')
        assert text.endswith('<li class="liste">in stabilem Kunststoffkoffer</li></ul>')

    def test_the_parts_of_the_set(self) -> None:
        links = field(self.export()["100.1180"], "quantified_associations")
        parts = ["150.2022", "150.2029", "150.2031", "516.1412", "516.1413", "911.1434", "911.1443"]
        parts += ["911.1444", "917.1431", "917.1432", "911.1442", "156.0111", "100.1182"]
        wanted = [{"identifier": part, "quantity": 1} for part in parts]
        assert links == {"CONSISTS_OF": {"products": wanted}}

    def test_both_groups_and_the_path_of_the_first(self) -> None:
        tools = self.export()["100.1180"]
        assert field(tools, "categories") == ["bmecat_1001587425", "bmecat_1001529129"]
        assert value(tools, "category_path") == (
            "KS Tools K15 > LKW-Spezialwerkzeuge > Rad- / Reifenmontage"
            " > Reifendruck-Kontrollsystem-Sätze"
        )

    def test_features_and_price(self) -> None:
        tools = self.export()["100.1180"]
        assert value(tools, "weight") == metric("2200", "GRAM")
        assert value(tools, "height") == metric("35", "MILLIMETER")
        assert value(tools, "parts") == 13
        assert value(tools, "price_retail") == price("255.97", "EUR")
        assert media(tools)["image"] == "FOT_PRO_ALG_AUTO_100.1180.1_SALL_AING_V1.jpg"
        assert media(tools)["image_2"] == "FOT_ANW_ALG_AUTO_100.1180.AW2_SALL_AING_V1.jpg"


class TestOwnFile:
    """The same dialect in a small file of the project."""

    def export(self) -> Export:
        return own_export("bmecat12.xml", STARTER, PIM)

    def test_a_value_that_is_no_number_in_an_unknown_unit_rejects_its_article_only(self) -> None:
        assert self.export().states == {"mapped": 2, "rejected": 1}
        rejected = self.export().records[2]
        assert [(e.attribute, e.value) for e in rejected.errors] == [("weight", "lbs")]

    def test_what_the_article_becomes(self) -> None:
        hammer = self.export()["H-100"]
        assert value(hammer, "name", "de_DE") == "Schlosserhammer 300 g"
        assert value(hammer, "description", "de_DE") == (
            "<p>Stiel aus Esche &amp; Kopf aus Stahl</p>"
        )
        assert value(hammer, "price_net_customer") == price("10", "EUR")
        assert value(hammer, "price_net_list") == price("15.25", "EUR")
        assert value(hammer, "weight") == metric("0.45", "KILOGRAM")
        assert labels(hammer, "colour") == {"hellgrun": {"de_DE": "Hellgrün"}}
        assert value(hammer, "selling_points", "de_DE") == "Geschmiedet.\nGehärtet."
        assert value(hammer, "short_name", "de_DE") == "Hammer 300 g"
        assert value(hammer, "category_path") == "Werkzeug > Hämmer"
        assert field(hammer, "enabled") is True
        assert media(hammer) == {"image": "h100.jpg", "image_2": "h100_side.jpg"}
        assert field(hammer, "quantified_associations") == {
            "CONSISTS_OF": {"products": [{"identifier": "H-900", "quantity": 2}]}
        }

    def test_a_deleted_article_is_switched_off(self) -> None:
        assert field(self.export()["H-050"], "enabled") is False
