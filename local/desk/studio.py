"""The mapping studio: a record, the mapping, and what comes of it, on one page."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cli.imports import CONFIG_PREFIX
from local.desk.connection import Connection, StackDownError
from local.desk.inbox import sources, trouble_with
from local.desk.pages import page
from local.desk.previewing import Asked, Complaint, Shown
from local.desk.samples import DEMO, MOST_BYTES, Samples
from local.desk.workshop import Workshop
from pim_connector.errors import ConnectorError
from pim_connector.mapping import compile_mapping, load_mapping

if TYPE_CHECKING:
    from cli.target import Target

MOST_MAPPING_BYTES: Final = 2_000_000
MOST_RECORD: Final = 1_000_000
STRUCTURE_SECONDS: Final = 60.0
DEMO_MAPPING: Final = Path(__file__).parents[1] / "demo" / "mapping.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What is on the table: the mapping as it is written now, the sample, the place in it."""

    mapping: str
    sample: str = DEMO
    source: str = ""
    number: int = 1
    against_pim: bool = False


@dataclass(slots=True)
class Studio:
    """The pages of the studio. `clock` is in seconds."""

    connection: Connection
    samples: Samples = field(default_factory=Samples)
    workshop: Workshop = field(default_factory=Workshop)
    clock: Callable[[], float] = time.monotonic
    _structure: tuple[float, Path] | None = None

    def open(self, request: Request) -> Response:
        """Begin with a source's mapping, or with the demo's."""
        target = self._target()
        source = request.query_params.get("source", "")
        sample = request.query_params.get("sample", DEMO)
        known = sources(target) if target else []
        text = DEMO_MAPPING.read_text("utf-8")
        if target and source in known:
            text = target.bucket().get(f"{CONFIG_PREFIX}{source}.yaml").decode("utf-8", "replace")
            if "sample" not in request.query_params:
                sample = _a_file_of(source, target) or sample
        desk = Desk(mapping=text, sample=sample, source=source, against_pim=target is not None)
        return self._page(desk)

    async def work(self, request: Request) -> Response:
        """Show what comes of the mapping as it stands in the form."""
        async with request.form(max_files=0, max_part_size=MOST_MAPPING_BYTES) as form:
            return await run_in_threadpool(self._page, _desk(form))

    async def save(self, request: Request) -> Response:
        """Put the mapping where the functions read it, if it is one."""
        async with request.form(max_files=0, max_part_size=MOST_MAPPING_BYTES) as form:
            return await run_in_threadpool(self._save, _desk(form))

    async def bring(self, request: Request) -> Response:
        """Take in a sample of one's own; no run comes of it."""
        async with request.form(max_files=1, max_fields=1) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile) or not file.filename:
                return page("problem.html", 400, problem="Choose a file.")
            if (file.size or 0) > MOST_BYTES:
                problem = f"A sample may have {MOST_BYTES:,} bytes at most; cut the file."
                return page("problem.html", 413, problem=problem)
            name = await run_in_threadpool(self.samples.bring, file.filename, file.file)
        return RedirectResponse(f"/studio?sample={name}", 303)

    def close(self) -> None:
        """End the previews and forget the samples."""
        self.workshop.close()
        self.samples.close()

    def _save(self, desk: Desk) -> Response:
        reason = trouble_with(desk.source)
        if reason:
            return self._page(desk, problem=f"Not saved as {desk.source!r}: {reason}.")
        target = self.connection.target()
        try:
            data = desk.mapping.encode()
            compile_mapping(load_mapping(data, name="mapping"))
        except ConnectorError:
            return self._page(desk, problem="Not saved: the mapping has errors, see below.")
        key = f"{CONFIG_PREFIX}{desk.source}.yaml"
        target.bucket().put(key, data)
        return self._page(desk, saved=f"Saved as {key}. Files of {desk.source} are read by it.")

    def _page(self, desk: Desk, *, problem: str = "", saved: str = "") -> Response:
        target = self._target()
        return page(
            "studio.html",
            desk=desk,
            shown=self._shown(desk, target),
            samples=list(self.samples.names(target)),
            sources=sources(target) if target else [],
            up=target is not None,
            problem=problem,
            saved=saved,
        )

    def _shown(self, desk: Desk, target: Target | None) -> Shown:
        try:
            sample = self.samples.path(desk.sample, target)
        except ConnectorError as error:
            return Shown(errors=(Complaint(message=str(error)),))
        asked = Asked(mapping=desk.mapping, sample=sample, number=desk.number)
        if not (desk.against_pim and target):
            return self.workshop.preview(asked)
        try:
            return self.workshop.preview(replace(asked, structure=self._pim(target)))
        except ConnectorError as error:
            shown = self.workshop.preview(asked)
            unchecked = Complaint(message=f"Not checked against the PIM: {error}")
            return replace(shown, warnings=(*shown.warnings, unchecked))

    def _pim(self, target: Target) -> Path:
        """Read the PIM's structure, at most once a minute: each copy is a file of its own."""
        import msgspec

        from pim_connector.structure import fetch_catalog

        now = self.clock()
        if self._structure is None or now - self._structure[0] > STRUCTURE_SECONDS:
            with target.pim() as client:
                data = msgspec.json.encode(fetch_catalog(client))
            path = self.samples.folder() / f"structure-{now:.3f}.json"
            path.write_bytes(data)
            self._structure = (now, path)
        return self._structure[1]

    def _target(self) -> Target | None:
        try:
            return self.connection.target()
        except StackDownError:
            return None


def _desk(form: FormData) -> Desk:
    text = str(form.get("record", "1"))
    number = int(text) if text.isdecimal() and len(text) < 8 else 1
    number += {"next": 1, "previous": -1}.get(str(form.get("go", "")), 0)
    return Desk(
        mapping=str(form.get("mapping", "")).replace("\r\n", "\n"),
        sample=str(form.get("sample", DEMO)),
        source=str(form.get("source", "")).strip(),
        number=min(max(number, 1), MOST_RECORD),
        against_pim="against_pim" in form,
    )


def _a_file_of(source: str, target: Target) -> str | None:
    """Choose the file of a source to begin with: by name, the last that was processed."""
    for folder in ("done/", "incoming/", "failed/"):
        keys = list(target.bucket().keys(f"{folder}{source}/"))
        if keys:
            return f"s3:{keys[-1]}"
    return None
