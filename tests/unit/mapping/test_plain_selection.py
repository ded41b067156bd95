"""Plain paths do without XPath: they select what XPath selects, in any record."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pim_connector.mapping.context import View, record_node
from pim_connector.mapping.xpath import compile_xpath

NAMES = ("a", "b", "p:a", "p:b")
NAMESPACES: tuple[dict[str, str], ...] = (
    {"p": "urn:p"},
    {"p": "urn:p", "default": "urn:d"},
    {"p": "*"},
    {"p": "urn:p", "default": "*"},
)
TEXT = st.sampled_from(("", " ", "x", "ö", "<![CDATA[<a>]]>", "<!-- a -->", "<?a b?>"))
ATTRIBUTES = st.sampled_from(("", ' x="1"', ' x="" p:x="2"', ' xmlns="urn:d"', ' xmlns=""'))
STEPS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join)
PATHS = st.one_of(STEPS, STEPS.map("{}/@x".format), st.just("@x"))


def element(inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def written(name: str, attributes: str, parts: list[str]) -> str:
        return f"<{name}{attributes}>{''.join(parts)}</{name}>"

    return st.builds(written, st.sampled_from(NAMES), ATTRIBUTES, st.lists(inside, max_size=5))


RECORDS = element(
    st.recursive(TEXT, lambda inside: st.one_of(TEXT, element(inside)), max_leaves=12)
)


@given(RECORDS, PATHS, st.sampled_from(NAMESPACES))
def test_a_plain_path_selects_what_xpath_selects(
    xml: str, path: str, namespaces: dict[str, str]
) -> None:
    skeleton = '<r xmlns:p="urn:p"><a><?pim-connector-record?>{}</a></r>'
    record = record_node(skeleton.format(xml))
    view = View({}, {}, record, lambda *_: [])
    plain = compile_xpath(path, namespaces)
    full = compile_xpath(f"./{path}", namespaces)
    for node in record.iter("*"):
        assert [*plain.select(node, view)] == [*full.select(node, view)]
        assert plain.holds(node, view) == full.holds(node, view)
