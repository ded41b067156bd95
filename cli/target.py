"""Which stack a command works on: a deployed one, or the local one when it is up."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pim_connector.errors import ConfigurationError

if TYPE_CHECKING:
    import boto3

    from local.stack.record import RunningStack
    from pim_connector.akeneo import AkeneoClient
    from pim_connector.aws.bucket import Bucket
    from pim_connector.aws.table import Table
    from pim_connector.products.replaying import ReplayParts
    from pim_connector.sync.jobs import JobParts
    from pim_connector.sync.runs import Decision, Run
    from pim_connector.sync.state import SyncState

DEFAULT_STACK = "pim-connector"

StackOption = Annotated[
    str | None,
    typer.Option("--stack", help="Name of a deployed stack. Default: the local one if it is up."),
]
ProfileOption = Annotated[str | None, typer.Option(help="AWS profile to reach the stack with.")]
RegionOption = Annotated[str | None, typer.Option(help="AWS region of the stack.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A stack that answers; `outputs` are those of template.yaml, `endpoint` is None on AWS."""

    name: str
    session: boto3.Session
    endpoint: str | None
    outputs: dict[str, str]

    def client(self, service: str) -> Any:
        """Make a client of one AWS service of this stack."""
        return self.session.client(service, endpoint_url=self.endpoint)  # type: ignore[call-overload]  # the service is not a literal

    def bucket(self) -> Bucket:
        from pim_connector.aws.bucket import Bucket

        return Bucket(self.client("s3"), self.outputs["Bucket"])

    def run_table(self) -> Table:
        from pim_connector.aws.table import Table

        return Table(self.client("dynamodb"), self.outputs["RunTable"])

    def sync_state(self) -> SyncState:
        from pim_connector.sync.state import SyncState

        return SyncState(self.client("dynamodb"), self.output("SyncStateTable"))

    def output(self, name: str) -> str:
        """Give an output; ConfigurationError where the deployment is older than this command."""
        if name not in self.outputs:
            raise ConfigurationError(
                f"stack {self.name} has no output {name}: deploy it again with this release, and "
                "with Dam=ENABLED for what has to do with assets"
            )
        return self.outputs[name]

    def pim(self) -> AkeneoClient:
        """Make a client of the stack's PIM, with the credentials of its secret."""
        from pim_connector.akeneo import AkeneoClient, read_credentials

        secret = self.output("AkeneoSecret")
        client = self.client("secretsmanager")
        return AkeneoClient(
            self.output("AkeneoUrl"), credentials=lambda: read_credentials(client, secret)
        )

    def identity(self) -> str:
        """Return who AWS says we are, as an ARN; nobody needs a right to ask this."""
        return str(self.client("sts").get_caller_identity()["Arn"])

    def note_run(self, run: str, what: str, *, led_to: str) -> None:
        """Keep who did something to a run, where the console shows it, too."""
        from datetime import UTC, datetime

        from pim_connector.console.history import History

        history = History(self.run_table())
        history.note_run(run, self.actor(), what, datetime.now(UTC), led_to=led_to)

    def note_decision(self, run: Run, decision: Decision, *, led_to: str = "") -> None:
        """Keep what was decided about a run on hold, with it and among the console's approvals."""
        from datetime import UTC, datetime

        from pim_connector.console.history import OF_STACK, History

        self.note_run(run.id, f"{decision} what was on hold", led_to=led_to)
        what = f"{decision} run {run.id}: {run.hold}"
        History(self.run_table()).note(
            f"{OF_STACK}#approvals", self.actor(), what, datetime.now(UTC), led_to=led_to or run.id
        )

    def actor(self) -> str:
        """Name who types this, as the history of runs shows it."""
        arn = self.identity()
        return f"{arn.rpartition('/')[2]} (AWS {arn})"

    def jobs(self) -> JobParts:
        """Give what replay, revert and approve work with."""
        from datetime import UTC, datetime

        from pim_connector.aws.events import Announcements
        from pim_connector.aws.queue import FifoQueue
        from pim_connector.sync.jobs import JobParts
        from pim_connector.sync.runs import Registry

        return JobParts(
            bucket=self.bucket(),
            registry=Registry(self.run_table()),
            queue=FifoQueue(self.client("sqs"), self.output("ProductQueue")),
            announcements=Announcements(self.client("events"), "default", self.name),
            groups=int(self.output("ConcurrentCalls")),
            clock=lambda: datetime.now(UTC),
        )

    def replays(self) -> ReplayParts:
        from pim_connector.products.replaying import ReplayParts
        from pim_connector.sync.message_results import Deliveries

        return ReplayParts(
            jobs=self.jobs(),
            deliveries=Deliveries(self.run_table()),
            sync_state=self.sync_state(),
        )


def connect(stack: str | None, profile: str | None, region: str | None) -> Target:
    """Find the stack. ConfigurationError says where was looked and what to do.

    Without any of the three the local stack is meant, if it is up.
    """
    import boto3

    from local.stack import record

    running = record.read() if not (stack or profile or region) else None
    if running:
        return connect_local(running)
    from botocore.exceptions import ProfileNotFound

    try:
        session = boto3.Session(profile_name=profile, region_name=region)
    except ProfileNotFound as error:
        raise ConfigurationError(f"{error}; `aws configure list-profiles` lists them") from error
    return _describe(stack or DEFAULT_STACK, session, None)


def connect_pim(
    pim: str | None, stack: str | None, profile: str | None, region: str | None
) -> AkeneoClient:
    """Make a client of the PIM that `--pim` or AKENEO_URL names, otherwise of the stack's.

    Whoever names a stack means its PIM, whatever AKENEO_URL says.
    """
    from cli import profiles

    if pim or (os.environ.get("AKENEO_URL") and not (stack or profile or region)):
        return profiles.connect(pim)
    try:
        target = connect(stack, profile, region)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"no PIM is named (--pim PROFILE, --pim URL or AKENEO_URL), and {error}"
        ) from error
    return target.pim()


def connect_local(running: RunningStack) -> Target:
    """Connect to a local stack that is known to run, whatever AWS profile the shell has."""
    from dataclasses import replace

    from local.stack.fixups import on_this_machine, session

    found = _describe(running.stack_name, session(), running.endpoint)
    return replace(found, outputs=on_this_machine(found.outputs, running.endpoint))


def _describe(name: str, session: boto3.Session, endpoint: str | None) -> Target:
    from botocore.exceptions import BotoCoreError, ClientError

    region = session.region_name or "no region"
    advice = (
        f"stack {name} was not reached ({region}): %s. Name it with --stack, --profile and "
        "--region, or start the local one with `make up`."
    )
    try:
        client = session.client("cloudformation", endpoint_url=endpoint)
        described = client.describe_stacks(StackName=name)["Stacks"][0]
    except (BotoCoreError, ClientError) as error:
        raise ConfigurationError(advice % str(error).rstrip(".")) from error
    outputs = {o["OutputKey"]: o["OutputValue"] for o in described.get("Outputs", [])}
    missing = {"Bucket", "RunTable"} - outputs.keys()
    if missing:
        raise ConfigurationError(
            f"stack {name} has no output {', '.join(sorted(missing))}: it is not this connector, "
            "or not a finished deployment"
        )
    return Target(name=name, session=session, endpoint=endpoint, outputs=outputs)
