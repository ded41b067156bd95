"""Sends up to 100 assets of one family: options, files, PATCH, and every asset's own outcome."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from pim_connector.akeneo import AkeneoClient, LineOutcome, Refused, Unanswered, Upserted
from pim_connector.assets.asset import SlotKey
from pim_connector.assets.ledger import AssetEntry
from pim_connector.assets.media import MediaCourier
from pim_connector.assets.options import create_options, missing_options, with_options
from pim_connector.assets.outcome import AssetOutcome, AssetState, rejected
from pim_connector.assets.structures import AssetStructures
from pim_connector.assets.triage import Send, link_keys
from pim_connector.delivery.pim import PimUnavailableError, asking_the_pim
from pim_connector.errors import RejectedError, TransientError
from pim_connector.states import Problem

ASSETS_PER_CALL = 100
"""https://api.akeneo.com/api-reference.html#patch_asset__code_"""


class Upserting(Struct, frozen=True, kw_only=True):
    """What sending assets of one source needs."""

    source: str
    pim: AkeneoClient
    courier: MediaCourier
    structures: AssetStructures


class Sent(Struct, frozen=True, kw_only=True):
    """What became of a chunk: an outcome for each, and entries for what the PIM accepted.

    Of assets without an outcome nobody knows: `failure` says why, and their messages come again.
    """

    outcomes: tuple[AssetOutcome, ...]
    accepted: tuple[AssetEntry, ...]
    failure: TransientError | None


def upsert(sends: Sequence[Send], parts: Upserting) -> Sent:
    """Bring one family's assets (at most 100) to the PIM.

    Raises TransientError where nothing is known of any of them, and ConfigurationError.
    """
    refusals = _create_options(sends, parts)
    ready: list[tuple[Send, dict[SlotKey, str]]] = []
    outcomes: list[AssetOutcome] = []
    failure: TransientError | None = None
    for send in sends:
        try:
            _check_options(send, refusals)
            due = {slot.key for slot in send.slots}
            files = tuple(file for file in send.asset.media if file.key in due)
            ready.append((send, parts.courier.codes(parts.pim, files)))
        except RejectedError as error:
            asset = send.asset
            outcomes.append(rejected(asset.dam_id, str(error), code=asset.code))
        except PimUnavailableError:
            raise
        except TransientError as error:
            if send.lost:
                outcomes.append(rejected(send.asset.dam_id, str(error), code=send.asset.code))
            else:
                failure = error
    sent = _patch(ready, outcomes, parts)
    return replace(sent, failure=sent.failure or failure)


def _create_options(sends: Sequence[Send], parts: Upserting) -> dict[tuple[str, str, str], str]:
    missing = missing_options((send.asset for send in sends), parts.structures.current())
    if not missing:
        return {}
    with asking_the_pim():
        refused = create_options(parts.pim, missing)
    taken = [o for o in missing if (o.asset_family, o.attribute, o.code) not in refused]
    parts.structures.replace(with_options(parts.structures.current(), taken))
    return refused


def _check_options(send: Send, refusals: dict[tuple[str, str, str], str]) -> None:
    for option in send.asset.options:
        reason = refusals.get((send.asset.family, option.attribute, option.code))
        if reason:
            raise RejectedError(f"option {option.code} of {option.attribute}: {reason}")


def _patch(
    ready: Sequence[tuple[Send, dict[SlotKey, str]]],
    outcomes: list[AssetOutcome],
    parts: Upserting,
) -> Sent:
    accepted: list[AssetEntry] = []
    unanswered = 0
    called = [(send, codes) for send, codes in ready if send.slots]
    answers: list[LineOutcome] = []
    if called:
        family = called[0][0].asset.family
        items = [send.asset.payload(send.slots, codes) for send, codes in called]
        with asking_the_pim():
            answers = parts.pim.upsert_assets(family, items)
    answered = {s.asset.dam_id: a for (s, _), a in zip(called, answers, strict=True)}
    for send, _ in ready:
        answer = answered.get(send.asset.dam_id)
        if isinstance(answer, Refused):
            outcomes.append(_refused(send, answer))
        elif isinstance(answer, Unanswered):
            unanswered += 1
        else:
            outcomes.append(_accepted(send, answer))
            accepted.append(_entry(send, parts.source))
    said = f"the PIM did not answer for {unanswered} assets"
    failure = TransientError(said) if unanswered else None
    return Sent(outcomes=tuple(outcomes), accepted=tuple(accepted), failure=failure)


def _accepted(send: Send, answer: Upserted | None) -> AssetOutcome:
    asset = send.asset
    if answer is None:  # nothing but its links changes
        return AssetOutcome(dam_id=asset.dam_id, state="unchanged", code=asset.code)
    state: AssetState = "created" if answer.created else "updated"
    return AssetOutcome(dam_id=asset.dam_id, state=state, code=asset.code)


def _refused(send: Send, answer: Refused) -> AssetOutcome:
    details = [
        Problem(reason=error.message, attribute=error.attribute or error.property or None)
        for error in answer.errors
    ]
    problems = details or [Problem(reason=answer.message)]
    asset = send.asset
    return AssetOutcome(
        dam_id=asset.dam_id, state="rejected", code=asset.code, problems=tuple(problems)
    )


def _entry(send: Send, source: str) -> AssetEntry:
    asset = send.asset
    return AssetEntry(
        source=source,
        dam_id=asset.dam_id,
        family=asset.family,
        code=asset.code,
        hashes=asset.hashes,
        stamp=send.stamp,
        links=link_keys(asset),
    )
