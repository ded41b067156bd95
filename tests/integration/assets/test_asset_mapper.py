"""Assets on their way from the queue into the PIM, with the real client and the simulator."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pim_connector.products.asset_links import apply_links, decode
from pim_connector.sync.messages import Change
from tests.integration.assets.world import World, picture


def test_a_polled_asset_is_created_with_every_value_in_its_attributes_shape(world: World) -> None:
    world.poll(a1=picture())

    counts = world.drain()

    assert counts == {"AssetsCreated": 1}
    assert world.asset("a1") == {
        "title": "Shoe from the front",
        "sku": "SHOE1",
        "stars": "4",
        "tags": ["summer"],
        "url": "https://cdn.example.com/a1",
    }
    assert world.outcomes()["a1"].state == "created"
    assert not world.dam.asked


def test_what_did_not_change_is_not_sent_again(world: World) -> None:
    files = {f"a{n}": picture(title=f"Title {n}") for n in range(120)}
    world.poll(**files)
    assert world.drain() == {"AssetsCreated": 120}
    calls = world.pim.counters.calls.total()

    world.poll(**files)
    assert world.drain() == {"AssetsUnchanged": 120}

    assert world.pim.counters.calls.total() == calls


def test_two_changes_within_one_second_of_the_dam_s_clock_both_arrive(world: World) -> None:
    """A DAM that prints whole seconds gives both the same time stamp: only content tells them."""
    world.poll(a1=picture(title="First"))
    world.drain()
    world.poll(a1=picture(title="Second"))
    assert world.drain() == {"AssetsUpdated": 1}
    found = world.asset("a1")
    assert found
    assert found["title"] == "Second"


def test_only_the_changed_value_is_sent_so_that_marketing_keeps_its_own(world: World) -> None:
    world.poll(a1=picture())
    world.drain()
    client_value = {"code": "a1", "values": {"sku": [_value("MARKETING")]}}
    _pim(world).upsert_assets("packshots", [client_value])

    world.poll(a1=picture(title="Another title", updated="2026-11-20T11:00:00Z"))
    world.drain()

    found = world.asset("a1")
    assert found
    assert (found["title"], found["sku"]) == ("Another title", "MARKETING")


def test_a_value_the_dam_has_no_more_is_cleared_unless_the_file_says_keep(world: World) -> None:
    world.poll(a1=picture())
    world.drain()
    world.poll(a1=picture(title=None, stars=None, updated="2026-11-20T11:00:00Z"))
    world.drain()
    found = world.asset("a1")
    assert found
    assert "title" not in found
    assert "stars" not in found


def test_an_event_is_answered_by_asking_the_dam_after_it_has_settled(world: World) -> None:
    world.dam.files["a1"] = picture(title="Now")
    started = world.time
    world.announce(Change(id="a1", origin="event", not_before=world.time + 5))

    world.drain()

    assert world.time == started + 5
    assert world.asset("a1") is not None
    assert world.dam.asked == ["dam.example.com/files/a1"]


def test_repeats_in_one_batch_are_fetched_and_sent_once(world: World) -> None:
    world.dam.files["a1"] = picture()
    for n in range(5):
        world.announce(Change(id="a1", origin="event", event_id=str(n)))

    counts = world.drain()

    assert world.dam.asked == ["dam.example.com/files/a1"]
    assert counts == {"AssetsCreated": 1, "AssetsSuperseded": 4}


def test_an_older_version_never_overwrites_a_newer_one(world: World) -> None:
    world.poll(a1=picture(title="Newer", updated="2026-11-20T12:00:00Z"))
    world.drain()
    world.announce(
        Change(
            id="a1",
            stamp="2026-11-20T11:00:00Z",
            properties=picture(title="Older", updated="2026-11-20T11:00:00Z"),
        )
    )

    assert world.drain() == {"AssetsSuperseded": 1}
    assert world.asset("a1")["title"] == "Newer"  # type: ignore[index]


def test_an_asset_the_mapping_cannot_take_does_not_block_the_rest(world: World) -> None:
    world.poll(a1=picture(), a2=picture(stars="many"), a3=picture())

    assert world.drain() == {"AssetsCreated": 2, "AssetsRejected": 1}

    (problem,) = world.outcomes()["a2"].problems
    assert (problem.attribute, problem.source, problem.value) == ("stars", "stars", "many")


def test_an_asset_the_pim_refuses_is_rejected_with_the_pims_words(world: World) -> None:
    rows = world.pim.catalog.asset_attributes["packshots"]
    world.poll(a0=picture())
    world.drain()  # the structure is known now
    rows["sku"]["max_characters"] = 3
    world.poll(a1=picture(), a2=picture(name="AB_x.jpg"))

    counts = world.drain()

    assert counts == {"AssetsCreated": 1, "AssetsRejected": 1}
    assert world.outcomes()["a1"].problems
    assert world.asset("a2")


def test_missing_options_are_created_before_the_assets_that_use_them(world: World) -> None:
    world.poll(a1=picture(tags=["Winter 2024", "summer"]), a2=picture(tags=["winter 2024"]))

    assert world.drain() == {"AssetsCreated": 2}

    assert set(world.pim.catalog.asset_options["packshots", "tags"]) == {"summer", "winter_2024"}
    assert world.asset("a1")["tags"] == ["summer", "winter_2024"]  # type: ignore[index]


def test_families_are_sent_in_calls_of_their_own(world: World) -> None:
    files = {f"a{n}": picture() for n in range(30)}
    files |= {f"m{n}": picture(kind="manuals") for n in range(30)}
    world.poll(**files)

    assert world.drain() == {"AssetsCreated": 60}
    assert world.asset("m1", "manuals") == {"sku": "SHOE1"}
    assert world.asset("m1") is None


def test_two_dam_assets_with_one_code_are_not_mixed_up(world: World) -> None:
    world.poll(**{"a-1": picture(title="First")})
    world.drain()
    world.poll(a_1=picture(title="Second"))

    assert world.drain() == {"AssetsRejected": 1}
    assert world.asset("a_1")["title"] == "First"  # type: ignore[index]
    assert "a-1" in world.outcomes()["a_1"].problems[0].reason

    world.put_source(code={"distinct": True, "prefix": "d_"})
    world.poll(**{"a-1": picture(title="First"), "a_1": picture(title="Second")})
    assert world.drain() == {"AssetsCreated": 2}


def test_a_dam_that_is_down_keeps_the_message_and_its_followers(world: World) -> None:
    world.dam.down = True
    world.announce(Change(id="a1", origin="event"))

    handled = world.invoke()

    assert handled
    assert len(handled["back"]) == 1
    world.dam.down = False
    world.dam.files["a1"] = picture()
    assert world.drain() == {"AssetsCreated": 1}


def test_a_pim_that_is_down_keeps_everything_and_opens_the_breaker(world: World) -> None:
    world.poll(a1=picture())
    url = world.settings.akeneo_url
    world.settings = replace(world.settings, akeneo_url="http://127.0.0.1:9")
    world.restart()

    handled = world.invoke()
    assert handled
    assert len(handled["back"]) == 1
    assert handled["counts"]["BreakerOpened"] == 1

    again = world.invoke()
    assert again
    assert "BreakerOpened" not in again["counts"]  # nobody asked: the breaker is open

    world.settings = replace(world.settings, akeneo_url=url)
    world.restart()
    world.time += 3600
    assert world.drain()["AssetsCreated"] == 1


@pytest.mark.parametrize(
    ("action", "expected"), [("ignore", "there"), ("delete", "gone"), ("disable", "disabled")]
)
def test_a_deleted_asset_is_dealt_with_as_the_source_says(
    world: World, action: str, expected: str
) -> None:
    rule = {"action": action}
    if action == "disable":
        rule |= {"attribute": "status", "value": "retired"}
    world.put_source(on_delete=rule)
    world.poll(a1=picture())
    world.drain()
    del world.dam.files["a1"]
    world.announce(Change(id="a1", kind="deleted", origin="event"))
    world.drain()

    found = world.asset("a1")
    assert (found is None) == (expected == "gone")
    if expected == "disabled":
        assert found
        assert found["status"] == "retired"

    world.poll(a1=picture(title="Back again", updated="2026-11-21T10:00:00Z"))
    world.drain()
    found = world.asset("a1")
    assert found
    assert found["title"] == "Back again"
    assert "status" not in found


def test_a_deletion_that_the_dam_does_not_confirm_is_no_deletion(world: World) -> None:
    world.put_source(on_delete={"action": "delete"})
    world.poll(a1=picture())
    world.drain()
    world.announce(Change(id="a1", kind="deleted", origin="event"))

    assert world.drain() == {"AssetsUnchanged": 1}
    assert world.asset("a1")


def test_an_asset_that_is_no_product_asset_any_more_goes_like_a_deleted_one(world: World) -> None:
    world.put_source(on_delete={"action": "delete"})
    world.poll(a1=picture())
    world.drain()
    world.poll(a1=picture(product=False, updated="2026-11-21T10:00:00Z"))
    world.drain()
    assert world.asset("a1") is None
    world.poll(a2=picture(product=False))
    assert world.drain() == {"AssetsFiltered": 1}


def test_an_asset_that_moves_to_another_family_leaves_the_old_one(world: World) -> None:
    world.put_source(on_delete={"action": "delete"})
    world.poll(a1=picture())
    world.drain()
    world.poll(a1=picture(kind="manuals", updated="2026-11-21T10:00:00Z"))
    world.drain()
    assert world.asset("a1") is None
    assert world.asset("a1", "manuals") == {"sku": "SHOE1"}


FILE_RULE = {"from": "file", "file_version": "version", "families": ["packshots"]}


def with_file(world: World, **media: object) -> None:
    from tests.integration.assets.world import SOURCE

    attributes = SOURCE["assets"]["attributes"] | {"file": FILE_RULE}
    world.put_source(attributes=attributes, media=media)


def test_a_media_file_is_brought_over_once_for_each_binary(world: World) -> None:
    with_file(world)
    jpeg = b"\xff\xd8\xff\xe0" + b"x" * 300_000
    for name in ("one", "two", "three"):
        path = f"/binary/{name}.jpg"
        content = jpeg if name != "three" else jpeg + b"y"
        world.dam.binaries[path] = (200, {"content-type": "image/jpeg"}, content)
    files = {
        name: picture(file=f"/binary/{name}.jpg", version=1) for name in ("one", "two", "three")
    }
    world.poll(**files)

    assert world.drain() == {"AssetsCreated": 3}
    codes = {name: world.asset(name)["file"] for name in files}  # type: ignore[index]
    assert codes["one"] == codes["two"] != codes["three"]

    asked = len(world.dam.asked)
    world.poll(one=picture(file="/binary/one.jpg", version=1, title="New title"))
    world.drain()
    assert len(world.dam.asked) == asked


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://evil.example.com/x.jpg", "add it to `assets.media.hosts`"),
        ("http://169.254.169.254/latest/meta-data/x.jpg", "add it to `assets.media.hosts`"),
        ("https://dam.example.com/moved.jpg", "add it to `assets.media.hosts`"),
        ("https://dam.example.com/huge.jpg", "larger than 1 MB"),
        ("https://dam.example.com/endless.jpg", "larger than 1 MB"),
        ("https://dam.example.com/page.jpg", "text/html"),
        ("https://dam.example.com/absent.jpg", "404"),
        ("https://dam.example.com/empty.jpg", "empty"),
    ],
)
def test_a_file_that_may_not_be_brought_over_rejects_its_asset_only(
    world: World, url: str, said: str
) -> None:
    with_file(world, max_megabytes=1, types=["image/*"])
    image = {"content-type": "image/jpeg"}
    world.dam.binaries |= {
        "/moved.jpg": (302, {"location": "http://169.254.169.254/latest/x.jpg"}, b""),
        "/huge.jpg": (200, image | {"content-length": "9000000"}, b"x"),
        "/endless.jpg": (200, image, b"x" * 1_100_000),
        "/page.jpg": (200, {"content-type": "text/html"}, b"<html>"),
        "/absent.jpg": (404, {}, b""),
        "/empty.jpg": (200, image, b""),
        "/good.jpg": (200, image, b"\xff\xd8\xffgood"),
    }
    world.poll(a1=picture(file=url), a2=picture(file="https://dam.example.com/good.jpg"))

    assert world.drain() == {"AssetsCreated": 1, "AssetsRejected": 1}
    assert said in world.outcomes()["a1"].problems[0].reason
    assert not any("169.254" in asked for asked in world.dam.asked)


def test_a_name_that_resolves_into_our_own_network_is_not_asked(world: World) -> None:
    with_file(world)
    for address in ("10.0.0.7", "127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.7"):
        world.addresses["dam.example.com"] = [address]
        world.poll(a1=picture(file="https://dam.example.com/x.jpg", version=address))
        assert world.drain() == {"AssetsRejected": 1}
        assert "not an address on the internet" in world.outcomes()["a1"].problems[0].reason
        assert not world.dam.asked


LINKS = [{"products": {"from": "name", "steps": [{"extract": "^([A-Z0-9]+)_"}]}}]
LINKS[0] |= {"attribute": "pictures"}  # type: ignore[dict-item]


def test_an_asset_is_appended_to_its_product_through_the_products_group(world: World) -> None:
    from pim_connector.sync.messages import group_of

    world.put_source(links=LINKS)
    _pim(world).upsert_products([{"identifier": "SHOE1", "family": "shoes"}])
    world.poll(a1=picture())
    world.drain()

    (message,) = world.product_messages()
    assert message["group"] == f"group-{group_of('SHOE1', 4)}"
    _pim(world).upsert_products(
        [{"identifier": "SHOE1", "values": {"pictures": [_product_value(["marketing"])]}}]
    )
    _pim(world).upsert_assets("packshots", [{"code": "marketing"}])
    _pim(world).upsert_products(
        [{"identifier": "SHOE1", "values": {"pictures": [_product_value(["marketing"])]}}]
    )

    (linked,) = apply_links(decode(message["body"]), _pim(world))
    assert linked.state == "changed"
    (again,) = apply_links(decode(message["body"]), _pim(world))
    assert again.state == "unchanged"
    product = _pim(world).get_product("SHOE1")
    assert product
    assert product["values"]["pictures"][0]["data"] == ["marketing", "a1"]


def test_a_link_to_a_product_that_is_not_there_yet_is_tried_again(world: World) -> None:
    world.put_source(links=LINKS)
    world.poll(a1=picture())
    assert world.drain() == {"AssetsCreated": 1}
    assert not world.product_messages()

    _pim(world).upsert_products([{"identifier": "SHOE1", "family": "shoes"}])
    world.poll(a1=picture())
    world.drain()
    assert len(world.product_messages()) == 1
    world.poll(a1=picture())
    assert world.drain() == {"AssetsUnchanged": 1}
    assert not world.product_messages()


def test_when_the_product_changes_the_old_one_loses_the_asset(world: World) -> None:
    world.put_source(links=LINKS)
    _pim(world).upsert_products(
        [{"identifier": sku, "family": "shoes"} for sku in ("SHOE1", "SHOE2")]
    )
    world.poll(a1=picture())
    world.drain()
    world.product_messages()
    world.poll(a1=picture(name="SHOE2_front.jpg", updated="2026-11-21T10:00:00Z"))
    world.drain()

    links = [link for m in world.product_messages() for link in decode(m["body"]).links]
    assert {(link.product, link.add, link.remove) for link in links} == {
        ("SHOE1", (), ("a1",)),
        ("SHOE2", ("a1",), ()),
    }


def test_without_time_left_the_rest_comes_back_and_nothing_is_lost(world: World) -> None:
    world.poll(**{f"a{n}": picture() for n in range(20)})
    handled = world.invoke(seconds=5)
    assert handled
    assert handled["back"]
    assert world.drain()["AssetsCreated"] == 20


def test_a_message_that_is_none_goes_to_the_dead_letters(world: World) -> None:
    world.sqs.send_message(
        QueueUrl=world.queues["asset"],
        MessageBody='{"v": 99}',
        MessageGroupId="asset-group-0",
        MessageDeduplicationId="x",
    )
    assert world.drain() == {"AssetMessagesToDeadLetters": 1}
    dead = world.sqs.receive_message(QueueUrl=world.queues["dead"])
    assert dead["Messages"][0]["Body"] == '{"v": 99}'


def _value(data: object) -> dict[str, object]:
    return {"locale": None, "channel": None, "data": data}


def _product_value(data: object) -> dict[str, object]:
    return {"locale": None, "scope": None, "data": data}


def _pim(world: World):  # type: ignore[no-untyped-def]
    assert world.mapper
    return world.mapper.parts("dam", lambda: 600.0).upserting.pim


def test_a_file_the_dam_cannot_hand_out_does_not_hold_up_its_group_for_ever(world: World) -> None:
    with_file(world)
    world.dam.binaries["/broken.jpg"] = (503, {}, b"")
    world.poll(a1=picture(file="https://dam.example.com/broken.jpg"), a2=picture())

    handled = world.invoke()
    assert handled
    assert handled["counts"]["AssetsCreated" if not handled["back"] else "AssetMessagesPostponed"]
    assert world.asset("a2")  # the others need not wait

    ends = world.drain(rounds=40)
    assert ends["AssetsRejected"] == 1
    assert "503" in world.outcomes()["a1"].problems[0].reason
