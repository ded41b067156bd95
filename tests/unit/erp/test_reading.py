"""What a record is, where it is, and what travels with it."""

# ruff: noqa: E501 - XML and mappings are written as they are in a file

from __future__ import annotations

import gzip
import io
import zipfile
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from pim_connector.erp.reader import read_order, read_records
from pim_connector.errors import ConfigurationError
from pim_connector.mapping.results import Mapped, payload
from pim_connector.records import SourceRecord, UnreadableFileError, fingerprint
from tests.unit.erp.reading_world import PLAIN, compiled_mapping_of, opener, reader_of, records_of

TWO = '<catalog>\n<product sku="1"><name>A</name></product>\n<product sku="2"/>\n</catalog>'


def skus(records: list[SourceRecord], mapping: str = PLAIN) -> list[str | None]:
    compiled = compiled_mapping_of(mapping)
    return [getattr(compiled.identify(record), "identifier", None) for record in records]


def values(record: SourceRecord, mapping: str) -> dict[str, object]:
    """The data of the record's values by attribute, of those without locale and channel."""
    mapped = compiled_mapping_of(mapping).map(record, None)
    assert isinstance(mapped, Mapped), mapped
    return {slot.key[1]: slot.data for slot in mapped.slots if slot.key[0] == "values"}


def test_records_come_in_document_order_with_number_and_line() -> None:
    records = records_of(TWO)
    assert [(record.number, record.line, record.rule) for record in records] == [
        (1, 2, "product"),
        (2, 3, "product"),
    ]
    assert skus(records) == ["1", "2"]


def test_line_numbers_are_right_beyond_65535() -> None:
    records = records_of(
        "<catalog>" + "\n" * 70_000 + '<product sku="1"/>\n\n<product sku="2"/></catalog>'
    )
    assert [record.line for record in records] == [70_001, 70_003]


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 17, 64])
def test_how_the_stream_is_cut_into_pieces_makes_no_difference(piece: int) -> None:
    text = (
        '<catalog><product sku="Ä&gt;"><name a=">"/><b/></product><product sku=\'2\' /></catalog>'
    )
    assert records_of(text, piece=piece) == records_of(text)
    assert skus(records_of(text, piece=piece)) == ["Ä>", "2"]


def test_empty_elements_and_greater_signs_do_not_shift_the_cut() -> None:
    text = '<catalog><product sku="/>"/><product sku="b">x/></product><product sku="c"></product></catalog>'
    assert [record.xml.partition("?>")[2] for record in records_of(text)] == [
        '<product sku="/>"/></catalog>',
        '<product sku="b">x/></product></catalog>',
        '<product sku="c"></product></catalog>',
    ]


def test_an_element_of_the_same_name_inside_a_record_is_no_record() -> None:
    text = '<catalog><product sku="1"><related><product sku="9"/></related></product></catalog>'
    assert skus(records_of(text)) == ["1"]


def test_names_with_dots_hyphens_and_other_scripts_are_names() -> None:
    mapping = """
version: 1
records:
  r: {path: /каталог/mantle.product.Product-1, identifier: "@id", values: {n: имя.п-1}}
"""
    text = '<каталог><mantle.product.Product-1 id="1"><имя.п-1>Да</имя.п-1></mantle.product.Product-1></каталог>'
    assert values(records_of(text, mapping)[0], mapping) == {"n": "Да"}


def test_prefixes_of_the_mapping_need_not_be_those_of_the_file() -> None:
    mapping = """
version: 1
namespaces: {default: "urn:a", p: "urn:b"}
records:
  r: {path: /feed/entry, identifier: p:id, values: {t: title, l: "p:x/@lang", w: "title[@p:k='1']"}}
"""
    text = (
        '<a:feed xmlns:a="urn:a"><a:entry xmlns="urn:b" xmlns:q="urn:b"><id>1</id>'
        '<a:title q:k="1">T</a:title><x lang="de"/></a:entry></a:feed>'
    )
    assert values(records_of(text, mapping)[0], mapping) == {"t": "T", "l": "de", "w": "T"}


def test_records_inside_records_each_have_only_their_own_values() -> None:
    mapping = """
version: 1
records:
  model: {path: /c/m, resource: product_model, identifier: "@id", family_variant: fv, values: {names: {from: .//name, steps: [{join: "+"}]}}}
  variant: {path: /c/m/variants/v, identifier: "@id", parent: ../../@id, values: {names: {from: .//name, steps: [{join: "+"}]}}}
"""
    text = '<c><m id="M"><name>model</name><variants><v id="1"><name>one</name></v><v id="2"><name>two</name></v></variants></m></c>'
    records = records_of(text, mapping)
    assert [record.rule for record in records] == ["model", "variant", "variant"]
    assert [values(record, mapping) for record in records] == [
        {"names": "model"},
        {"names": "one"},
        {"names": "two"},
    ]
    compiled = compiled_mapping_of(mapping)
    assert [getattr(compiled.identify(r), "family_key", None) for r in records] == ["M", "M", "M"]


