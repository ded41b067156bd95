"""Cuts the elements somebody asks for out of a stream of XML, with their exact bytes and lines.

expat follows the document and says where each element begins and ends; what is asked for is cut
out of the bytes as it is, so nothing is built, changed or written again on the way, and memory
holds one outermost element at most. expat opens no file and no address.

Each call from expat costs more than the parsing itself. Inside an element of which no part is asked
for, start tags are therefore not announced: its end is the first end tag of its name, unless its
bytes hold a second start tag of that name. Then, and where the limits might be passed, what there
is of it is measured by a parser of its own, and from there on all is counted as elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.parsers import expat

from msgspec import Struct, field

from pim_connector.erp.entities import Entities
from pim_connector.erp.paths import ElementPath, PathMatcher, State
from pim_connector.erp.record import UnreadableFileError

MAX_DEPTH = 240
"""Nesting that no export has; the record reader (libxml2) would refuse it at 256."""
MAX_TOKEN_BYTES = 8 * 1024 * 1024
"""A single tag, comment or instruction."""
MAX_ATTRIBUTES = 10_000
MAX_PREFIXES = 1_000

_START_TAG = re.compile(rb"""<[^<>"']*(?:"[^"]*"[^<>"']*|'[^']*'[^<>"']*)*>""")
XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"


class Tag(NamedTuple):
    """A start tag on the way down to an element: its name as written, and its attributes."""

    name: str
    attributes: dict[str, str]


class Cut(Struct, eq=False):
    """An element that was asked for: which paths it matches, where it is, and its bytes.

    `inner` are the elements asked for that lie inside it, in document order; `start` and `end` are
    byte offsets in the stream, so that inner elements can be left out.
    """

    paths: tuple[int, ...]
    ancestors: tuple[Tag, ...]
    tag: Tag
    line: int
    start: int
    end: int = 0
    whole: bytes = b""
    inner: list[Cut] = field(default_factory=list)
    outer: Cut | None = None

    @property
    def content(self) -> bytes:
        """The element's bytes, as they are in the file; kept once, by the outermost element."""
        top = self
        while top.outer is not None:
            top = top.outer
        return top.whole[self.start - top.start : self.end - top.start]

    def flat(self) -> Iterator[Cut]:
        """Itself and all inside it, in document order."""
        yield self
        for cut in self.inner:
            yield from cut.flat()


class _Open:
    """An element that is open, as far as paths are followed into it."""

    __slots__ = ("cut", "inside", "names", "state", "tag")

    def __init__(
        self, state: State, names: dict[str, str], tag: Tag, inside: tuple[Tag, ...]
    ) -> None:
        self.state, self.names, self.tag = state, names, tag
        self.inside = inside
        self.cut: Cut | None = None


class Scanner:
    """Follows one document. `feed` and `close` return the outermost elements that are complete."""

    def __init__(self, paths: Sequence[ElementPath], *, max_bytes: int) -> None:
        self.entities = Entities()
        self._matcher = PathMatcher(paths)
        self._shallow = [path.shallow for path in paths]
        self._max_bytes = max_bytes
        self._stack: list[_Open] = []
        self._dead = 0
        self._cut: Cut | None = None
        self._done: list[Cut] = []
        self._bytes = b""
        self._base = 0
        self._fed = 0
        self._known: dict[tuple[State, str], tuple[State, tuple[int, ...]]] = {}
        self._known_names: dict[str, str] | None = None
        self._is_plain = True
        self._silent = ""
        self._starts: dict[str, tuple[bytes, re.Pattern[bytes]]] = {}
        self.failure: UnreadableFileError | None = None
        self._parser = parser = expat.ParserCreate("utf-8")
        parser.buffer_text = False
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity
        parser.AttlistDeclHandler = self._attribute_default
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    def feed(self, text: str) -> list[Cut]:
        """Takes the next piece of the document; `failure` says when and where it is no XML."""
        data = text.encode("utf-8")
        self._bytes += data
        self._fed += len(data)
        return self._parse(data, final=False)

    def close(self) -> list[Cut]:
        """The end of the document; `failure` says when it is truncated."""
        return self._parse(b"", final=True)

    def _parse(self, data: bytes, *, final: bool) -> list[Cut]:
        try:
            self._parser.Parse(data, final)
            if self._silent:
                self._announce_all()
        except expat.ExpatError as error:
            done, self._done = self._done, []
            self.failure = UnreadableFileError(
                _words(error, final), line=error.lineno, column=error.offset + 1
            )
            return done
        except UnreadableFileError as error:
            done, self._done = self._done, []
            self.failure = self._placed(error)
            return done
        self._forget()
        done, self._done = self._done, []
        return done

    def _placed(self, error: UnreadableFileError) -> UnreadableFileError:
        if error.line is not None:
            return error
        column = self._parser.CurrentColumnNumber + 1
        return UnreadableFileError(error.what, line=self._parser.CurrentLineNumber, column=column)

    def _forget(self) -> None:
        """Drops the bytes nobody will ask for, and refuses what has grown beyond its limit."""
        here = max(self._parser.CurrentByteIndex, self._base)
        if self._fed - here > MAX_TOKEN_BYTES:
            self.failure = self._placed(
                UnreadableFileError(f"a tag or comment of more than {MAX_TOKEN_BYTES >> 20} MB")
            )
        keep = here
        if self._cut is not None:
            keep = self._cut.start
            if here - keep > self._max_bytes:
                self.failure = UnreadableFileError(
                    f"the element {self._cut.tag.name} is larger than {self._max_bytes >> 20} MB; "
                    "if that is meant, raise `file.max_record_megabytes` in the mapping",
                    line=self._cut.line,
                    column=1,
                )
        self._bytes = self._bytes[keep - self._base :]
        self._base = keep

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(attributes) > MAX_ATTRIBUTES:
            raise UnreadableFileError(f"an element with more than {MAX_ATTRIBUTES} attributes")
        if self._dead:
            self._dead += 1
            if self._dead + len(self._stack) > MAX_DEPTH:
                raise UnreadableFileError(f"elements nested more than {MAX_DEPTH} deep")
            return
        if len(self._stack) >= MAX_DEPTH:
            raise UnreadableFileError(f"elements nested more than {MAX_DEPTH} deep")
        above = self._stack[-1] if self._stack else None
        if above is None:
            names = _names({"xml": XML_NAMESPACE}, attributes)
            state, matched = self._matcher.enter(self._matcher.start, _qualified(name, names))
            ancestors: tuple[Tag, ...] = ()
        elif above.state:
            names = _names(above.names, attributes)
            state, matched = self._entered(above.state, name, names)
            ancestors = above.inside
        else:
            self._dead = 1
            return
        tag = Tag(name, attributes)
        opened = _Open(state, names, tag, (*ancestors, tag) if state else ())
        self._stack.append(opened)
        if matched:
            self._begin(opened, matched, ancestors)

    def _entered(
        self, above: State, name: str, names: dict[str, str]
    ) -> tuple[State, tuple[int, ...]]:
        """The state below an element; remembered while the namespaces are those of the first."""
        if self._known_names is None:
            self._known_names = names
        if names is not self._known_names:
            return self._matcher.enter(above, _qualified(name, names))
        found = self._known.get((above, name))
        if found is None:
            found = self._matcher.enter(above, _qualified(name, names))
            self._known[above, name] = found
        return found

    def _begin(self, opened: _Open, matched: tuple[int, ...], ancestors: tuple[Tag, ...]) -> None:
        cut = Cut(
            paths=matched,
            ancestors=ancestors,
            tag=opened.tag,
            line=self._parser.CurrentLineNumber,
            start=self._parser.CurrentByteIndex,
        )
        if all(self._shallow[number] for number in matched):
            self._done_shallow(cut)
            return
        opened.cut = cut
        if self._cut is not None:
            cut.outer = self._cut
            self._cut.inner.append(cut)
        self._cut = cut
        if self._is_plain and not opened.state:
            self._silent = cut.tag.name
            self._parser.StartElementHandler = None
            self._parser.EndElementHandler = self._silent_end

    def _silent_end(self, name: str) -> None:
        """Inside an element of which nothing more is asked for: is this its end?"""
        if name != self._silent:
            return
        cut = self._cut
        assert cut is not None  # noqa: S101 - `_begin` set both
        start, here = cut.start - self._base, self._parser.CurrentByteIndex - self._base
        if here != start and not self._bytes.startswith(b"</", here):
            return  # an empty element inside: without a start handler expat stands before it
        is_alone = here == start or self._has_one(name, start, here)
        if is_alone and _is_within_limits(self._bytes, start, here, self._room()):
            self._announce()
            self._end(name)
            return
        end = self._end_of(cut) - self._base
        depth = _measured(self._bytes[start:end], cut.line, self._room())
        self._announce()
        self._is_plain = is_alone
        if depth:
            self._dead = depth - 1
        else:
            self._end(name)

    def _has_one(self, name: str, start: int, end: int) -> bool:
        """Whether nothing there reads like a second start tag of that name."""
        found = self._starts.get(name)
        if found is None:
            written = f"<{name}".encode()
            found = written, re.compile(re.escape(written) + rb"[\s/>]")
            self._starts[name] = found
        if self._bytes.count(found[0], start, end) == 1:
            return True
        return len(found[1].findall(self._bytes, start, end)) == 1

    def _room(self) -> int:
        """How deep elements may be nested, counted from the one that is open."""
        return MAX_DEPTH + 1 - len(self._stack)

    def _announce(self) -> None:
        self._silent = ""
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def _announce_all(self) -> None:
        """At the end of a piece: what is open is counted from here on, so that limits hold."""
        cut = self._cut
        assert cut is not None  # noqa: S101 - `_begin` set both
        here = self._parser.CurrentByteIndex - self._base
        begun = self._bytes[cut.start - self._base : here]
        self._dead = _measured(begun, cut.line, self._room()) - 1
        self._announce()

    def _done_shallow(self, cut: Cut) -> None:
        if self._cut is not None:
            self._cut.inner.append(cut)
        else:
            self._done.append(cut)

    def _end(self, _: str) -> None:
        if self._dead:
            self._dead -= 1
            return
        cut = self._stack.pop().cut
        if cut is None:
            return
        cut.end = self._end_of(cut)
        self._cut = cut.outer
        if cut.outer is None:
            cut.whole = self._bytes[cut.start - self._base : cut.end - self._base]
            self._done.append(cut)

    def _end_of(self, cut: Cut) -> int:
        """The offset after the end tag; expat stands before `</`.

        It stands behind an empty element, or before it where start tags are not announced.
        """
        here = self._parser.CurrentByteIndex - self._base
        if self._base + here == cut.start or self._bytes.startswith(b"/>", here - 2):
            start_tag = _START_TAG.match(self._bytes, cut.start - self._base)
            if start_tag and start_tag.group().endswith(b"/>"):
                return self._base + start_tag.end()
        return self._base + self._bytes.index(b">", here) + 1

    def _doctype(self, _: str, system: str | None, __: str | None, has_subset: int) -> None:
        if system is not None or has_subset:
            self.entities.has_dtd = True
            self._is_plain = False
            self._parser.DefaultHandler = self._other

    def _entity(self, name: str, is_parameter: int, value: str | None, *_: str | None) -> None:
        if not is_parameter:
            self.entities.declare(name, value)

    def _attribute_default(
        self, element: str, attribute: str, _: str, default: str | None, __: int
    ) -> None:
        if default is not None:
            raise UnreadableFileError(
                f"the DTD inside the file gives {element}/@{attribute} the default {default!r}; "
                "such defaults are not supported, write the attribute out"
            )

    def _other(self, data: str) -> None:
        """Everything without a handler of its own; only references to entities matter."""
        if data.startswith("&") and data.endswith(";") and not data.startswith("&#"):
            self.entities.check(data[1:-1])
            if self._cut is None and "<" in self.entities.declared.get(data[1:-1], ""):
                raise UnreadableFileError(f"elements come out of the entity {data}; write them out")


def _is_within_limits(data: bytes, start: int, end: int, room: int) -> bool:
    """Whether so few tags and attributes stand there that no limit can be passed."""
    if data.count(b"<", start, end) >= 2 * room - 2:
        return False
    return end - start < 2 * MAX_ATTRIBUTES or data.count(b"=", start, end) <= MAX_ATTRIBUTES


def _measured(data: bytes, line: int, room: int) -> int:
    """How many elements are open at the end of `data`, which begins with a start tag.

    Raises UnreadableFileError where they are nested too deep or have too many attributes.
    """
    depth = 0
    parser = expat.ParserCreate("utf-8")

    def refuse(what: str) -> None:
        column = parser.CurrentColumnNumber + 1
        raise UnreadableFileError(what, line=line - 1 + parser.CurrentLineNumber, column=column)

    def start(_: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > room:
            refuse(f"elements nested more than {MAX_DEPTH} deep")
        if len(attributes) > MAX_ATTRIBUTES:
            refuse(f"an element with more than {MAX_ATTRIBUTES} attributes")

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(data, False)
    return depth


def _names(above: dict[str, str], attributes: dict[str, str]) -> dict[str, str]:
    """The namespaces in force: those above, and those declared here."""
    for name in attributes:
        if name.startswith("xmlns"):
            break
    else:
        return above
    declared = {
        name[6:]: uri
        for name, uri in attributes.items()
        if name == "xmlns" or name.startswith("xmlns:")
    }
    if not declared:
        return above
    if len(above) + len(declared) > MAX_PREFIXES:
        raise UnreadableFileError(f"more than {MAX_PREFIXES} namespace prefixes")
    return {**above, **declared}


def _qualified(name: str, names: dict[str, str]) -> str:
    prefix, _, local = name.rpartition(":")
    uri = names.get(prefix)
    if uri:
        return f"{{{uri}}}{local}"
    if prefix:
        raise UnreadableFileError(f"the namespace prefix `{prefix}` of <{name}> is not declared")
    return local


def _words(error: expat.ExpatError, final: bool) -> str:
    said = expat.ErrorString(error.code) or "not well-formed"
    if error.code in (3, 5, 6, 20) and final:
        return f"the file ends in the middle: the export or the upload was not finished ({said})"
    no_xml = (
        "this is not XML, or not well-formed XML: a `<` or `&` that is not escaped, or a tag that "
        "is not written as XML wants it"
    )
    explained = {
        2: no_xml,
        4: no_xml,
        7: "an end tag does not belong to the element that is open",
        8: "an attribute is there twice in one tag",
        9: "there is something after the end of the document",
        11: "an entity is used that the file does not declare (external DTDs are never fetched)",
        14: "a reference to a character that XML does not allow",
        17: "something stands before the XML declaration, perhaps an empty line",
        43: "the entities of the file expand to far more than the file holds: that is an attack or "
        "a mistake, and is not read",
    }
    return f"{explained[error.code]} ({said})" if error.code in explained else said
