"""From a file to the elements that are asked for: unpack, decode, repair, parse."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import BinaryIO, Final, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from pim_connector.erp.archives import unpacked
from pim_connector.erp.decoding import Decoder
from pim_connector.erp.fragments import Cut, Tag
from pim_connector.erp.parser import Parser
from pim_connector.erp.recovery import Repairs
from pim_connector.mapping.language import File
from pim_connector.records import ANY, ElementPath, PathStep, UnreadableFileError

OpenFile: TypeAlias = Callable[[], BinaryIO]
SMALLEST_PIECE: Final = 1 << 16


class XmlStream(Struct, kw_only=True):
    """One file, read forward in chunks; may be read again from its start by opening it again.

    `pulse` is called for each piece of at most 256 kB, so that somebody can look at the clock also
    where no element ends for long; it may raise.
    """

    open_file: OpenFile
    options: File = field(default_factory=File)
    pulse: Callable[[], object] = lambda: None
    repairs: Counter[str] = field(default_factory=Counter)

    def cuts(self, paths: Sequence[ElementPath]) -> Iterator[Cut]:
        """The outermost elements at the paths; UnreadableFileError after the last whole one.

        `repairs` counts what was repaired on the way, by the name of the option.
        """
        said = self.options
        decoder = Decoder(
            override=said.encoding,
            skips_space=said.leading_space == "skip",
            drops_controls=said.illegal_characters == "drop",
        )
        parser = Parser(
            paths,
            max_bytes=said.max_record_megabytes << 20,
            describe=decoder.describe,
            recover=said.recover == "records",
            several=said.documents == "several",
            skips_rest=said.trailing_garbage == "skip",
        )
        repairs, archive = self._repairs(), Counter[str]()
        try:
            with self.open_file() as file:
                chunks = unpacked(file, skips_rest=said.trailing_garbage == "skip", count=archive)
                pieces = decoder.decode(chunks)
                pieces = repairs.repaired(pieces) if repairs.wanted else pieces
                for number, piece in enumerate(_sized(pieces)):
                    if number == 0:
                        parser.begin(1 + decoder.lines)
                    self.pulse()
                    yield from parser.feed(piece)
                    if parser.failure:
                        raise parser.failure
                yield from parser.close()
                if parser.failure:
                    raise parser.failure
        finally:
            repairs.counts["illegal_characters"] += decoder.dropped
            repairs.counts["leading_space"] += decoder.skipped
            repairs.counts["trailing_garbage"] += parser.skipped + archive["trailing_garbage"]
            repairs.counts["documents"] += parser.documents - 1
            self.repairs = +repairs.counts

    def again(self) -> XmlStream:
        """The same file, to be read from its start beside this reading."""
        return replace(self, repairs=Counter())

    def of(self, open_file: OpenFile) -> XmlStream:
        """Another file, read with the same options; its encoding is what it says itself."""
        return replace(
            self,
            open_file=open_file,
            options=replace(self.options, encoding=None),
            repairs=Counter(),
        )

    def _repairs(self) -> Repairs:
        said = self.options
        return Repairs(
            drop_illegal=said.illegal_characters == "drop",
            html_entities=said.html_entities == "read",
            bare_ampersands=said.bare_ampersands == "read",
        )


def _sized(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of 64 kB at least: each costs a call, and a look at what is open."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= SMALLEST_PIECE:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


# What a file holds where no record was found: the elements seen, and the nearest of them.


MAX_PATHS = 2_000
MAX_LEVELS = 8
MAX_ELEMENTS = 300_000
EVERY = ElementPath("//*", (PathStep(ANY, deep=True),), shallow=True)


def explain_no_records(stream: XmlStream, wanted: Sequence[ElementPath]) -> None:
    """Raises UnreadableFileError that says what is in the file instead of records.

    An export whose list is there and empty is no error: nothing changed since the last one.
    """
    seen = _seen_paths(stream)
    if any(
        pattern.fullmatch(path) and not _has_children(path, seen.counts)
        for pattern in _lists(wanted)
        for path in seen.counts
    ):
        return
    asked = " or ".join(sorted({path.text for path in wanted}))
    patterns = [_pattern(path.steps) for path in wanted]
    same_names = [path for path in seen.counts if any(p.fullmatch(path) for p in patterns)]
    if same_names:
        uri = seen.namespaces.get(same_names[0])
        advice = (
            f"in the namespace {uri}; declare that under `namespaces` (`default` for names without "
            "prefix), or `*` for any"
            if uri
            else "in no namespace; take `default` out of `namespaces`, or the prefix out of `path`"
        )
        raise UnreadableFileError(f"no record at {asked}: the file has {same_names[0]} {advice}")
    from difflib import get_close_matches  # only for what is wrong

    first = min(_local(path) for path in wanted)
    near = get_close_matches(first, seen.counts, n=3, cutoff=0.3)
    common = [path for path, _ in seen.counts.most_common(5)]
    raise UnreadableFileError(
        f"no record at {asked}; nearest in the file: {', '.join(near) or 'nothing'}; "
        f"most frequent: {', '.join(common)}"
    )


def _has_children(path: str, seen: Counter[str]) -> bool:
    return any(other.startswith(f"{path}/") for other in seen)


def _lists(wanted: Sequence[ElementPath]) -> list[re.Pattern[str]]:
    """The elements around records, where the path names them; `*` and `//` could be anything."""
    return [
        _pattern(path.steps[:-1])
        for path in wanted
        if len(path.steps) > 1 and path.steps[-2].name != ANY and not path.steps[-1].deep
    ]


def _pattern(steps: Sequence[PathStep]) -> re.Pattern[str]:
    """A path whatever its namespaces, to be compared with the paths seen."""
    written = ""
    for step in steps:
        name = "[^/]+" if step.name == ANY else re.escape(step.name.rpartition("}")[2])
        written += f"(?:/[^/]+)*/{name}" if step.deep else f"/{name}"
    return re.compile(written)


def _local(path: ElementPath) -> str:
    return "".join(f"/{step.name.rpartition('}')[2]}" for step in path.steps)


class _Seen(Struct):
    """How often each path of local names occurs, and the namespace of its last element."""

    counts: Counter[str] = field(default_factory=Counter)
    namespaces: dict[str, str] = field(default_factory=dict)

    def note(self, cut: Cut) -> None:
        """Note one element."""
        tags = (*cut.ancestors, cut.tag)
        path = "".join(f"/{tag.name.rpartition(':')[2]}" for tag in tags)[:500]
        if len(tags) <= MAX_LEVELS and (path in self.counts or len(self.counts) < MAX_PATHS):
            self.counts[path] += 1
            self.namespaces[path] = _namespace(tags)


def _namespace(tags: Sequence[Tag]) -> str:
    """The namespace of the last of the tags, "" for none."""
    prefix = tags[-1].name.rpartition(":")[0]
    declaration = f"xmlns:{prefix}" if prefix else "xmlns"
    found = (t.attributes[declaration] for t in reversed(tags) if declaration in t.attributes)
    return next(found, "")


def _seen_paths(stream: XmlStream) -> _Seen:
    """What the file holds, within limits of memory and time."""
    seen = _Seen()
    # The caller has already read the file to its end; here it is read for the message only.
    with suppress(UnreadableFileError):
        for cut in islice(stream.again().cuts([EVERY]), MAX_ELEMENTS):
            if cut.fault is None:
                seen.note(cut)
    return seen
