"""What is said of a file that holds none of the wanted records, where the path has wildcards."""

from __future__ import annotations

import pytest

from pim_connector.records import UnreadableFileError
from tests.unit.erp.reading_world import records_of


def mapping(path: str) -> str:
    return f"version: 1\nrecords:\n  product: {{path: {path}, identifier: '@sku', values: {{}}}}\n"


@pytest.mark.parametrize("path", ["/*/list/product", "/catalog/*/product", "//product"])
def test_a_namespace_that_the_mapping_does_not_declare_is_named(path: str) -> None:
    file = '<catalog xmlns="urn:x"><list><product sku="1"/></list></catalog>'
    with pytest.raises(UnreadableFileError, match="/catalog/list/product in the namespace urn:x"):
        records_of(file, mapping(path))


def test_a_namespace_that_the_file_does_not_have_is_told() -> None:
    file = '<catalog><list><product sku="1"/></list></catalog>'
    declared = "namespaces: {default: 'urn:x'}\n" + mapping("/catalog/*/product")
    with pytest.raises(UnreadableFileError, match="in no namespace; take `default` out"):
        records_of(file, declared)


def test_an_empty_list_under_a_root_of_any_name_is_no_error() -> None:
    assert records_of("<shop><head>x</head><list/></shop>", mapping("/*/list/product")) == []


@pytest.mark.parametrize("path", ["/shop/*/product", "/shop//product"])
def test_where_the_list_has_no_name_an_empty_element_is_not_taken_for_it(path: str) -> None:
    with pytest.raises(UnreadableFileError, match="no record at"):
        records_of("<shop><head>x</head></shop>", mapping(path))
