"""What a file holds where no record was found: the elements seen, and the nearest of them."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from xml.parsers import expat

from pim_connector.erp.archives import unpacked
from pim_connector.erp.decoding import Decoder
from pim_connector.erp.paths import ElementPath
from pim_connector.erp.record import UnreadableFileError
from pim_connector.erp.stream import XmlStream

MAX_PATHS = 2_000
MAX_LEVELS = 8
MAX_CHARACTERS = 64_000_000


def explain_no_records(stream: XmlStream, wanted: Sequence[ElementPath]) -> None:
    """Raises UnreadableFileError that says what is in the file instead of records.

    An export whose list is there and empty is no error: nothing changed since the last one.
    """
    seen = _seen_paths(stream)
    paths = {_local(path) for path in wanted}
    parents = {path.rpartition("/")[0] for path in paths}
    empty_lists = [path for path in parents if path in seen and not _has_children(path, seen)]
    if empty_lists:
        return
    asked = " or ".join(sorted({path.text for path in wanted}))
    same_names = [path for path in seen if path in paths]
    if same_names:
        raise UnreadableFileError(
            f"no record at {asked}: the file has {same_names[0]}, but in another namespace; "
            "declare it under `namespaces` (`default` for names without prefix)"
        )
    near = difflib.get_close_matches(sorted(paths)[0], seen, n=3, cutoff=0.3)
    common = [path for path, _ in seen.most_common(5)]
    raise UnreadableFileError(
        f"no record at {asked}; nearest in the file: {', '.join(near) or 'nothing'}; "
        f"most frequent: {', '.join(common)}"
    )


def _has_children(path: str, seen: Counter[str]) -> bool:
    return any(other.startswith(f"{path}/") for other in seen)


def _local(path: ElementPath) -> str:
    return "".join(f"/{step.name.rpartition('}')[2]}" for step in path.steps)


def _seen_paths(stream: XmlStream) -> Counter[str]:
    """How often each path of local names occurs, within limits of memory and time."""
    seen: Counter[str] = Counter()
    stack: list[str] = []
    parser = expat.ParserCreate("utf-8")

    def start(name: str, _: dict[str, str]) -> None:
        stack.append(f"{stack[-1] if stack else ''}/{name.rpartition(':')[2]}"[:500])
        if len(stack) <= MAX_LEVELS and (stack[-1] in seen or len(seen) < MAX_PATHS):
            seen[stack[-1]] += 1

    def end(_: str) -> None:
        stack.pop()

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.DefaultHandler = lambda _: None
    read = 0
    decoder = Decoder(override=stream.encoding, illegal=stream.illegal_characters)
    with stream.open_file() as file:
        try:
            for text in decoder.decode(unpacked(file)):
                parser.Parse(text.encode("utf-8"), False)
                read += len(text)
                if read > MAX_CHARACTERS:
                    break
        except (expat.ExpatError, UnreadableFileError):
            pass  # the caller already read it to its end; this is only for the message
    return seen
