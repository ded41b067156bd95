"""Follows a file with expat and cuts out the elements somebody asks for: bytes, line, ancestors.

expat says where each element begins and ends; what is asked for is cut out of the bytes as it is.
Only where the document declares entities or attribute defaults is it written anew from what expat
says, because a record travels without its DTD. expat opens no file and no address. Memory holds
one outermost element; names are forgotten with the parser, which is replaced when it has met many.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from typing import Final
from xml.parsers import expat

from pim_connector.erp.decoding import FAULT
from pim_connector.erp.fragments import Cut, Place, Tag, outermost, written_attributes
from pim_connector.erp.recovery import (
    MISMATCH,
    Dtd,
    Search,
    explain,
    external,
    is_cut_off,
    undeclared,
)
from pim_connector.records import ElementPath, PathMatcher, State, UnreadableFileError

MAX_TOKEN_BYTES: Final = 8 << 20
"""A single tag, comment or instruction, and all that comes before the root element."""
MAX_DEPTH: Final = 240
MAX_ATTRIBUTES: Final = 10_000
MAX_PREFIXES: Final = 1_000
MAX_NAMES: Final = 10_000
"""Different names that one parser remembers; expat itself forgets none."""
MAX_OPEN_NAMES: Final = 100_000
"""Characters of the names of all open elements."""
MAX_SIBLING_NAMES: Final = 100
"""Names of elements that are looked for behind one that is not well-formed."""
MAX_REREAD: Final = 64 << 20
"""Bytes that may be read twice where end tags are missing, beside as many as the file has."""
FREE_CHARACTERS: Final = 1_000_000
MAX_GROWTH: Final = 4
"""Entities may expand to a million characters, and beyond that to four times what was read."""
XML_NAMESPACE: Final = "http://www.w3.org/XML/1998/namespace"

_START_TAG = re.compile(rb"""<[^<>"']*(?:"[^"]*"[^<>"']*|'[^']*'[^<>"']*)*>""")
_NAME = re.compile(rb"[^\s<>/]+")


class _Open:
    """An element that is open and into which a path leads (or that is cut out)."""

    __slots__ = ("cut", "inside", "names", "state", "tag")

    def __init__(
        self, tag: Tag, state: State, names: dict[str, str], ancestors: tuple[Tag, ...]
    ) -> None:
        self.tag, self.state, self.names = tag, state, names
        self.inside = (*ancestors, tag)
        self.cut: Cut | None = None


class Parser:
    """Follows one file, given piece by piece as UTF-8; `feed` returns what is complete.

    `failure` says when and where it is no XML; nothing comes after that. `describe` says what an
    undecodable byte was. `recover` has reading go on behind what is not well-formed, `several`
    allows documents one after another, `skips_rest` whatever is none behind the last one.
    `documents` and `skipped` count those and the bytes behind, `parsed` the bytes that expat saw.
    """

    def __init__(
        self,
        paths: Sequence[ElementPath],
        *,
        max_bytes: int,
        describe: Callable[[bytes, int, int], str | None] = lambda *_: None,
        recover: bool = False,
        several: bool = False,
        skips_rest: bool = False,
    ) -> None:
        self.failure: UnreadableFileError | None = None
        self.documents, self.skipped, self.parsed = 1, 0, 0
        self._shallow = [path.shallow for path in paths]
        self._matcher = PathMatcher(paths)
        self._max_bytes = max_bytes
        self._describe = describe
        self._recover, self._several, self._skips_rest = recover, several, skips_rest
        self._bytes, self._base, self._fed = bytearray(), 0, 0
        self._done: list[Cut] = []
        self._faults = self._reread = 0
        self._names: dict[str, None] = {}
        self._search: Search | None = None
        self._rest: UnreadableFileError | None = None
        self._anchor = (0, Place(1, 0))
        self.begin(1)

    # ── From bytes to cuts ──────────────────────────────────────────────────────────────────────

    def begin(self, line: int) -> None:
        """Say in which line of the file the text begins."""
        self._begin_document(0, Place(line, 0))

    def feed(self, data: bytes) -> list[Cut]:
        """Takes the next piece of the document."""
        self._bytes += data
        self._fed += len(data)
        return self._read(len(self._bytes) - len(data), final=False)

    def close(self) -> list[Cut]:
        """The end of the document; `failure` says when it is truncated."""
        return self._read(len(self._bytes), final=True)

    def _read(self, at: int, *, final: bool) -> list[Cut]:
        """Parse the bytes from `at` on; from later places where there is something to skip."""
        index: int | None = at
        if self._search is not None:
            index = self._resumed(0)
        elif self._rest is not None:
            index = self._next_document()
        while index is not None and self.failure is None:
            index = self._parse(index, final=final)
        if final and self._search is not None and self.failure is None:
            self.failure = UnreadableFileError(
                "the file ends in the middle, behind an element that is not well-formed",
                line=self._anchor[1].line,
                column=self._anchor[1].column + 1,
            )
        done, self._done = self._done, []
        return done

    def _parse(self, at: int, *, final: bool) -> int | None:
        """Where to parse again behind a failure, else None."""
        data = bytes(self._bytes[at:])
        self.parsed += len(data)
        try:
            if self._is_new and data:
                self._refuse_wide(data)
            self._parser.Parse(data, final)
            self._forget()
        except expat.ExpatError as error:
            here = self._parser.ErrorByteIndex + self._shift
            place = self._place(error.lineno, error.offset)
            what = self._explained(error.code, here, final=final)
            failure = UnreadableFileError(what, line=place.line, column=place.column + 1)
            return self._failed(failure, here, place, error.code, final=final)
        except UnreadableFileError as error:
            here = self._parser.CurrentByteIndex + self._shift
            place = self._place_here()
            failure = error
            if error.line is None:
                failure = UnreadableFileError(error.what, line=place.line, column=place.column + 1)
            return self._failed(failure, here, place, 0, final=final)
        return None

    def _refuse_wide(self, data: bytes) -> None:
        """Refuse what expat would take for UTF-16, whatever it is told; the text is UTF-8."""
        self._is_new = False
        if b"\0" in data[:4]:
            raise UnreadableFileError(explain(4, b"\0", b"", at_end=False, is_over=False))
        if data[:1] in (b"\xfe", b"\xff"):
            what = self._describe(data, 0, 0) or "this is not XML"
            raise UnreadableFileError(what)

    def _forget(self) -> None:
        """Drop the bytes nobody will ask for; refuse what has grown beyond its limit."""
        here = max(self._here(), self._base)
        keep = here
        if not self._stack and not self._is_over:
            doctype = self._bytes.find(b"<!DOCTYPE")
            keep = here if doctype < 0 else min(here, self._base + doctype)
        if self._fed - min(here, keep) > MAX_TOKEN_BYTES:
            raise UnreadableFileError(f"a tag or comment of more than {MAX_TOKEN_BYTES >> 20} MB")
        if self._cut is not None:
            top = outermost(self._cut)
            if (self._size if self._is_written else here - top.start) > self._max_bytes:
                raise self._too_large(top)
            keep = here if self._is_written else min(here, top.start)
        if self._stack and not self._in_cdata and len(self._parser.intern) > self._most_names:
            index = self._restart(here, self._place_here())
            self._parser.Parse(bytes(self._bytes[index:]), False)
        self._drop(keep)

    def _drop(self, keep: int) -> None:
        self._faults += self._bytes.count(FAULT, 0, keep - self._base)
        del self._bytes[: keep - self._base]
        self._base = keep

    def _too_large(self, top: Cut) -> UnreadableFileError:
        return _TooLargeError(
            f"the element {top.tag.name} is larger than {self._max_bytes >> 20} MB; "
            "if that is meant, raise `file.max_record_megabytes` in the mapping",
            line=top.line,
            column=1,
        )

    def _explained(self, code: int, here: int, *, final: bool) -> str:
        at = here - self._base
        data = bytes(self._bytes[at : at + 10_000])
        faults = self._faults + self._bytes.count(FAULT, 0, at)
        described = self._describe(data, here, faults) if code in (4, 6) else None
        before = bytes(self._bytes[max(0, at - 4) : at])
        return described or explain(code, data, before, at_end=final, is_over=self._is_over)

    # ── Parsers, and where they are ─────────────────────────────────────────────────────────────

    def _begin_document(self, at: int, place: Place) -> None:
        self._dtd: Dtd | None = None
        self._doctype_at, self._prolog = 0, b""
        self._stack: list[_Open] = []
        self._dead: list[str] = []
        self._cut: Cut | None = None
        self._is_new, self._is_over, self._in_cdata = True, False, False
        self._written: list[bytes] = []
        self._size = self._expanded = 0
        self._spare: tuple[int, Place] | None = None
        parser = self._new_parser()
        parser.StartDoctypeDeclHandler = self._doctype
        self._seam, self._shift = (Place(1, 0), place), at
        self._announce()

    def _restart(self, at: int, place: Place) -> int:
        """Replace the parser by one that goes on at `at` in the same elements; gives the index."""
        names = [*(opened.tag.name for opened in self._stack), *self._dead]
        opened = "".join(f"<{name}>" for name in names).encode()
        if len(opened) > MAX_OPEN_NAMES:
            raise UnreadableFileError("the names of the open elements are too long")
        parser = self._new_parser()
        parser.ExternalEntityRefHandler = lambda *_: 1
        parser.Parse(self._prolog + opened, False)
        parser.ExternalEntityRefHandler = self._external
        begun = Place(1, 0).after(self._prolog + opened)
        self._seam, self._shift = (begun, place), at - len(self._prolog + opened)
        self._announce()
        return at - self._base

    def _new_parser(self) -> expat.XMLParserType:
        parser = self._parser = expat.ParserCreate("utf-8")
        if hasattr(parser, "SetReparseDeferralEnabled"):
            # What is whole is announced at once; against huge tokens there is MAX_TOKEN_BYTES.
            parser.SetReparseDeferralEnabled(False)
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_ALWAYS)
        parser.ExternalEntityRefHandler = self._external
        return parser

    def _announce(self) -> None:
        parser = self._parser
        parser.StartCdataSectionHandler, parser.EndCdataSectionHandler = self._cdata, self._no_cdata
        if self._dtd is not None:
            parser.SkippedEntityHandler = self._skipped
            parser.StartElementHandler = self._start_with_dtd
            parser.EndElementHandler = self._end_with_dtd
            if self._dtd.is_written:
                parser.buffer_text = True
                parser.CharacterDataHandler = self._text
                parser.ProcessingInstructionHandler = self._instruction
        elif self._stack and not self._stack[-1].state:
            parser.StartElementHandler = self._start_inside
            parser.EndElementHandler = self._end_inside
        else:
            parser.StartElementHandler, parser.EndElementHandler = self._start, self._end

    def _here(self) -> int:
        return self._parser.CurrentByteIndex + self._shift

    def _place_here(self) -> Place:
        return self._place(self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber)

    def _place(self, line: int, column: int) -> Place:
        """A place in the file from one that the parser gives."""
        parsed, real = self._seam
        if line == parsed.line:
            return Place(real.line, column - parsed.column + real.column)
        return Place(line - parsed.line + real.line, column)

    @property
    def _is_written(self) -> bool:
        return self._dtd is not None and self._dtd.is_written

    @property
    def _most_names(self) -> int:
        return MAX_NAMES + len(self._prolog)

    # ── Elements ────────────────────────────────────────────────────────────────────────────────

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._refuse_too_many(attributes)
        above = self._stack[-1] if self._stack else None
        if above is None and self._dtd is not None:
            begin, end = self._doctype_at - self._base, self._here() - self._base
            self._prolog = bytes(self._bytes[begin:end])
        names = _names_below(above.names if above else {"xml": XML_NAMESPACE}, attributes)
        state = above.state if above else self._matcher.start
        state, matched = self._matcher.enter(state, qualified(name, names))
        opened = _Open(Tag(name, attributes), state, names, above.inside if above else ())
        if self._cut is not None and self._recover:
            self._note_spare(name)
        if matched:
            self._open_cut(opened, matched)
        self._stack.append(opened)
        if not state and self._dtd is None:
            self._announce()

    def _end(self, _: str) -> None:
        cut = self._stack.pop().cut
        self._is_over = not self._stack
        if cut is not None:
            self._close_cut(cut)

    def _start_inside(self, name: str, attributes: dict[str, str]) -> None:
        """An element into which no path leads."""
        self._refuse_too_many(attributes)
        self._dead.append(name)
        if self._recover:
            self._note_spare(name)

    def _end_inside(self, name: str) -> None:
        if self._dead:
            self._dead.pop()
            return
        self._end(name)
        if self._dtd is None:
            self._parser.StartElementHandler = self._start
            self._parser.EndElementHandler = self._end

    def _refuse_too_many(self, attributes: dict[str, str]) -> None:
        if len(self._stack) + len(self._dead) >= MAX_DEPTH:
            raise UnreadableFileError(f"elements nested more than {MAX_DEPTH} deep")
        if len(attributes) > MAX_ATTRIBUTES:
            raise UnreadableFileError(f"an element with more than {MAX_ATTRIBUTES} attributes")

    def _open_cut(self, opened: _Open, matched: tuple[int, ...]) -> None:
        line = self._place_here().line
        ancestors = self._stack[-1].inside if self._stack else ()
        cut = Cut(matched, ancestors, opened.tag, line, start=self._offset())
        is_inner = self._cut is not None
        siblings = self._cut.inner if self._cut is not None else self._done
        if all(self._shallow[number] for number in matched):
            siblings.append(cut)
            return
        opened.cut, cut.outer = cut, self._cut
        if is_inner:
            siblings.append(cut)
        else:
            self._written, self._size, self._spare = [], 0, None
            cut.start = 0 if self._is_written else cut.start
            if self._recover:
                self._names[opened.tag.name] = None
                if len(self._names) > MAX_SIBLING_NAMES:
                    del self._names[next(iter(self._names))]
        self._cut = cut

    def _close_cut(self, cut: Cut) -> None:
        cut.end = self._size if self._is_written else self._end_of_tag(cut)
        self._cut = cut.outer
        if cut.outer is not None:
            return
        if self._is_written:
            cut.whole, self._written = b"".join(self._written), []
        else:
            cut.whole = bytes(self._bytes[cut.start - self._base : cut.end - self._base])
        if len(cut.whole) > self._max_bytes:
            raise self._too_large(cut)
        self._done.append(cut)

    def _offset(self) -> int:
        """The place in what cuts are cut out of."""
        return self._size if self._is_written else self._here()

    def _end_of_tag(self, cut: Cut) -> int:
        """The offset after the end tag; expat stands before `</`, but behind an empty element."""
        at = self._here() - self._base
        if self._bytes.startswith(b"/>", at - 2):
            start_tag = _START_TAG.match(self._bytes, cut.start - self._base)
            if start_tag and start_tag.end() == at:
                return self._base + at
        return self._base + self._bytes.index(b">", at) + 1

    def _cdata(self) -> None:
        self._in_cdata = True

    def _no_cdata(self) -> None:
        self._in_cdata = False

    # ── Documents with a DTD ────────────────────────────────────────────────────────────────────

    def _doctype(self, *_: object) -> None:
        at = self._here() - self._base
        self._doctype_at = self._base + self._bytes.rfind(b"<!DOCTYPE", 0, at + 9)
        self._dtd = Dtd(self._parser, self._token)
        self._parser.EndDoctypeDeclHandler = self._doctype_ends

    def _doctype_ends(self) -> None:
        if self._dtd is not None:
            self._dtd.end()
        self._announce()

    def _token(self) -> bytes:
        """What stands at the place of an event: a tag, a reference to an entity, or a literal."""
        at = self._here() - self._base
        first = bytes(self._bytes[at : at + 1])
        if first == b"<":
            found = _START_TAG.match(self._bytes, at)
            return bytes(found[0]) if found else b""
        closing = b";" if first in (b"&", b"%") else first
        return bytes(self._bytes[at : self._bytes.find(closing, at + 1) + 1])

    def _start_with_dtd(self, name: str, attributes: dict[str, str]) -> None:
        token = self._token()
        if self._dtd is not None and b"&" in token:
            self._dtd.check(token.decode())
        self._count(sum(map(len, attributes.values())))
        if self._stack and not self._stack[-1].state:
            self._start_inside(name, attributes)
        else:
            self._start(name, attributes)
        if self._cut is not None and self._is_written:
            self._write(f"<{name}{written_attributes(attributes)}>")

    def _end_with_dtd(self, name: str) -> None:
        if self._cut is not None and self._is_written:
            self._write(f"</{name}>")
        self._end_inside(name)

    def _text(self, text: str) -> None:
        self._count(len(text))
        if self._cut is not None:
            self._write(html.escape(text, quote=False).replace("\r", "&#13;"))

    def _instruction(self, target: str, text: str) -> None:
        if self._cut is not None:
            self._write(f"<?{target} {text}?>")

    def _write(self, text: str) -> None:
        data = text.encode()
        self._written.append(data)
        self._size += len(data)
        if self._size > self._max_bytes and self._cut is not None:
            raise self._too_large(outermost(self._cut))

    def _count(self, characters: int) -> None:
        self._expanded += characters
        if self._expanded > FREE_CHARACTERS + MAX_GROWTH * self._fed:
            raise UnreadableFileError(
                "the entities of the file expand to far more than the file holds: that is an "
                "attack or a mistake, and is not read"
            )

    def _skipped(self, name: str, is_parameter: bool) -> None:
        if not is_parameter:
            raise UnreadableFileError(undeclared(name))

    def _external(self, context: str | None, *_: object) -> int:
        if context is not None:
            raise external(self._token().decode().strip("&;"))
        return 1  # a DTD or a parameter entity: not read, and what comes behind it is checked

    # ── Behind what is not well-formed, and behind the document ─────────────────────────────────

    def _failed(
        self, failure: UnreadableFileError, here: int, place: Place, code: int, *, final: bool
    ) -> int | None:
        """Where in the bytes to go on. None: with more of them, or not at all for a `failure`."""
        if self._is_over:
            return self._behind(failure, here, place)
        if not self._recover or is_cut_off(code, at_end=final) or not self._stack:
            self.failure = failure
            return None
        spare = self._spare if self._is_end_missing(failure, here, code) else None
        top = None if self._cut is None else outermost(self._cut)
        if top is None:
            parent = self._stack[-1]
            top = Cut((), parent.inside, Tag("", {}), place.line, start=here)
            begin = self._base
        else:
            index = next(n for n, opened in enumerate(self._stack) if opened.cut is top)
            begin = self._base if self._is_written else top.start
            del self._stack[index:]
        top.fault, top.inner = failure, []
        self._done.append(top)
        self._dead, self._cut, self._in_cdata, self._spare = [], None, False, None
        if not self._stack or not self._names:
            self.failure = failure
            return None
        if spare is not None and self._reread + here - spare[0] <= MAX_REREAD + here:
            self._reread += here - spare[0]
            return self._restart(*spare)
        self._search = Search(
            own=top.tag.name or None,
            siblings=self._names,
            parent=self._stack[-1].tag.name,
            not_before=here,
        )
        self._anchor = (here, place)
        return self._resumed(begin - self._base)

    def _resumed(self, at: int) -> int | None:
        """Search on; where in the bytes reading goes on, None while that is not found."""
        assert self._search is not None  # noqa: S101 - only then is this called
        index, is_found = self._search.find(self._bytes, at, self._base)
        if is_found:
            self._search = None
            return self._restart(self._base + index, self._place_at(index))
        self._drop_behind(index)
        return None

    def _note_spare(self, name: str) -> None:
        """Note the first element in a record that has its name: its own end tag may be missing."""
        if self._spare is not None or self._cut is None:
            return
        if name == outermost(self._cut).tag.name:
            self._spare = (self._here(), self._place_here())

    def _is_end_missing(self, failure: UnreadableFileError, here: int, code: int) -> bool:
        """Whether the end of a record did not come where that of an element around it did."""
        if isinstance(failure, _TooLargeError):
            return True
        found = _NAME.match(self._bytes, here - self._base)
        if code != MISMATCH or found is None or self._cut is None:
            return False
        around = {tag.name.encode() for tag in outermost(self._cut).ancestors}
        return bytes(found[0]) in around

    def _behind(self, failure: UnreadableFileError, here: int, place: Place) -> int | None:
        """What comes behind the document: another one, or what is of no use, or a failure."""
        if not self._several and not self._skips_rest:
            self.failure = failure
            return None
        self._rest, self._anchor = failure, (here, place)
        return self._next_document()

    def _next_document(self) -> int | None:
        at = self._anchor[0] - self._base
        begin = self._bytes.find(b"<", at)
        rest = self._bytes[at : begin if begin >= 0 else None].strip(b" \t\r\n\xef\xbb\xbf")
        self.skipped += len(rest)
        if (rest and not self._skips_rest) or (begin >= 0 and not self._several):
            self.failure = self._rest
            return None
        if begin < 0:
            self._drop_behind(len(self._bytes))
            return None
        self._rest = None
        self.documents += 1
        self._begin_document(self._base + begin, self._place_at(begin))
        return begin

    def _place_at(self, index: int) -> Place:
        """The place of an index into the bytes, counted from a place that is known."""
        offset, place = self._anchor
        known = offset - self._base
        if index < known:
            return Place(place.line, place.column - (known - index))
        return place.after(bytes(self._bytes[known:index]))

    def _drop_behind(self, index: int) -> None:
        """Drop what is before an index into the bytes, where nothing is parsed for now."""
        if index + self._base > self._anchor[0]:
            self._anchor = (index + self._base, self._place_at(index))
        self._drop(min(index + self._base, self._anchor[0]))


class _TooLargeError(UnreadableFileError):
    """An element is larger than a record may be."""


def _names_below(above: dict[str, str], attributes: dict[str, str]) -> dict[str, str]:
    """The namespaces in force: those above (the same dictionary), and those declared here."""
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


def qualified(name: str, names: dict[str, str]) -> str:
    """A name as written with the namespace it is in: `{uri}local`, or `local` in none."""
    prefix, _, local = name.rpartition(":")
    uri = names.get(prefix)
    if uri:
        return f"{{{uri}}}{local}"
    if prefix:
        raise UnreadableFileError(f"the namespace prefix `{prefix}` of <{name}> is not declared")
    return local
