"""What a DAM source would send, worked out without AWS and without a PIM.

The walk, the cursor and the mapping are those of the Lambda functions; only the queue is a list
of lines, and the cursor and the hashes of what was shown are in a file.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from pim_connector.akeneo.structure import Structure
from pim_connector.assets.mapping import CompiledAssetMapping, to_asset
from pim_connector.assets.values import MappedAsset
from pim_connector.dam.client import DamClient, Gone
from pim_connector.dam.pages import Position
from pim_connector.dam.polling import SourceCursor, changes_of
from pim_connector.errors import ConfigurationError, ConnectorError, RejectedError
from pim_connector.mapping.results import Filtered, Rejected
from pim_connector.sync.messages import AssetMessage, Change

DELETIONS = {
    "ignore": "gone from the DAM; it stays in the PIM as it is: there is no on_delete.action",
    "unlink": "gone from the DAM; its products lose it, it stays in the PIM",
    "disable": "gone from the DAM; on_delete.attribute is set, it stays in the PIM",
    "delete": "gone from the DAM; it is deleted from the PIM",
}
"""What becomes of a deleted asset, by `on_delete.action`."""


class Line(Struct, frozen=True, kw_only=True):
    """One line of output. `errors` are words for people, in the order they were found."""

    asset_family: str | None
    code: str | None
    state: str
    payload: dict[str, Any] | None
    errors: list[str]


class Shown(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was last shown of an asset: enough to know it again, and to say what was deleted."""

    digest: bytes
    family: str | None = None
    code: str | None = None


class PreviewState(Struct, kw_only=True):
    """The file of `--state`: how far each source was read, and what was shown of each asset."""

    cursors: dict[str, SourceCursor] = {}
    shown: dict[str, dict[str, Shown]] = {}


class EnoughError(ConnectorError):
    """The limit of lines is reached; the cursor stays before what was not shown."""


