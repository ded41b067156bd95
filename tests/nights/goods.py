"""What the ERP of a seed sells: items as plain data, the PIM's catalogue for them, two mappings.

The mappings differ in what they make of an item: the second one changes the title and adds a note.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any, Literal
from xml.sax.saxutils import escape, quoteattr

POISON = "poison"
"""A title with this in it breaks the PIM's process each time."""
MOST_STOCK = 1000
NEVER = ("N1", "N2")
"""Products that no file ever has."""
SIZES = ("s", "m", "l", "xl")
COLORS = ("Red", "Blue", "Sea Green", "Amber", "Ivory", "Jet")

Kind = Literal["simple", "model", "sub", "variant"]
_CHANGING: dict[Kind, tuple[str, ...]] = {
    "simple": ("title", "note", "stock", "color", "category"),
    "model": ("title", "category"),
    "sub": (),
    "variant": ("stock", "note"),
}


@dataclass(frozen=True, kw_only=True)
class Item:
    """One product or product model as the ERP writes it down."""

    kind: Kind
    no: str
    title: str = ""
    note: str = ""
    stock: str = ""
    color: str = ""
    size: str = ""
    category: str = ""
    parent: str = ""
    root: str = ""
    gone: bool = False
    also: tuple[str, ...] = ()
    """Products that are offered beside this one."""
    parts: tuple[tuple[str, int], ...] = ()
    """Products that this one is a set of, and how many of each."""

    @property
    def targets(self) -> set[str]:
        """The products that it is linked to."""
        return {*self.also, *(no for no, _ in self.parts)}

    @property
    def resource(self) -> str:
        return "product_model" if self.kind in ("model", "sub") else "product"

    @property
    def key(self) -> tuple[str, str]:
        return self.resource, self.no


def _attribute(code: str, kind: str, **more: Any) -> dict[str, Any]:
    plain = {"group": "other", "localizable": False, "scopable": False, "unique": False}
    return {"code": code, "type": f"pim_catalog_{kind}", "labels": {}, **plain, **more}


CATALOG: dict[str, Any] = {
    "locales": [{"code": "en_US", "enabled": True}],
    "currencies": [{"code": "EUR", "enabled": True}],
    "channels": [
        {
            "code": "shop",
            "labels": {},
            "currencies": ["EUR"],
            "locales": ["en_US"],
            "category_tree": "all",
            "conversion_units": {},
        }
    ],
    "categories": [
        {"code": "all", "parent": None, "labels": {}},
        {"code": "old", "parent": "all", "labels": {}},
        {"code": "new", "parent": "all", "labels": {}},
    ],
    "association_types": [
        {"code": "ALSO", "labels": {}, "is_two_way": False, "is_quantified": False},
        {"code": "SET", "labels": {}, "is_two_way": False, "is_quantified": True},
    ],
    "measurement_families": [
        {
            "code": "Weight",
            "labels": {},
            "standard_unit_code": "KILOGRAM",
            "units": {
                "KILOGRAM": {
                    "code": "KILOGRAM",
                    "labels": {},
                    "convert_from_standard": [{"operator": "mul", "value": "1"}],
                    "symbol": "kg",
                }
            },
        }
    ],
    "attribute_groups": [{"code": "other", "sort_order": 1, "labels": {}}],
    "attributes": [
        _attribute("sku", "identifier", unique=True),
        _attribute("title", "text", max_characters=60),
        _attribute("note", "text", max_characters=60),
        _attribute(
            "stock",
            "number",
            decimals_allowed=False,
            negative_allowed=False,
            number_max=str(MOST_STOCK),
        ),
        _attribute("color", "simpleselect"),
        _attribute("size", "simpleselect"),
    ],
    "attribute_options": [
        {"code": size, "attribute": "size", "sort_order": 1, "labels": {}} for size in SIZES
    ],
    "families": [
        {
            "code": "goods",
            "attributes": ["sku", "title", "note", "stock", "color", "size"],
            "attribute_as_label": "title",
            "attribute_requirements": {"shop": ["sku"]},
            "labels": {},
        }
    ],
    "family_variants": [
        {
            "code": "by_size",
            "family": "goods",
            "labels": {},
            "variant_attribute_sets": [
                {"level": 1, "axes": ["size"], "attributes": ["size", "sku", "stock", "note"]}
            ],
        },
        {
            "code": "by_color_size",
            "family": "goods",
            "labels": {},
            "variant_attribute_sets": [
                {"level": 1, "axes": ["color"], "attributes": ["color"]},
                {"level": 2, "axes": ["size"], "attributes": ["size", "sku", "stock", "note"]},
            ],
        },
    ],
}

