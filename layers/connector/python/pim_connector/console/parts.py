"""What the console's pages read from and act through, put together once per worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from urllib.parse import urlsplit

from botocore.config import Config
from msgspec import Struct

from pim_connector.aws.bucket import Bucket
from pim_connector.aws.table import Table
from pim_connector.console.app_connection import origin_of
from pim_connector.console.doorway import make_door
from pim_connector.console.extensions import extension_secret
from pim_connector.console.history import History
from pim_connector.console.sessions import read_key
from pim_connector.console.web import security_headers
from pim_connector.errors import ConfigurationError, RejectedError
from pim_connector.products.splitting import Upload, request_for
from pim_connector.sync.message_results import Deliveries
from pim_connector.sync.runs import Registry, Run
from pim_connector.sync.state import SyncState

if TYPE_CHECKING:
    from pim_connector.akeneo import AkeneoClient
    from pim_connector.akeneo.structure import Structure
    from pim_connector.console.sign_in import Door
    from pim_connector.products.replaying import ReplayParts
    from pim_connector.sync.jobs import JobParts

CONFIG: Final = "config/erp/"
MOST_RUNS_LOOKED_AT: Final = 60
"""Runs that a page reads to find those that need somebody: they are among the newest."""


class ConsoleSettings(Struct, frozen=True, kw_only=True):
    """What the console must know; `trigger` says whether uploads start at once or at night.

    A stack without a DAM has no asset queues: their addresses are empty.
    """

    bucket: str
    run_table: str
    sync_state_table: str
    state_table: str
    product_queue_url: str
    product_dead_letter_queue_url: str
    akeneo_url: str
    akeneo_secret_arn: str
    stack_name: str
    console_key_arn: str
    asset_queue_url: str = ""
    asset_dead_letter_queue_url: str = ""
    channel_secret_arn: str = ""
    event_bus: str = "default"
    concurrent_calls: int = 4
    time_zone: str = "UTC"
    trigger: str = "upload"
    sweep_schedule: str = ""
    run_email: str = ""
    alarm_email: str = ""


Draft = Callable[[Callable[[], BinaryIO], "Structure | None"], str]


class Parts:
    """Clients and stores of one stack; `client` makes an AWS client by the service's name.

    `draft` makes a first mapping of a sample, as text.
    """

    def __init__(
        self,
        settings: ConsoleSettings,
        client: Callable[[str], Any],
        *,
        draft: Draft,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.draft = draft
        self.settings = settings
        self._client = client
        self._clients: dict[str, Any] = {}
        self.clock = clock

    def client(self, service: str) -> Any:
        """Return the client of one AWS service, made when it is first asked for."""
        if service not in self._clients:
            self._clients[service] = self._client(service)
        return self._clients[service]

    @cached_property
    def bucket(self) -> Bucket:
        return Bucket(self.client("s3"), self.settings.bucket)

    @cached_property
    def runs(self) -> Table:
        return Table(self.client("dynamodb"), self.settings.run_table)

    @cached_property
    def state(self) -> Table:
        return Table(self.client("dynamodb"), self.settings.state_table)

    @cached_property
    def registry(self) -> Registry:
        return Registry(self.runs)

    @cached_property
    def deliveries(self) -> Deliveries:
        return Deliveries(self.runs)

    @cached_property
    def history(self) -> History:
        return History(self.runs)

    @cached_property
    def sync_state(self) -> SyncState:
        return SyncState(self.client("dynamodb"), self.settings.sync_state_table)

    def jobs(self) -> JobParts:
        """Return what replay, revert and approve work with."""
        from pim_connector.aws.events import Announcements
        from pim_connector.aws.queue import FifoQueue
        from pim_connector.sync.jobs import JobParts

        return JobParts(
            bucket=self.bucket,
            registry=self.registry,
            queue=FifoQueue(self.client("sqs"), self.settings.product_queue_url),
            announcements=Announcements(
                self.client("events"), self.settings.event_bus, self.settings.stack_name
            ),
            groups=self.settings.concurrent_calls,
            clock=self.clock,
        )

    def replays(self) -> ReplayParts:
        """Return what sending records again works with."""
        from pim_connector.products.replaying import ReplayParts

        return ReplayParts(jobs=self.jobs(), deliveries=self.deliveries, sync_state=self.sync_state)

    @cached_property
    def headers(self) -> dict[str, str]:
        """Return what every reply has; only the bucket takes uploads besides the console."""
        asked = {"Bucket": self.settings.bucket, "Key": "x"}
        address = urlsplit(self.client("s3").generate_presigned_url("put_object", Params=asked))
        own = "connect-src 'self'"
        found = security_headers()
        policy = found["content-security-policy"]
        wider = policy.replace(own, f"{own} {address.scheme}://{address.netloc}")
        # Browsers hold `form-action` for where a form's answer leads, too: on to the PIM's consent.
        form = "form-action 'self'"
        wider = wider.replace(form, f"{form} {origin_of(self.settings.akeneo_url)}")
        return found | {"content-security-policy": wider}

    @cached_property
    def key(self) -> bytes:
        """Return the key of this stack: sessions, forms and extensions are signed by it."""
        return read_key(self.client("secretsmanager"), self.settings.console_key_arn)

    @property
    def extension_secret(self) -> str:
        """Return what the PIM signs tokens of tabs and its actions with."""
        return extension_secret(self.key)

    @cached_property
    def door(self) -> Door:
        """Return what says who is there."""
        return make_door(self)

    def pim(self) -> AkeneoClient:
        """Make a client of the stack's PIM, with the credentials of its secret."""
        from pim_connector.akeneo import AkeneoClient, read_credentials

        secrets, arn = self.client("secretsmanager"), self.settings.akeneo_secret_arn
        return AkeneoClient(
            self.settings.akeneo_url, credentials=lambda: read_credentials(secrets, arn)
        )

    def sources(self) -> list[str]:
        """Name the ERP sources: those that have a mapping."""
        keys = (key.removeprefix(CONFIG) for key in self.bucket.keys(CONFIG))
        return sorted(key[:-5] for key in keys if key.endswith(".yaml") and "/" not in key)

    def newest(self, number: int) -> list[Run]:
        """Return the newest runs, the newest first, by as many reads as there are."""
        return list(
            self.registry.each(name.run for name in islice(self.registry.all_runs(), number))
        )

    def held(self) -> list[Run]:
        """Return the runs that wait for somebody's decision."""
        return [run for run in self.newest(MOST_RUNS_LOOKED_AT) if run.hold]

    @property
    def approvals_waiting(self) -> int:
        """How many runs wait for a decision."""
        return len(self.held())


def signing(environ: Mapping[str, str]) -> Config:
    """Return how S3's addresses are made and signed for a browser.

    By signature version 4, the only one that holds an upload to its size; and with the bucket's
    own name in its own region, because S3 redirects others and browsers do not follow that.
    """
    if environ.get("AWS_ENDPOINT_URL"):
        return Config(signature_version="s3v4", s3={"addressing_style": "path"})
    return Config(signature_version="s3v4", s3={"addressing_style": "virtual"})


def checked_source(name: str) -> str:
    """Return the name of a source as it is; RejectedError for one that no folder may have."""
    asked = request_for(f"incoming/{name}/file")
    if not (isinstance(asked, Upload) and asked.source == name):
        raise RejectedError("A source's name has 1 to 40 letters, digits, - and _.")
    return name


def find_run(parts: Parts, run: str) -> Run:
    """Return a run; ConfigurationError if the stack does not know it."""
    found = parts.registry.get(run)
    if found is None:
        raise ConfigurationError(f"There is no run {run[:80]}.")
    return found
