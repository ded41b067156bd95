"""Brings a media file from the DAM into the PIM: once for each binary, however often it is used."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pim_connector.assets.asset import MediaFile, SlotKey
from pim_connector.assets.ledger import AssetLedger
from pim_connector.media.downloads import Downloads

if TYPE_CHECKING:
    from pim_connector.akeneo import AkeneoClient


class MediaCourier:
    """Uploads files by the ledger's marks: where a file came from, and what is in it.

    A file lies on disk while it is on its way, so memory does not grow with it.
    """

    def __init__(self, source: str, downloads: Downloads, ledger: AssetLedger) -> None:
        self._source = source
        self._downloads = downloads
        self._ledger = ledger

    def codes(self, pim: AkeneoClient, files: tuple[MediaFile, ...]) -> dict[SlotKey, str]:
        """Give the PIM's code of each file, after downloading and uploading those it has not.

        Raises what `Downloads.download` and the client raise.
        """
        return {file.key: self._code(pim, file) for file in files}

    def _code(self, pim: AkeneoClient, file: MediaFile) -> str:
        origin = f"{self._source}|{file.identity}"
        known = self._ledger.media_code(origin)
        if known is not None:
            return known
        with tempfile.TemporaryDirectory(prefix="media-") as folder:
            path = Path(folder) / "file"
            with path.open("wb") as target:
                taken = self._downloads.download(file.url, target)
            content = f"sha256|{taken.sha256}|{PurePosixPath(file.name).suffix.lower()}"
            code = self._ledger.media_code(content)
            if code is None:
                kind = taken.content_type or None
                code = pim.upload_asset_media(file.name, lambda: path.open("rb"), content_type=kind)
        self._ledger.note_media((origin, content), code)
        return code