_COLOR = "{ from: color, options: create, steps: [code], labels: { en_US: color } }"
_MAPPING = """version: 1
source:
@EXPORTS@
  duplicates: last_wins
@ORDER@
records:
  model:
    path: /export/item
    when: "@kind = 'model' and not(@gone)"
    resource: product_model
    identifier: "@no"
    family_variant: { from: "@variants" }
    categories: category
    values:
      title: @TITLE@
  sub:
    path: /export/item
    when: "@kind = 'sub' and not(@gone)"
    resource: product_model
    identifier: "@no"
    parent: "@parent"
    family_variant: { from: "@variants" }
    values:
      color: @COLOR@
  variant:
    path: /export/item
    when: "@kind = 'variant' and not(@gone)"
    identifier: "@no"
    parent: "@parent"
    root_model: "@root"
    family: goods
    values:
      size: size
      stock: @STOCK@
@NOTE@
  simple:
    path: /export/item
    when: "@kind = 'simple' and not(@gone)"
    identifier: "@no"
    family: goods
    categories: category
    associations:
      ALSO: { products: also }
    quantified_associations:
      SET: { products: { each: part, from: "@no", quantity: "@count" } }
    values:
      title: @TITLE@
      stock: @STOCK@
      color: @COLOR@
@NOTE@
"""


_FULL = "  exports: full\n  missing_products: disable\n  max_missing_share: 40%"


def mapping_text(number: int, *, stamped: bool, full: bool, always: bool, reversible: bool) -> str:
    """Write mapping 1 or 2; `stamped` has the order read from the file's head.

    With `full`, products that are not in a file are disabled, if they are not too many. With
    `always`, the stock is the ERP's whatever people do in the PIM. What a `reversible` one has set
    can be undone.
    """
    exports = _FULL if full else "  exports: delta"
    exports += "\n  reversible: true" if reversible else ""
    order = '  order: "/export/@stamp"' if stamped else ""
    title = "title" if number == 1 else '{ from: title, steps: [{ prefix: "new " }] }'
    stock = "{ from: stock, owner: always }" if always else "stock"
    note = "" if number == 1 else "      note: note"
    text = (
        _MAPPING.replace("@EXPORTS@", exports).replace("@ORDER@", order).replace("@TITLE@", title)
    )
    return text.replace("@NOTE@", note).replace("@COLOR@", _COLOR).replace("@STOCK@", stock)


def rendered(items: tuple[Item, ...], stamp: str) -> list[str]:
    """Write the file's parts: its head, one part per item, its tail."""
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<export stamp={quoteattr(stamp)}>\n'
    return [head, *map(_element, items), "</export>\n"]


def _element(item: Item) -> str:
    variants = (
        "by_color_size" if item.kind == "sub" or item.root or item.no[0] == "R" else "by_size"
    )
    given = {"kind": item.kind, "no": item.no, "parent": item.parent, "root": item.root}
    given |= {"gone": "1"} if item.gone else {}
    given |= {"variants": variants} if item.resource == "product_model" else {}
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in given.items() if value)
    told = {
        "title": item.title,
        "note": item.note,
        "stock": item.stock,
        "color": item.color,
        "size": item.size,
        "category": item.category,
    }
    inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in told.items() if text)
    inner += "".join(f"<also>{escape(no)}</also>" for no in item.also)
    inner += "".join(f'<part no="{no}" count="{count}"/>' for no, count in item.parts)
    return f"<item{attributes}>{inner}</item>\n"