def test_a_rule_may_keep_the_records_inside() -> None:
    mapping = """
version: 1
records:
  model: {path: /c/m, nested: keep, resource: product_model, identifier: "@id", family_variant: fv, values: {n: {from: count(v), type: number}}}
  variant: {path: /c/m/v, identifier: "@id"}
"""
    records = records_of('<c><m id="M"><v id="1"/><v id="2"/></m></c>', mapping)
    assert values(records[0], mapping) == {"n": "2"}


def test_a_record_may_be_seen_within_an_ancestor_that_is_kept_whole() -> None:
    mapping = """
version: 1
records:
  variant:
    path: /c/m/v
    within: /c/m
    identifier: "@id"
    values: {brand: ../brand, note: ../note, others: {from: count(../v), type: number}}
"""
    text = '<c><m><brand>Acme</brand><v id="1"/><v id="2"/><note>late</note></m></c>'
    assert [values(record, mapping) for record in records_of(text, mapping)] == [
        {"brand": "Acme", "note": "late", "others": "1"},
        {"brand": "Acme", "note": "late", "others": "1"},
    ]


def test_values_of_ancestors_attributes_are_read_and_count_for_the_fingerprint() -> None:
    mapping = """
version: 1
records:
  p: {path: /c/g/p, identifier: "@id", values: {group: ../@code}}
"""
    first, second = (
        records_of(f'<c x="{x}"><g code="{x}"><p id="1"/></g></c>', mapping)[0] for x in "AB"
    )
    assert values(first, mapping) == {"group": "A"}
    assert fingerprint(first) != fingerprint(second)


def test_formatting_and_ancestors_the_mapping_does_not_look_at_leave_the_fingerprint_alone() -> (
    None
):
    one = records_of('<catalog><product sku="1"><name>A</name></product></catalog>')[0]
    other = records_of(
        '<?xml version="1.0"?>\n<!-- made at noon -->\n<catalog made="noon">\n\n  <x/>'
        '<product sku="1"><name>A</name></product>\n</catalog>'
    )[0]
    changed = records_of('<catalog><product sku="1"><name>B</name></product></catalog>')[0]
    assert fingerprint(one) == fingerprint(other)
    assert fingerprint(one) != fingerprint(changed)
    assert len(fingerprint(one)) == 12


def test_fingerprints_are_those_that_sync_states_hold() -> None:
    plain = SourceRecord(number=1, line=1, rule="product", xml='<p sku="Größe"/>')
    more = replace(plain, head={"a": "b"}, tables={"t": {"k": [{"c": "v"}]}})
    assert fingerprint(plain).hex() == "58f32fc02d22e2155718a20c"
    assert fingerprint(more).hex() == "b9a48a6c75505620e8715bac"


HEAD = """
version: 1
head: {currency: /c/head/currency, unused: /c/head/day}
records:
  p: {path: /c/p, identifier: "@id", values: {price: {from: price, currency: {from: $currency}}}}
"""


@pytest.mark.parametrize(
    "text",
    [
        "<c><head><currency>EUR</currency><day>{day}</day></head>{p}</c>",
        "<c>{p}<head><currency>EUR</currency><day>{day}</day></head></c>",
    ],
    ids=["before the records", "after the records"],
)
def test_head_values_are_known_to_all_records_and_only_those_used_travel(text: str) -> None:
    product = '<p id="1"><price>2</price></p>'
    record, later = (records_of(text.format(p=product, day=day), HEAD)[0] for day in (1, 2))
    assert values(record, HEAD) == {"price": [{"amount": "2", "currency": "EUR"}]}
    assert record.head == {"currency": "EUR"}
    assert fingerprint(record) == fingerprint(later)


def test_a_head_value_that_is_there_twice_is_refused() -> None:
    with pytest.raises(UnreadableFileError, match=r"the head value currency .* found 2 values"):
        records_of(
            '<c><head><currency>A</currency><currency>B</currency></head><p id="1"/></c>', HEAD
        )


