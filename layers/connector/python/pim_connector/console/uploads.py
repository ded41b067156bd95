"""Files from a browser to the bucket: the function only says where, S3 takes the bytes.

The address is signed for exactly the size that was announced, one key and a quarter of an hour;
S3 refuses anything else (a signed Content-Length:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html).
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from pim_connector.console.exchange import Call, RefusedError, Reply, as_json
from pim_connector.console.history import of_source
from pim_connector.console.parts import checked_source
from pim_connector.errors import ConnectorError
from pim_connector.products.splitting import INBOX, run_id

if TYPE_CHECKING:
    from pim_connector.console.parts import Parts

SAMPLES: Final = "samples/"
MOST_BYTES: Final = 5 * 10**9
"""What S3 takes in one request is 5 GiB (https://docs.aws.amazon.com/general/latest/gr/s3.html)."""
MOST_SAMPLE_BYTES: Final = 200 * 10**6
GOOD_FOR_SECONDS: Final = 900
LONGEST_NAME: Final = 150


def begin(parts: Parts, call: Call) -> Reply:
    """Say where the browser may put a file: into a source's inbox, or among its samples."""
    try:
        source = checked_source(call.form.get("source", ""))
        name = file_name(call.form.get("name", ""))
        is_sample = call.form.get("for") == "sample"
        size = checked_size(
            call.form.get("size", ""), most=MOST_SAMPLE_BYTES if is_sample else MOST_BYTES
        )
    except ConnectorError as error:
        status = error.status if isinstance(error, RefusedError) else 400
        return as_json({"problem": str(error)}, status)
    key = f"{SAMPLES if is_sample else INBOX}{source}/{name}"
    address = parts.client("s3").generate_presigned_url(
        "put_object",
        Params={"Bucket": parts.bucket.name, "Key": key, "ContentLength": size},
        ExpiresIn=GOOD_FOR_SECONDS,
    )
    return as_json({"put": address, "key": key})


def done(parts: Parts, call: Call) -> Reply:
    """Say where to go on after an upload: to its run, or to the studio with the sample."""
    key = call.form.get("key", "")
    folder, _, rest = key.partition("/")
    source, _, name = rest.partition("/")
    checked_source(source)
    if f"{folder}/" == SAMPLES:
        return as_json({"location": f"/studio/{source}?sample={SAMPLES}{source}/{file_name(name)}"})
    if f"{folder}/" != INBOX or not name:
        return as_json({"problem": "This is not a file of the inbox."}, 400)
    parts.history.note(of_source(source), call.visitor.actor, f"uploaded {name}", parts.clock())
    stored = parts.bucket.describe(key)
    if stored is None:
        return as_json({"location": f"/sources/{source}"})
    run = run_id(parts.bucket.name, source, stored)
    return as_json({"location": f"/runs/{run}?expected=1"})


def file_name(text: str) -> str:
    """Return the last part of a file's name as a browser tells it. RefusedError for a bad one."""
    name = PurePosixPath(text.replace("\\", "/")).name.strip()
    if not name or name in (".", "..") or not name.isprintable() or len(name) > LONGEST_NAME:
        raise RefusedError(400, "Rename the file: 1 to 150 printable characters.")
    return name


def checked_size(text: str, *, most: int) -> int:
    """Return the size of a file in bytes. RefusedError for none, and for more than S3 takes."""
    if not (text.isascii() and text.isdecimal()) or len(text) > 15 or int(text) == 0:
        raise RefusedError(400, "Choose a file that is not empty.")
    if int(text) > most:
        raise RefusedError(
            413,
            f"This file has {int(text):,} bytes; the console takes {most:,}. Larger exports go "
            "into the bucket by `pim-connector import` or `aws s3 cp`, or in gzip.",
        )
    return int(text)
