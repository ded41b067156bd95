"""Generates small XML files of every kind that a reader can stumble over, by seed."""

from __future__ import annotations

import codecs
import gzip
import io
import zipfile
from dataclasses import dataclass
from random import Random

NAMESPACES = {"p": "urn:p", "q": "urn:q"}
PATHS = (
    "/r/item",
    "/r/g/item",
    "/r/*/item",
    "/r/*",
    "//item",
    "/r//item",
    "/r/item/item",
    "/r/p:item",
    "/r/item/n",
    "/p:r/item",
)
NAMES = ("item", "item", "item", "g", "n", "a", "b-1", "p:item", "p:x", "q:y", "имя", "_z.2")
TEXTS = (
    "x",
    "two words",
    " ",
    "\n",
    "\t",
    "ü",
    "€",
    "日本",
    "𝄞",
    "]] ",
    " ]>",
    "/>",
    "a>b",
    "'",
    '"',
    "-->",
    "&amp;",
    "&lt;item/&gt;",
    "&#65;",
    "&#x20AC;",
    "&#10;",
    "&#13;",
    "&quot;",
    "1" * 70,
)
ASIDES = (
    "<!-- <item>no</item> -->",
    "<!---->",
    "<!-- &x; -->",
    "<?pi <item> ?>",
    "<?pi?>",
    "<![CDATA[<item>&x;</item>]]>",
    "<![CDATA[]]>",
    "<![CDATA[a]]]]>",
    "<![CDATA[ ü ]]>",
)
ENCODINGS = (
    "utf-8",
    "utf-8",
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "iso-8859-1",
    "iso-8859-15",
    "windows-1252",
    "windows-1251",
    "shift_jis",
    "gb18030",
    "us-ascii",
)
DAMAGE = b"<>&\"'/;!?[]-= \n\r\tax0\x00\x01\x1b\x80\xe4\xff\xfe"


@dataclass(frozen=True, slots=True)
class Made:
    """A file as it arrives, the same unpacked, the paths asked for, and what may differ."""

    data: bytes
    plain: bytes
    paths: tuple[str, ...]
    piece: int
    damaged: bool
    dtd: bool
    lines: bool


def made(seed: int) -> Made:
    """Return the file of a seed; always the same one."""
    return _Maker(Random(seed)).file()  # noqa: S311 - the same for a seed


