"""Cuts the elements somebody asks for out of a stream of XML, with their exact bytes and lines.

expat follows the document and says where each element begins and ends; what is asked for is cut
out of the bytes as it is, so nothing is built, changed or written again on the way, and memory
holds one outermost element at most. expat opens no file and no address. Elements of which no part
is asked for and that follow one another are cut by `siblings`; expat goes over them in silence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from xml.parsers import expat

from pim_connector.erp.cuts import Cut, Tag
from pim_connector.erp.entities import Entities, refuse_default
from pim_connector.erp.open_elements import OpenElements
from pim_connector.erp.paths import ElementPath
from pim_connector.erp.positions import START, LineCount, Position
from pim_connector.erp.record import UnreadableFileError
from pim_connector.erp.siblings import MAX_DEPTH, Found
from pim_connector.erp.syntax_errors import explain_syntax

MAX_TOKEN_BYTES: Final = 8 * 1024 * 1024
"""A single tag, comment or instruction."""
_START_TAG = re.compile(rb"""<[^<>"']*(?:"[^"]*"[^<>"']*|'[^']*'[^<>"']*)*>""")
FIRST_PIECE: Final = 8 * 1024
"""Bytes that are announced tag by tag at first; twice as many each time, until siblings show."""


class Scanner:
    """Follows one document, given as UTF-8.

    `feed` and `close` return the outermost elements that are complete.
    """

    def __init__(self, paths: Sequence[ElementPath], *, max_bytes: int) -> None:
        self.entities = Entities()
        self._shallow = [path.shallow for path in paths]
        self._max_bytes = max_bytes
        self._elements = OpenElements(paths)
        self._cut: Cut | None = None
        self._done: list[Cut] = []
        self._bytes = b""
        self._base = 0
        self._fed = 0
        self._given = 0
        self._piece = FIRST_PIECE
        self._searched = self._reference = 0
        self._in_cdata = False
        self._start = START
        self._start_column = 0
        self._lines = LineCount()
        self.failure: UnreadableFileError | None = None
        self._parser = parser = expat.ParserCreate("utf-8")
        parser.buffer_text = False
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self.entities.note_entity
        parser.AttlistDeclHandler = refuse_default
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        if hasattr(parser, "SetReparseDeferralEnabled"):
            # What is whole is announced at once; against huge tokens there is MAX_TOKEN_BYTES.
            parser.SetReparseDeferralEnabled(False)
        self._announce(True)

    def open(self, tags: Sequence[Tag], at: Position) -> int:
        """Begin inside of elements that were opened earlier in the file, at a place in it.

        Gives how many bytes of the stream stand for their start tags.
        """
        written = "".join(tag.written(with_attributes=True) for tag in tags).encode()
        self.feed(written)
        self._start, self._start_column = at, self._parser.CurrentColumnNumber
        self._lines = LineCount(at.line, len(written))
        return len(written)

    def feed(self, data: bytes) -> list[Cut]:
        """Takes the next piece of the document; `failure` says when and where it is no XML."""
        self._bytes += data
        self._fed += len(data)
        return self._parse(final=False)

    def close(self) -> list[Cut]:
        """The end of the document; `failure` says when it is truncated."""
        return self._parse(final=True)

    def _parse(self, *, final: bool) -> list[Cut]:
        try:
            while self._given < self._fed:
                if not self._run():
                    self._step()
            if final:
                self._parser.Parse(b"", True)
            self._forget()
        except expat.ExpatError as error:
            what = explain_syntax(error, at_end=final)
            self.failure = self._failure(what, error.lineno, error.offset)
        except UnreadableFileError as error:
            line, column = self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber
            self.failure = error if error.line else self._failure(error.what, line, column)
        done, self._done = self._done, []
        return done

    def _run(self) -> bool:
        """Take the siblings that stand next, if they can be cut by their text."""
        above = self._elements.innermost
        if above is None or above.siblings is None or self._in_cdata:
            return False
        if self._parser.CurrentByteIndex != self._given:
            return False
        data, at = self._bytes, self._given - self._base
        until = self._next_reference()
        found = above.siblings.run(data, at, until, MAX_DEPTH - self._elements.depth)
        if not found:
            return False
        end = found[-1][1]
        self._given = self._base + end
        self._announce(False)
        self._parser.DefaultHandler = None
        try:
            self._parser.Parse(data[at:end])
        except expat.ExpatError:
            good = self._parser.ErrorByteIndex - self._base
            found = [each for each in found if each[1] <= good]
            raise
        finally:
            self._announce(True)
            self._add(found, above.inside)
        return True

    def _add(self, found: list[Found], ancestors: tuple[Tag, ...]) -> None:
        data, base, outer = self._bytes, self._base, self._cut
        done = self._done if outer is None else outer.inner
        lines = self._lines.lines_at(data, base, [base + start for start, _, _ in found])
        for (start, end, kind), line in zip(found, lines, strict=True):
            cut = Cut(
                paths=kind.paths,
                ancestors=ancestors,
                tag=kind.tag,
                line=line,
                start=base + start,
                end=base + end,
                whole=data[start:end] if outer is None else b"",
                outer=outer,
            )
            done.append(cut)

    def _step(self) -> None:
        """Have expat announce what stands next, as far as siblings may begin."""
        known = self._elements.known_siblings()
        at = self._given - self._base
        if known is None:
            end = min(len(self._bytes), at + self._piece)
            self._piece = min(2 * self._piece, MAX_TOKEN_BYTES)
        else:
            end = known.next_start(self._bytes, at + 1)
        self._given = self._base + end
        self._parser.DefaultHandler = self._other if self._next_reference() < end else None
        self._parser.Parse(self._bytes[at:end])

    def _next_reference(self) -> int:
        """Where in the bytes, from the token on that is not read yet, an entity is referred to."""
        unread = max(self._parser.CurrentByteIndex, self._base)
        if self._searched < self._fed or self._reference < unread:
            found = self.entities.first_reference(self._bytes, unread - self._base)
            self._reference, self._searched = found + self._base, self._fed
        return self._reference - self._base

    def _announce(self, tags: bool) -> None:
        parser = self._parser
        parser.StartElementHandler = self._open_tag if tags else None
        parser.EndElementHandler = self._close_tag if tags else None
        parser.StartCdataSectionHandler = self._cdata_start if tags else None
        parser.EndCdataSectionHandler = self._cdata_end if tags else None

    def _failure(self, what: str, line: int, column: int) -> UnreadableFileError:
        """An error at the place that expat gives in the stream; its columns count from 0."""
        if line == 1:
            column += self._start.column - 1 - self._start_column
        line += self._start.line - 1
        return UnreadableFileError(what, line=line, column=column + 1)

    def _forget(self) -> None:
        """Drops the bytes nobody will ask for, and refuses what has grown beyond its limit."""
        here = max(self._parser.CurrentByteIndex, self._base)
        if self._fed - here > MAX_TOKEN_BYTES:
            raise UnreadableFileError(f"a tag or comment of more than {MAX_TOKEN_BYTES >> 20} MB")
        keep = here
        if self._cut is None:
            self._lines.lines_at(self._bytes, self._base, [here])
        else:
            outermost = self._cut.outermost
            keep = outermost.start
            if here - keep > self._max_bytes:
                raise UnreadableFileError(
                    f"the element {outermost.tag.name} is larger than {self._max_bytes >> 20} MB; "
                    "if that is meant, raise `file.max_record_megabytes` in the mapping",
                    line=outermost.line,
                    column=1,
                )
        self._bytes = self._bytes[keep - self._base :]
        self._base = keep

    def _open_tag(self, name: str, attributes: dict[str, str]) -> None:
        entered = self._elements.enter(name, attributes)
        if entered is None or not entered[1]:
            return
        opened, paths = entered
        start = self._parser.CurrentByteIndex
        (line,) = self._lines.lines_at(self._bytes, self._base, [start])
        cut = Cut(paths=paths, ancestors=opened.ancestors, tag=opened.tag, line=line, start=start)
        shallow = sum(self._shallow[number] for number in paths)
        if shallow == len(paths):
            (self._done if self._cut is None else self._cut.inner).append(cut)
            return
        opened.cut = cut
        if self._cut is not None:
            cut.outer = self._cut
            self._cut.inner.append(cut)
        self._cut = cut
        if not shallow:
            self._elements.learn(opened, paths)

    def _close_tag(self, _: str) -> None:
        cut = self._elements.leave()
        if cut is None:
            return
        cut.end = self._end_of(cut)
        self._cut = cut.outer
        if cut.outer is None:
            cut.whole = self._bytes[cut.start - self._base : cut.end - self._base]
            self._done.append(cut)

    def _end_of(self, cut: Cut) -> int:
        """The offset after the end tag; expat stands before `</`, but behind an empty element."""
        here = self._parser.CurrentByteIndex - self._base
        if self._bytes.startswith(b"/>", here - 2):
            start_tag = _START_TAG.match(self._bytes, cut.start - self._base)
            if start_tag and start_tag.group().endswith(b"/>"):
                return self._base + start_tag.end()
        return self._base + self._bytes.index(b">", here) + 1

    def _cdata_start(self) -> None:
        self._in_cdata = True

    def _cdata_end(self) -> None:
        self._in_cdata = False

    def _doctype(self, _: str, system: str | None, __: str | None, has_subset: int) -> None:
        if system is not None or has_subset:
            self.entities.has_dtd = True
            self._searched = 0
            self._parser.DefaultHandler = self._other

    def _other(self, data: str) -> None:
        """Everything without a handler of its own; only references to entities matter."""
        if (
            not self._in_cdata
            and data.startswith("&")
            and data.endswith(";")
            and not data.startswith("&#")
        ):
            self.entities.check(data[1:-1])
            if self._cut is None and "<" in self.entities.declared.get(data[1:-1], ""):
                raise UnreadableFileError(f"elements come out of the entity {data}; write them out")