class StateFile:
    """The state in memory, written to its file by `write`. Serves the poll as its cursors."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.state = PreviewState()
        if path is not None and path.exists():
            try:
                self.state = msgspec.json.decode(path.read_bytes(), type=PreviewState)
            except (msgspec.MsgspecError, OSError) as error:
                raise ConfigurationError(
                    f"{path}: not a file of --state ({error}); delete it to begin anew"
                ) from error

    def load(self, source: str) -> SourceCursor:
        """Give the cursor of a source."""
        return self.state.cursors.get(source, SourceCursor())

    def save(self, source: str, cursor: SourceCursor, now: float) -> SourceCursor:  # noqa: ARG002
        """Keep the cursor of a source."""
        written = msgspec.structs.replace(cursor, version=cursor.version + 1)
        self.state.cursors[source] = written
        return written

    def write(self) -> None:
        """Write the file, whole or not at all."""
        if self._path is None:
            return
        beside = self._path.with_name(self._path.name + ".new")
        beside.write_bytes(msgspec.json.encode(self.state))
        os.replace(beside, self._path)


class Previewer:
    """Turns changes into lines. `show` is given those that are news; `limit` is how many."""

    def __init__(
        self,
        client: DamClient,
        compiled: CompiledAssetMapping,
        structure: Structure | None,
        shown: dict[str, Shown],
        show: Callable[[Line], None],
        limit: int | None,
    ) -> None:
        self._client, self._compiled, self._structure = client, compiled, structure
        self._shown, self._show, self._limit = shown, show, limit
        self.counts: Counter[str] = Counter()
        self._lines = 0

    def take(self, message: AssetMessage) -> None:
        """Show what is news in a message; EnoughError when the limit is reached."""
        self._take(message.changes)

    def _take(self, changes: Iterable[Change]) -> None:
        for change in changes:
            line, digest = self._line(change)
            before = self._shown.get(change.id)
            if line is None or (before is not None and before.digest == digest):
                self.counts["unchanged"] += 1
                continue
            if self._limit is not None and self._lines == self._limit:
                raise EnoughError("the limit is reached")
            self._lines += 1
            self._show(line)
            self.counts[line.state] += 1
            self._shown[change.id] = _shown(line, digest, before)

    @property
    def known(self) -> int:
        """How many assets the PIM would have."""
        return sum(shown.code is not None for shown in self._shown.values())

    def missing(self) -> int:
        """Compare the DAM's full list with what was shown, as a reconciliation does.

        What was missed comes as changed, what is gone as deleted; gives the number of the latter.
        ConfigurationError for a list that proves nothing.
        """
        gone = {id_ for id_, shown in self._shown.items() if shown.code is not None}
        for step in self._client.everything(Position()):
            for row in step.rows:
                if row.problem:
                    raise ConfigurationError(
                        f"the full list has an item that cannot be read: {row.problem}"
                    )
                gone.difference_update(() if row.deleted else row.ids)
                self._take(c for c in changes_of(row) if c.id not in self._shown)
        self._take(Change(id=id_, kind="deleted", origin="reconcile") for id_ in sorted(gone))
        return len(gone)

    def _line(self, change: Change) -> tuple[Line | None, bytes]:
        properties = change.properties
        if self._client.source.item and (change.kind == "deleted" or properties is None):
            try:
                row = self._client.asset(change.id)
            except RejectedError as error:
                return _rejected([str(error)], *self._identity(change.id, {}))
            gone = isinstance(row, Gone) or row.deleted
            properties = None if isinstance(row, Gone) else row.properties
        else:
            gone = change.kind == "deleted"
        if gone:
            return self._deleted(change.id, properties)
        if properties is None:
            reason = (
                f"{change.id}: too large for a message, and there is no `item` to ask for it by"
            )
            return _rejected([reason], *self._identity(change.id, {}))
        outcome = to_asset(change.id, properties, self._compiled, self._structure)
        return _mapped(outcome, *self._identity(change.id, properties))

    def _identity(self, asset_id: str, properties: dict[str, Any]) -> tuple[str | None, str | None]:
        return self._compiled.identity(asset_id, properties)

    def _deleted(
        self, asset_id: str, properties: dict[str, Any] | None
    ) -> tuple[Line | None, bytes]:
        before = self._shown.get(asset_id)
        family, code = (before.family, before.code) if before else (None, None)
        if before is None and properties:
            mapped = to_asset(asset_id, properties, self._compiled, self._structure)
            if isinstance(mapped, MappedAsset):
                family, code = mapped.family, mapped.code
        if code is None:  # nothing of it is in the PIM
            return None, b"deleted"
        action = self._compiled.mapping.on_delete.action
        state = "ignored" if action == "ignore" else "deleted"
        said = [DELETIONS[action]]
        line = Line(asset_family=family, code=code, state=state, payload=None, errors=said)
        return line, b"deleted"


def _shown(line: Line, digest: bytes, before: Shown | None) -> Shown:
    """Keep what was shown, and as what the PIM has the asset: a rejected one stays as it was."""
    if line.state == "mapped":
        return Shown(digest=digest, family=line.asset_family, code=line.code)
    if line.state == "rejected" and before is not None:
        return Shown(digest=digest, family=before.family, code=before.code)
    return Shown(digest=digest)


def _mapped(
    outcome: MappedAsset | Filtered | Rejected, family: str | None, code: str | None
) -> tuple[Line, bytes]:
    match outcome:
        case MappedAsset():
            payload: dict[str, Any] = outcome.payload()
            line = Line(
                asset_family=outcome.family,
                code=outcome.code,
                state="mapped",
                payload=payload,
                errors=[],
            )
            return line, b"m" + outcome.hashes
        case Filtered(reason=reason):
            line = Line(
                asset_family=family, code=code, state="filtered", payload=None, errors=[reason]
            )
            return line, b"f" + reason.encode()
        case Rejected(errors=errors):
            said = [_words(e.attribute, e.message, e.value) for e in errors]
            return _rejected(said, family, code)


def _rejected(errors: list[str], family: str | None, code: str | None) -> tuple[Line, bytes]:
    line = Line(asset_family=family, code=code, state="rejected", payload=None, errors=errors)
    return line, b"r" + "\n".join(errors).encode()


def _words(attribute: str | None, message: str, value: str | None) -> str:
    where = f"{attribute}: " if attribute else ""
    return f"{where}{message}" + (f" ({value!r})" if value is not None else "")