class _Maker:
    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.entities: list[str] = []
        self.newline = chance.choice(("\n", "\n", "\n", "\r\n", "\r"))
        self.lines = self.newline == "\n"
        self.size = 0
        self.marked = False

    def file(self) -> Made:
        chance = self.chance
        encoding = chance.choice(ENCODINGS)
        dtd = self.dtd() if chance.random() < 0.35 else ""
        body = self.element(0, "r" if chance.random() < 0.95 else "p:r")
        space = chance.choice(("", "", "\n", " <!-- <item/> --> ", "<?pi x?>"))
        text = (self.declaration(encoding) + space + dtd + space + body + space).replace(
            "\n", self.newline
        )
        damaged = chance.random() < 0.3
        plain = self.damaged(text, encoding) if damaged else self.encoded(text, encoding)
        paths = tuple(chance.sample(PATHS, chance.choice((1, 1, 2, 3))))
        piece = chance.choice((1, 2, 3, 7, 16, 64, 1 << 16))
        return Made(self.packed(plain), plain, paths, piece, damaged, bool(dtd), self.lines)

    def declaration(self, encoding: str) -> str:
        named = {"utf-8-sig": "utf-8", "utf-16-le": "utf-16", "utf-16-be": "utf-16"}
        name = named.get(encoding, encoding)
        needed = not encoding.startswith("utf")
        sheet = '<?xml-stylesheet href="x" encoding="iso-8859-15"?>'
        if not needed and self.chance.random() < 0.4:
            self.marked = True
            return self.chance.choice(("", sheet))
        quote = self.chance.choice("'\"")
        alone = self.chance.choice(("", "", ' standalone="no"'))
        return f"<?xml version={quote}1.0{quote} encoding={quote}{name}{quote}{alone}?>" + (
            self.chance.choice(("", "\n", sheet))
        )

    def dtd(self) -> str:
        chance = self.chance
        declared = []
        for number in range(chance.randrange(5)):
            known = "".join(f"&{name};" for name in self.entities[-2:] if chance.random() < 0.5)
            inside = chance.choice(("text", "&#38;amp;", "<n>in</n>", "<item>e</item>", "ü", " "))
            declared.append(f"<!ENTITY e{number} '{inside}{known}'>")
            self.entities.append(f"e{number}")
        outside = chance.choice(("", "", ' SYSTEM "x.dtd"', ' PUBLIC "-//X" "x.dtd"'))
        if not outside and chance.random() < 0.5:
            declared.append("<!ATTLIST item d CDATA 'default' t NMTOKEN 'k'>")
        if chance.random() < 0.3:
            declared.append("<!ELEMENT n ANY><!-- <!ENTITY no 'x'> --><?pi?>")
        if chance.random() < 0.2:
            declared.append("<!ENTITY % pe '<!ENTITY from-pe \"pe\">'> %pe;")
            self.entities.append("from-pe")
        return f"<!DOCTYPE r{outside} [{''.join(declared)}]>"

    def element(self, depth: int, name: str) -> str:
        chance = self.chance
        self.size += 1
        attributes = {}
        for _ in range(chance.choice((0, 0, 1, 2))):
            key = chance.choice(("k", "t", "p:k", "xml:lang", "ключ"))
            attributes[key] = self.text().replace("<", "&lt;").replace('"', "&quot;")
            self.lines = self.lines and "\n" not in attributes[key]
        if depth == 0 or chance.random() < 0.04:
            attributes |= {f"xmlns:{prefix}": uri for prefix, uri in NAMESPACES.items()}
        if chance.random() < 0.05 and not self.entities:
            attributes["xmlns"] = chance.choice(("urn:p", "urn:d", ""))
        gap = chance.choice((" ", " ", " ", "  ", "\n"))
        self.lines = self.lines and (gap != "\n" or not attributes)
        written = "".join(f'{gap}{key}="{value}"' for key, value in attributes.items())
        if chance.random() < 0.2 and depth:
            return f"<{name}{written}{chance.choice(('', ' '))}/>"
        inside = []
        for _ in range(chance.choice((0, 1, 2, 3, 5))):
            kind = chance.random()
            if kind < 0.55 and depth < 6 and self.size < 60:
                inside.append(self.element(depth + 1, chance.choice(NAMES)))
            elif kind < 0.85:
                inside.append(self.text())
            else:
                inside.append(chance.choice(ASIDES))
        return f"<{name}{written}>{''.join(inside)}</{name}{chance.choice(('', '', ' '))}>"

    def text(self) -> str:
        if self.entities and self.chance.random() < 0.15:
            return f"&{self.chance.choice(self.entities)};"
        return self.chance.choice(TEXTS)

    def encoded(self, text: str, encoding: str) -> bytes:
        for letter in {letter for letter in text if ord(letter) > 126}:
            try:
                letter.encode(encoding)
            except UnicodeEncodeError:
                text = text.replace(letter, "z")
        data = text.encode(encoding)
        if encoding.startswith("utf-16-"):
            mark = codecs.BOM_UTF16_LE if encoding.endswith("le") else codecs.BOM_UTF16_BE
            return mark + data if self.marked or self.chance.random() < 0.5 else data
        return data

    def damaged(self, text: str, encoding: str) -> bytes:
        """Bytes where any are likely to be no character; else characters, lest names become odd."""
        if encoding.startswith("utf-8"):
            return self.damage(self.encoded(text, encoding))
        characters = self.damage(text.encode("utf-32-le"), width=4).decode("utf-32-le")
        data = self.encoded(characters, encoding)
        return data[: -self.chance.choice((1, 2, 9))] if self.chance.random() < 0.1 else data

    def damage(self, data: bytes, width: int = 1) -> bytes:
        damaged, chance = bytearray(data), self.chance
        allowed = DAMAGE if width == 1 else DAMAGE[:-4]
        for _ in range(chance.choice((1, 1, 2))):
            at = chance.randrange(len(damaged) // width or 1) * width
            kind, one = chance.randrange(4), bytes([chance.choice(allowed)]).ljust(width, b"\0")
            if kind == 0:
                damaged[at : at + width] = one
            elif kind == 1:
                damaged[at:at] = one
            elif kind == 2:
                del damaged[at : at + width * chance.choice((1, 2, 9))]
            else:
                del damaged[at:]
        return bytes(damaged)

    def packed(self, data: bytes) -> bytes:
        kind = self.chance.random()
        if kind < 0.8 or data[:2] in (b"\x1f\x8b", b"PK"):
            return data
        if kind < 0.9:
            half = len(data) // 2
            return gzip.compress(data[:half], mtime=0) + gzip.compress(data[half:], mtime=0)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("export.xml", data)
            archive.writestr("__MACOSX/._export.xml", b"\x00\x05\x16\x07")
        return packed.getvalue()
