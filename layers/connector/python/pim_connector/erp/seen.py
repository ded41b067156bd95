"""What a file holds where no record was found: the elements seen, and the nearest of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from xml.parsers import expat

from msgspec import Struct, field

from pim_connector.erp.archives import unpacked
from pim_connector.erp.decoding import Decoder
from pim_connector.erp.paths import ANY, ElementPath, PathStep
from pim_connector.erp.record import UnreadableFileError
from pim_connector.erp.stream import XmlStream

MAX_PATHS = 2_000
MAX_LEVELS = 8
MAX_BYTES = 64_000_000


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
    stack: list[str] = field(default_factory=list)

    def start(self, name: str, _: dict[str, str]) -> None:
        uri, _space, local = name.rpartition(" ")
        path = f"{self.stack[-1] if self.stack else ''}/{local}"[:500]
        self.stack.append(path)
        if len(self.stack) <= MAX_LEVELS and (path in self.counts or len(self.counts) < MAX_PATHS):
            self.counts[path] += 1
            self.namespaces[path] = uri

    def end(self, _: str) -> None:
        self.stack.pop()


def _seen_paths(stream: XmlStream) -> _Seen:
    """What the file holds, within limits of memory and time."""
    seen = _Seen()
    parser = expat.ParserCreate("utf-8", " ")
    parser.StartElementHandler = seen.start
    parser.EndElementHandler = seen.end
    parser.DefaultHandler = lambda _: None
    read = 0
    decoder = Decoder(override=stream.encoding, illegal=stream.illegal_characters)
    # The caller has already read the file to its end; here it is read for the message only.
    with suppress(expat.ExpatError, UnreadableFileError), stream.open_file() as file:
        for data in decoder.decode(unpacked(file).chunks):
            parser.Parse(data, False)
            read += len(data)
            if read > MAX_BYTES:
                break
    return seen