def test_the_order_of_an_export_is_read_from_its_head_or_refused() -> None:
    mapping = PLAIN + "source: {order: /catalog/@made}\n"
    compiled = compiled_mapping_of(mapping)
    assert read_order(
        opener(b'<catalog made="2024-01-02"><product sku="1"/>'), compiled
    ) == datetime(2024, 1, 2, tzinfo=UTC)
    assert read_order(opener(b"<x/>"), compiled_mapping_of(PLAIN)) is None
    with pytest.raises(UnreadableFileError, match="finds no value"):
        read_order(opener(b"<catalog/>"), compiled)


def test_a_time_that_cannot_be_ordered_is_refused_with_how_to_say_its_format() -> None:
    mapping = PLAIN + "source: {order: /catalog/@made}\n"
    export = opener(b'<catalog made="31.01.2024"/>')
    with pytest.raises(UnreadableFileError, match=r"31\.01\.2024.*date: dd\.MM\.yyyy"):
        read_order(export, compiled_mapping_of(mapping))
    stepped = "source: {order: {from: /catalog/@made, steps: [{date: dd.MM.yyyy}]}}\n"
    found = read_order(export, compiled_mapping_of(PLAIN + stepped))
    assert found == datetime(2024, 1, 31, tzinfo=UTC)


def test_a_time_without_zone_is_that_of_the_mappings_time_zone() -> None:
    said = "source: {order: /catalog/@made, time_zone: Europe/Berlin}\n"
    found = read_order(
        opener(b'<catalog made="2024-07-01T02:00:00"/>'), compiled_mapping_of(PLAIN + said)
    )
    assert found == datetime(2024, 7, 1, 0, tzinfo=UTC)


def test_a_time_zone_that_nobody_knows_is_a_problem_of_the_mapping() -> None:
    said = "source: {order: /catalog/@made, time_zone: Europe/Berlln}\n"
    with pytest.raises(ConfigurationError, match=r"source\.time_zone.*Europe/Berlin"):
        compiled_mapping_of(PLAIN + said)


TABLES = """
version: 1
tables:
  categories: {path: /c/cats/cat, key: "@id", columns: {name: ., parent: "@parent"}}
  parents: {path: /c/p, each: variants/v, key: ., columns: {model: ../../@id}}
  prices: {file: prices, path: /prices/row, each: price, key: ../sku, columns: {amount: ., currency: "@c", list: "@list"}}
records:
  p:
    path: /c/p
    identifier: "@id"
    parent: {from: "@id", steps: [{lookup: parents, column: model}]}
    values:
      path: {from: cat, steps: [{ancestors: categories, column: parent}, {lookup: categories, column: name}, {join: " > "}]}
      price: {each: {table: prices, key: "@id"}, when: "list = 'B2C'", from: amount, currency: {from: currency}}
"""
CATALOG = (
    b'<c><p id="M"><variants><v>1</v></variants></p><p id="1"><cat>3</cat></p>'
    b'<cats><cat id="1">Root</cat><cat id="2" parent="1">Mid</cat><cat id="3" parent="2">Leaf</cat></cats></c>'
)
PRICES = (
    b'<prices><row><sku>1</sku><price list="B2C" c="EUR">5</price><price list="B2B" c="EUR">4</price>'
    b'<price list="B2C" c="USD">6</price></row></prices>'
)


def test_tables_before_and_after_the_records_and_of_a_second_file_are_looked_up() -> None:
    compiled = compiled_mapping_of(TABLES)
    records = list(read_records(opener(CATALOG), compiled, others={"prices": opener(PRICES)}))
    mapped = compiled.map(records[1], None)
    assert isinstance(mapped, Mapped)
    assert payload(mapped) == {
        "identifier": "1",
        "parent": "M",
        "values": {
            "path": [{"locale": None, "scope": None, "data": "Root > Mid > Leaf"}],
            "price": [
                {
                    "locale": None,
                    "scope": None,
                    "data": [
                        {"amount": "5", "currency": "EUR"},
                        {"amount": "6", "currency": "USD"},
                    ],
                }
            ],
        },
    }


def test_only_the_rows_a_record_uses_travel_with_it_and_they_count_for_the_fingerprint() -> None:
    compiled = compiled_mapping_of(TABLES)
    records = list(read_records(opener(CATALOG), compiled, others={"prices": opener(PRICES)}))
    assert set(records[1].tables["categories"]) == {"1", "2", "3"}
    assert "categories" not in records[0].tables
    renamed = CATALOG.replace(b">Mid<", b">Middle<")
    again = list(read_records(opener(renamed), compiled, others={"prices": opener(PRICES)}))
    assert fingerprint(again[0]) == fingerprint(records[0])
    assert fingerprint(again[1]) != fingerprint(records[1])


