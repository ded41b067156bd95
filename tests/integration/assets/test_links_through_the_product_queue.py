"""From the asset mapper's link message to the product, by the product mapper's own worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pim_connector.assets.removal import announce_waiting
from pim_connector.products.composition import MapperClients, Surroundings, compose
from pim_connector.products.worker import Worker
from pim_connector.settings import MapperSettings
from tests.integration.assets.test_asset_mapper import LINKS
from tests.integration.assets.world import Wire, World, aws, picture


@contextmanager
def worker(world: World, url: str | None = None) -> Iterator[Worker]:
    settings = MapperSettings(
        stack_name="stack",
        bucket="bucket",
        run_table="runs",
        sync_state_table="sync_state",
        state_table="state",
        product_queue_url=world.queues["product"],
        product_dead_letter_queue_url=world.queues["dead"],
        akeneo_url=url or world.settings.akeneo_url,
        akeneo_secret_arn="akeneo",
    )
    clients = MapperClients(
        s3=world.s3,
        sqs=world.sqs,
        dynamodb=world.dynamodb,
        secrets=world.secrets,
        events=aws("events"),
    )
    around = Surroundings(
        now=lambda: world.time,
        sleep=world.sleep,
        jitter=lambda: 0.5,
        transport=lambda: Wire(world.dam),
    )
    parts = compose(settings, clients, around)
    yield parts.worker
    parts.close()


def test_the_product_mapper_appends_the_asset_and_keeps_marketings(world: World) -> None:
    world.put_source(links=LINKS)
    assert world.mapper
    pim = world.mapper.parts("dam", lambda: 600.0).upserting.pim
    pim.upsert_assets("packshots", [{"code": "marketing"}])
    kept = {"locale": None, "scope": None, "data": ["marketing"]}
    pim.upsert_products(
        [{"identifier": "SHOE1", "family": "shoes", "values": {"pictures": [kept]}}]
    )
    world.poll(a1=picture(), a2=picture())
    world.drain()
    bodies = [message["body"] for message in world.product_messages()]

    with worker(world) as mapper:
        ends = [mapper.handle(body, lambda: 300.0) for body in (*bodies, *bodies)]

    assert {handled.end for handled in ends} == {"done"}
    product = pim.get_product("SHOE1")
    assert product
    assert product["values"]["pictures"][0]["data"] == ["marketing", "a1", "a2"]


def test_links_wait_while_the_pim_is_down(world: World) -> None:
    world.put_source(links=LINKS)
    assert world.mapper
    pim = world.mapper.parts("dam", lambda: 600.0).upserting.pim
    pim.upsert_products([{"identifier": "SHOE1", "family": "shoes"}])
    world.poll(a1=picture())
    world.drain()
    (message,) = world.product_messages()

    with worker(world, "http://127.0.0.1:9") as mapper:
        handled = mapper.handle(message["body"], lambda: 300.0)

    assert (handled.end, handled.opened) == ("postponed", "unreachable")


def test_a_broken_link_message_goes_to_the_dead_letters(world: World) -> None:
    with worker(world) as mapper:
        handled = mapper.handle('{"kind":"asset_links","v":99}', lambda: 300.0)
    assert handled.end == "dead"


def test_a_link_is_made_when_its_product_comes_later(world: World) -> None:
    world.put_source(links=LINKS)
    world.poll(a1=picture(), a2=picture(name="SHOE2_front.jpg"))
    assert world.drain() == {"AssetsCreated": 2}
    assert world.product_messages() == []
    assert sorted(world.sync_state.waiting("dam")) == ["a1", "a2"]
    assert world.mapper
    pim = world.mapper.parts("dam", lambda: 600.0).upserting.pim
    pim.upsert_products([{"identifier": "SHOE1", "family": "shoes"}])
    world.dam.asked.clear()

    assert announce_waiting("dam", world.sync_state, world.asset_queue.send) == 2
    assert world.drain() == {"AssetsUpdated": 1, "AssetsUnchanged": 1}

    with worker(world) as mapper:
        for message in world.product_messages():
            assert mapper.handle(message["body"], lambda: 300.0).end == "done"
    product = pim.get_product("SHOE1")
    assert product
    assert product["values"]["pictures"][0]["data"] == ["a1"]
    assert list(world.sync_state.waiting("dam")) == ["a2"]
    assert world.dam.asked == []


def test_a_late_link_takes_nothing_from_a_change_that_comes_with_it(world: World) -> None:
    world.put_source(links=LINKS)
    world.poll(a1=picture())
    world.drain()
    world.poll(a1=picture(title="Newer", updated="2026-11-22T10:00:00Z"))
    announce_waiting("dam", world.sync_state, world.asset_queue.send)
    world.drain()
    asset = world.asset("a1")
    assert asset
    assert asset["title"] == "Newer"
