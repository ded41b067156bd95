"""Products that link to others which the PIM does not have, or not yet."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import boto3

from pim_connector.aws.events import Announcements
from pim_connector.aws.queue import DeadLetters, FifoQueue
from pim_connector.aws.table import Leases, Table
from pim_connector.housekeeping import HousekeepingParts, make_round
from pim_connector.sync.chunks import Splits
from pim_connector.sync.messages import MessageRecord
from pim_connector.sync.state import state_key
from simulators.akeneo.pim import Product, ProductModel
from tests.integration.mapper.examples import MAPPING, VARIANTS, model, reasons
from tests.integration.mapper.world import Killed, World, record

LINKS = """
    associations:
      UPSELL: {products: up}
    quantified_associations:
      SET: {products: {each: part, from: "@id", quantity: "@qty"}}
"""
LINKED = MAPPING + LINKS
MODELS = VARIANTS + "    associations:\n      UPSELL: {product_models: up}\n"


def boot(number: int, identifier: str, *links: str, part: str = "") -> MessageRecord:
    inner = f"<name>{identifier}</name>" + "".join(f"<up>{link}</up>" for link in links)
    return record(number, identifier, inner + (f"<part id='{part}' qty='2'/>" if part else ""))


def targets(world: World, identifier: str, kind: str = "products") -> set[str]:
    """Give the identifiers of the products, or codes of the models, that the PIM has as links."""
    pim = world.pim
    found: Product | ProductModel | None = pim.product_by_identifier(identifier)
    found = found or pim.model(identifier)
    assert found is not None
    linked = {*found.associations.get("UPSELL", {}).get(kind, [])}
    linked |= {*found.quantified.get("SET", {}).get(kind, {})}
    if kind == "product_models":
        return linked
    return {str(pim.products[uuid].values["sku", None, None]) for uuid in linked}


def housekeeping(world: World) -> HousekeepingParts:
    return HousekeepingParts(
        bucket=world.bucket,
        registry=world.registry,
        splits=Splits(Table(world.dynamodb, "runs")),
        deliveries=world.deliveries,
        parking=world.parking,
        leases=Leases(Table(world.dynamodb, "runs")),
        queue=FifoQueue(world.sqs, world.queue),
        dead_letters=DeadLetters(world.sqs, world.dead_letters),
        announcements=Announcements(boto3.client("events"), "default", "stack"),
        parent_wait_seconds=3600,
        clock=lambda: datetime.fromtimestamp(world.clock.time, UTC),
    )


def both_ways(world: World) -> None:
    pin = world.put_mapping(LINKED)
    world.send("run", pin, [boot(1, "a", "b"), boot(2, "b", "a")])


def assert_linked_both_ways(world: World) -> None:
    assert (targets(world, "a"), targets(world, "b")) == ({"b"}, {"a"})
    assert sum(world.counts("run").values()) == 2
    assert set(world.counts("run")) <= {"created", "updated"}
    assert world.run("run").settled


def test_two_new_products_of_one_message_that_link_to_each_other_arrive(world: World) -> None:
    both_ways(world)
    world.deliver_all()

    assert_linked_both_ways(world)
    assert world.counts("run") == {"created": 2}
    keys = [state_key("shop", "product", name) for name in "ab"]
    assert all(entry.fingerprint for entry in world.sync_state.entries(keys).values())


def test_two_new_products_of_two_groups_that_link_to_each_other_arrive(world: World) -> None:
    pin = world.put_mapping(LINKED)
    world.send("run", pin, [boot(1, "a", "b")])
    world.send("run", pin, [boot(2, "b", part="a")], id="000002", group=1)
    world.deliver_all()

    assert_linked_both_ways(world)
    assert world.counts("run") == {"created": 2}


def test_links_wait_until_the_rest_of_the_run_is_through(world: World) -> None:
    pin = world.put_mapping(LINKED)
    world.send("run", pin, [boot(1, "a", "z")])
    world.send("run", pin, [boot(2, "z")], id="000002", group=1)
    world.invoke()

    assert world.counts("run") in ({"parked": 1}, {"created": 1})
    world.deliver_all()
    assert world.counts("run") == {"created": 2}
    assert targets(world, "a") == {"z"}


def test_a_target_that_never_comes_is_left_out_alone_and_tried_with_the_next_file(
    world: World,
) -> None:
    pin = world.put_mapping(LINKED)
    records = [boot(1, "a", "b", "never", part="gone"), boot(2, "b")]
    world.send("run", pin, records)
    world.deliver_all()

    assert world.counts("run") == {"created": 2}
    assert world.run("run").settled
    assert targets(world, "a") == {"b"}
    assert "no product never" in reasons(world, "run", 1)
    assert "no product gone" in reasons(world, "run", 1)

    world.send("run2", pin, [*records, boot(3, "never"), boot(4, "gone")])
    world.deliver_all()

    assert targets(world, "a") == {"b", "never", "gone"}
    assert world.counts("run2") == {"created": 2, "updated": 1, "unchanged": 1}


def test_a_product_that_is_wrong_without_its_links_too_is_rejected(world: World) -> None:
    pin = world.put_mapping(LINKED + "    categories: cat\n")
    bad = record(1, "a", "<name>A</name><up>never</up><cat>nowhere</cat>")
    world.send("run", pin, [bad])
    world.deliver_all()

    assert world.counts("run") == {"rejected": 1}
    assert "nowhere" in reasons(world, "run", 1)
    assert world.product("a") is None


def test_a_product_that_is_only_to_be_created_gets_its_links_after_it_was(world: World) -> None:
    pin = world.put_mapping(LINKED + "    mode: create_only\n")
    world.send("run", pin, [boot(1, "a", "b"), boot(2, "b", "a")])
    world.deliver_all()

    assert_linked_both_ways(world)


def test_models_that_link_to_each_other_arrive_and_their_variants_with_them(
    world: World,
) -> None:
    pin = world.put_mapping(MODELS)

    def linked(number: int, code: str, to: str) -> MessageRecord:
        inner = f"<name>Boots</name><up>{to}</up>"
        return record(number, code, inner, rule="models")

    variant = record(4, "v", "<parent>m</parent><size>s</size>", parent="m", family_key="m")
    world.send("run", pin, [variant])
    world.send(
        "run",
        pin,
        [linked(1, "m", "n"), linked(2, "n", "m"), model(3, "o")],
        id="000002",
        resource="product_model",
    )
    world.deliver_all()

    assert world.counts("run") == {"created": 4}
    assert world.run("run").settled
    assert targets(world, "m", "product_models") == {"n"}
    assert targets(world, "n", "product_models") == {"m"}


def test_a_worker_that_is_killed_after_a_write_loses_no_link_and_counts_nothing_twice(
    world: World,
) -> None:
    both_ways(world)
    world.deliver_all()
    writes = len(world.kills.seen)

    for at in range(1, writes + 1, 2):
        world.kills.at, world.kills.seen = None, []
        world.start_worker()
        run = f"run{at:03}"
        pin = world.put_mapping(LINKED)
        names = (f"a{at}", f"b{at}")
        first, second = boot(1, names[0], names[1]), boot(2, names[1], part=names[0])
        world.send(run, pin, [first, second])
        world.kills.at = at
        with suppress(Killed):
            world.deliver_all()
        world.kills.at = None
        world.start_worker()
        world.deliver_all()
        make_round(housekeeping(world))
        world.deliver_all()

        assert world.run(run).settled, world.kills.seen[:at]
        assert sum(world.counts(run).values()) == 2
        assert set(world.counts(run)) <= {"created", "updated"}
        assert [targets(world, name) for name in names] == [{names[1]}, {names[0]}]


def test_what_is_always_the_erps_goes_along_when_the_links_follow(world: World) -> None:
    always = LINKED.replace("name: name", "name: {from: name, owner: always}")
    pin = world.put_mapping(always)
    world.send("run", pin, [boot(1, "a", "b")])
    world.send("run", pin, [boot(2, "b")], id="000002")
    world.invoke()
    assert world.counts("run") == {"parked": 1}
    product = world.pim.product_by_identifier("a")
    assert product is not None
    product.values["name", None, None] = "edited"
    world.deliver_all()

    assert targets(world, "a") == {"b"}
    product = world.pim.product_by_identifier("a")
    assert product is not None
    assert product.values["name", None, None] == "a"