def test_a_second_file_that_is_not_given_is_asked_for_by_name() -> None:
    with pytest.raises(ConfigurationError, match="needs a second file named prices"):
        list(read_records(opener(CATALOG), compiled_mapping_of(TABLES)))


def test_a_second_file_that_is_cut_off_fails_the_reading() -> None:
    with pytest.raises(
        UnreadableFileError, match="in the second file prices: the file ends in the middle"
    ):
        list(
            read_records(
                opener(CATALOG), compiled_mapping_of(TABLES), others={"prices": opener(PRICES[:-9])}
            )
        )


def test_parents_that_go_in_a_circle_are_an_error_of_the_record() -> None:
    circle = CATALOG.replace(b'<cat id="1">', b'<cat id="1" parent="3">')
    compiled = compiled_mapping_of(TABLES)
    records = list(read_records(opener(circle), compiled, others={"prices": opener(PRICES)}))
    assert "go in a circle" in str(compiled.map(records[1], None))


ROUTED = """
version: 1
records:
  model: {path: /c/p, when: "@type = 'model'", resource: product_model, identifier: "@id", family_variant: fv}
  product: {path: /c/p, when: "@type = 'simple'", identifier: "@id"}
"""


def test_records_of_one_path_go_to_the_first_rule_whose_condition_holds() -> None:
    records = records_of(
        '<c><p id="1" type="simple"/><p id="2" type="model"/><p id="3"/></c>', ROUTED
    )
    assert [record.rule for record in records] == ["product", "model", "product"]
    compiled = compiled_mapping_of(ROUTED)
    assert [type(compiled.identify(record)).__name__ for record in records] == [
        "Identity",
        "Identity",
        "Filtered",
    ]


def test_one_element_may_give_a_model_and_a_product() -> None:
    mapping = """
version: 1
records:
  model: {path: /c/p, continue: true, resource: product_model, identifier: style, family_variant: fv}
  product: {path: /c/p, identifier: sku, parent: style}
"""
    records = records_of(
        "<c><p><style>S</style><sku>1</sku></p><p><style>S</style><sku>2</sku></p></c>", mapping
    )
    assert [(record.number, record.rule) for record in records] == [
        (1, "model"),
        (2, "product"),
        (3, "model"),
        (4, "product"),
    ]


@pytest.mark.parametrize("skip", [0, 1, 2, 3, 4, 9])
def test_reading_goes_on_after_the_records_that_are_skipped(skip: int) -> None:
    text = "<catalog>" + "\n".join(f'<product sku="{n}"/>' for n in range(4)) + "</catalog>"
    compiled = compiled_mapping_of(PLAIN)
    rest = list(read_records(opener(text.encode()), compiled, skip=skip))
    assert rest == records_of(text)[skip:]


def test_a_truncated_file_gives_its_whole_records_and_then_a_clear_error() -> None:
    reader = reader_of('<catalog>\n<product sku="1"/>\n<product sku="2"><name>A</na')
    assert next(reader).number == 1
    with pytest.raises(UnreadableFileError, match="the file ends in the middle") as error:
        next(reader)
    assert (error.value.line, error.value.records_read) == (3, 1)


@pytest.mark.parametrize("piece", [30, 97, 250, 1 << 16])
def test_all_records_before_an_illegal_character_are_given(piece: int) -> None:
    mapping = """
version: 1
records:
  product: {path: /c/p, identifier: "@id"}
  part: {path: /c/p/part, identifier: "@id"}
"""
    comment, product = f"<!-- {'x' * 1_100} -->", '<p id="1"><part id="1a"/></p>'
    reader = reader_of(f"<c>{comment}{product * 3}\x01</c>", mapping, piece=piece)
    assert [next(reader).number for _ in range(6)] == [*range(1, 7)]
    with pytest.raises(UnreadableFileError, match="U\\+0001 is not allowed"):
        next(reader)


def test_broken_xml_is_an_error_with_line_and_column() -> None:
    with pytest.raises(
        UnreadableFileError, match="this is not XML, or not well-formed XML"
    ) as error:
        records_of('<catalog>\n<product sku="1"><name>Q & A</name></product></catalog>')
    assert error.value.line == 2
    assert error.value.column is not None


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty: 0 bytes"),
        (b"  \n ", "only white space"),
        (b"sku;name\n1;A\n", "this is not XML"),
        (b'{"products": []}', "this is not XML"),
        (b"\n<?xml version='1.0'?><catalog/>", "something stands before the XML declaration"),
    ],
)
def test_what_is_no_xml_is_named(data: bytes, message: str) -> None:
    with pytest.raises(UnreadableFileError, match=message.replace("(", r"\(")):
        records_of(data)


