"""The first page: what runs where, what waits, what came last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response

from cli.summary import MEANINGS, seconds
from local.desk.connection import Connection, StackDownError
from local.desk.pages import page
from local.desk.runs import newest

if TYPE_CHECKING:
    from cli.target import Target

RECENT: Final = 5
QUEUES: Final = {
    "ProductQueue": "products on their way",
    "ProductDeadLetterQueue": "products put aside",
    "AssetQueue": "assets on their way",
    "AssetDeadLetterQueue": "assets put aside",
}


def overview_page(connection: Connection, _: Request) -> Response:
    """Whether the stack is up, and the way to everything else."""
    try:
        target = connection.target()
    except StackDownError:
        return page("overview.html", up=False)
    return page(
        "overview.html",
        up=True,
        servers=connection.servers(),
        queues=_depths(target),
        runs=newest(target, RECENT),
        meanings=MEANINGS,
        seconds=seconds,
        inbox=sum(1 for _ in target.bucket().keys("incoming/")),
    )


def _depths(target: Target) -> dict[str, int]:
    """Count the messages of each queue, waiting or being handled; roughly, as SQS does."""
    sqs = target.client("sqs")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    depths = {}
    for output, meaning in QUEUES.items():
        if output in target.outputs:
            url = target.outputs[output]
            said = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            depths[meaning] = sum(int(said.get(name, 0)) for name in names)
    return depths