def draw_goods(chance: Random) -> list[Item]:
    """Draw what there is to sell: simple products, models with variants, some with sub-models."""
    goods: list[Item] = []
    for n in range(chance.randint(2, 9)):
        goods.append(changed(Item(kind="simple", no=f"S{n}"), chance))
    for m in range(chance.choice((0, 1, 1, 2))):
        goods.append(changed(Item(kind="model", no=f"M{m}"), chance))
        for size in SIZES[: chance.randint(1, 4)]:
            variant = Item(kind="variant", no=f"M{m}-{size}", parent=f"M{m}", size=size)
            goods.append(changed(variant, chance))
    for r in range(chance.choice((0, 0, 1))):
        goods.append(changed(Item(kind="model", no=f"R{r}"), chance))
        for color in chance.sample(COLORS, chance.randint(1, 2)):
            sub = f"R{r}-{color[:3]}"
            goods.append(Item(kind="sub", no=sub, parent=f"R{r}", color=color))
            for size in SIZES[: chance.randint(1, 3)]:
                number = f"{sub}-{size}"
                variant = Item(kind="variant", no=number, parent=sub, root=f"R{r}", size=size)
                goods.append(changed(variant, chance))
    return _linked(goods, chance) if chance.random() < 0.5 else goods


def _linked(goods: list[Item], chance: Random) -> list[Item]:
    """Link some of the simple products to others, some of which come later, or never."""
    known = [item.no for item in goods if item.resource == "product"]
    return [
        linked(item, known, chance) if item.kind == "simple" and chance.random() < 0.5 else item
        for item in goods
    ]


def linked(item: Item, known: list[str], chance: Random) -> Item:
    """Give the item other links."""
    others = [no for no in known if no != item.no] + [chance.choice(NEVER)]
    also = tuple(sorted(chance.sample(others, min(len(others), chance.randint(1, 3)))))
    parts: tuple[tuple[str, int], ...] = ()
    if chance.random() < 0.5:
        some = sorted(chance.sample(others, min(len(others), chance.randint(1, 2))))
        parts = tuple((no, chance.randint(1, 4)) for no in some)
    return replace(item, also=also, parts=parts)


def changed(item: Item, chance: Random) -> Item:
    """Give the item other values, all of them good; some stay as they are."""
    drawn: dict[str, Any] = {
        "title": _title(chance),
        "note": _title(chance),
        "stock": str(chance.randint(0, 9)),
        "color": chance.choice(COLORS),
        "category": chance.choice(("old", "new")),
    }
    names = {name for name in _CHANGING[item.kind] if _stays_not(getattr(item, name), chance)}
    return replace(item, **{name: text for name, text in drawn.items() if name in names})


def _stays_not(text: str, chance: Random) -> bool:
    return chance.random() < 0.6 or not text


def spoiled(item: Item, chance: Random) -> Item:
    """Give the item a value that the mapping or the PIM will not take."""
    if item.kind == "model":
        return replace(item, category="nowhere")
    if item.kind == "sub":
        return item
    bad = chance.choice(("word", "much", "place"))
    if bad == "place" and item.kind == "simple":
        return replace(item, category="nowhere")
    return replace(item, stock="many" if bad == "word" else str(MOST_STOCK + 1))


def is_good(item: Item) -> bool:
    """Say whether a PIM with this catalogue takes the item, its parent aside."""
    if item.category == "nowhere" or POISON in item.title:
        return False
    return not item.stock or (item.stock.isdigit() and int(item.stock) <= MOST_STOCK)


def _title(chance: Random) -> str:
    return f"{chance.choice(('bag', 'tent', 'lamp & co', 'dürre Stange'))} {chance.randint(1, 4)}"