def test_a_path_without_records_is_answered_by_what_the_file_holds() -> None:
    with pytest.raises(UnreadableFileError) as error:
        records_of('<Catalog><Products><Product sku="1"/></Products></Catalog>')
    assert "no record at /catalog/product" in str(error.value)
    assert "/Catalog/Products/Product" in str(error.value)


def test_a_path_in_another_namespace_is_answered_by_how_to_declare_it() -> None:
    with pytest.raises(
        UnreadableFileError, match="/catalog/product in the namespace urn:x; declare"
    ):
        records_of('<catalog xmlns="urn:x"><product sku="1"/></catalog>')


def test_an_empty_list_is_an_export_without_changes() -> None:
    assert records_of("<catalog/>") == []


def test_gzip_and_zip_are_known_by_their_content() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/", "")
        archive.writestr("folder/x.txt", TWO)
    for data in (gzip.compress(TWO.encode()), packed.getvalue()):
        assert records_of(data) == records_of(TWO)
    half = len(TWO) // 2
    members = gzip.compress(TWO[:half].encode()) + gzip.compress(TWO[half:].encode())
    assert records_of(members) == records_of(TWO)


def test_entities_of_the_internal_subset_are_expanded_where_records_use_them() -> None:
    text = (
        '<!DOCTYPE catalog [<!ENTITY uuml "&#252;"><!ENTITY co "A &amp; <b>B&uuml;</b>">'
        '<!ENTITY q "say &#34;hi&#34;">]>'
        '<catalog><product sku="&q;"><name>&co;<![CDATA[&co;]]></name></product></catalog>'
    )
    (record,) = records_of(text)
    mapped = compiled_mapping_of(PLAIN).map(record, None)
    assert isinstance(mapped, Mapped)
    assert mapped.identifier == 'say "hi"'
    assert mapped.slots[0].data == "A & Bü&co;"


def test_a_record_stands_by_itself_with_the_namespaces_of_its_ancestors() -> None:
    mapping = """
version: 1
namespaces: {g: "urn:g"}
records: {r: {path: /f/e, identifier: g:id}}
"""
    (record,) = records_of('<f xmlns:g="urn:g"><e><g:id>1</g:id></e></f>', mapping)
    assert skus([record], mapping) == ["1"]


def test_an_undeclared_prefix_on_the_way_is_an_error_of_the_file() -> None:
    with pytest.raises(UnreadableFileError, match="prefix `g` of <g:product> is not declared"):
        records_of('<catalog><g:product sku="1"/></catalog>')


def test_an_undeclared_prefix_inside_a_record_is_an_error_of_that_record() -> None:
    records = records_of('<catalog><product sku="1"><g:x/></product><product sku="2"/></catalog>')
    assert skus(records) == [None, "2"]


def test_an_asterisk_for_an_address_means_any_namespace_or_none() -> None:
    mapping = """
version: 1
namespaces: {default: "*", any: "*", b: "urn:b"}
head: {day: /Root/Day, made: /Root/@any:made}
tables: {units: {path: /Root/Units/Unit, key: "@Code", columns: {name: .}}}
records:
  r:
    path: /Root/Item
    identifier: No
    values:
      name: Text[@lang = 'de' and not(Missing)]
      second: Text[2]
      unit: {from: Unit, steps: [{lookup: units, column: name}]}
      exact: {from: b:Text | Missing}
      any: "@any:code"
      plain: "@code"
      seen: concat($day, '/', $made, '/', local-name(Text[1]), '/', count(*), '/', 2 * 3)
"""
    inside = (
        'made="7"><Units><Unit Code="u">Stück</Unit></Units><Day>1</Day><p:Item p:code="c" '
        'xmlns:p="urn:b" xmlns:q="urn:c"><q:No>1</q:No><q:Text lang="de">Rad</q:Text>'
        "<p:Text>Bike</p:Text><Unit>u</Unit></p:Item>"
    )
    for root, end in (
        ('<Root xmlns="urn:v7" ', "</Root>"),
        ("<Root ", "</Root>"),
        ('<x:Root xmlns:x="urn:v7" x:', "</x:Root>"),
    ):
        (record,) = records_of(root + inside + end, mapping)
        assert values(record, mapping) == {
            "name": "Rad",
            "second": "Bike",
            "unit": "Stück",
            "exact": "Bike",
            "any": "c",
            "seen": "1/7/Text/4/6",
        }
