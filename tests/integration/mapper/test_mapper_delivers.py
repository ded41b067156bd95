"""The mapper from a message in the queue to products in the PIM and counts in the books."""

from __future__ import annotations

import json

import msgspec

from pim_connector.sync.messages import ClaimCheck, encode
from simulators.akeneo.catalog import from_resources
from tests.integration.mapper.examples import (
    CATALOG,
    DROPPING,
    MAPPING,
    OPTIONS,
    VARIANTS,
    boots,
    model,
    reasons,
    variant,
)
from tests.integration.mapper.world import World, record


def test_products_arrive_in_one_call_and_the_run_is_settled(world: World) -> None:
    world.send("run-1", world.put_mapping(MAPPING), boots(100))

    world.deliver_all()

    assert world.product("sku-2") == {
        "sku": "sku-2",
        "name": "Boot 2",
        "family": "shoes",
        "parent": None,
    }
    assert world.counts("run-1") == {"created": 100}
    assert world.run("run-1").settled
    assert world.calls("PATCH /products") == 1


def test_a_message_delivered_twice_is_done_once(world: World) -> None:
    message = world.send("run-1", world.put_mapping(MAPPING), boots(2))
    world.deliver_all()
    world.queue_body(encode(message).decode(), message)

    world.deliver_all()

    assert world.counts("run-1") == {"created": 2}
    assert world.calls("PATCH /products") == 1


def test_what_did_not_change_is_not_sent_and_of_the_rest_only_the_change(world: World) -> None:
    mapping = world.put_mapping(MAPPING)
    world.send("run-1", mapping, boots(2))
    world.deliver_all()
    product = world.pim.product_by_identifier("sku-1")
    assert product is not None
    product.family = None  # what somebody did in the PIM stays as it is
    changed = record(1, "sku-1", "<name>Shoe</name>")

    world.send("run-2", mapping, [changed, boots(1, first=2)[0]])
    world.deliver_all()

    assert world.counts("run-2") == {"updated": 1, "unchanged": 1}
    assert world.product("sku-1") == {
        "sku": "sku-1",
        "name": "Shoe",
        "family": None,
        "parent": None,
    }
    assert world.calls("PATCH /products") == 2


def test_another_mapping_sends_exactly_what_it_changes(world: World) -> None:
    world.send("run-1", world.put_mapping(MAPPING), boots(1))
    world.deliver_all()
    product = world.pim.product_by_identifier("sku-1")
    assert product is not None
    product.family = None

    world.send("run-2", world.put_mapping(MAPPING.replace("name: name", "code: name")), boots(1))
    world.deliver_all()

    assert world.counts("run-2") == {"rejected": 1}  # the text is longer than `code` allows
    world.send("run-3", world.put_mapping(MAPPING + "      code: {value: x}\n"), boots(1))
    world.deliver_all()
    assert world.counts("run-3") == {"updated": 1}
    assert world.product("sku-1") == {
        "sku": "sku-1",
        "name": "Boot 1",
        "code": "x",
        "family": None,
        "parent": None,
    }


def test_an_older_file_never_overwrites_a_newer_one(world: World) -> None:
    mapping = world.put_mapping(MAPPING)
    world.send("run-2", mapping, boots(1, "New"))
    world.deliver_all()
    world.send("run-3", mapping, boots(1, "New"), order="run-3")
    world.deliver_all()

    world.send("run-1", mapping, boots(1, "Old"))
    world.send("run-2b", mapping, boots(1, "Old"), order="run-2b")
    world.deliver_all()

    assert world.counts("run-1") == {"superseded": 1}
    assert world.counts("run-2b") == {"superseded": 1}  # though run-3 sent nothing
    assert (world.product("sku-1") or {})["name"] == "New 1"


def test_a_product_the_pim_refuses_does_not_block_the_rest_of_its_batch(world: World) -> None:
    same = [record(n, f"sku-{n}", "<ean>4006381333931</ean>") for n in (1, 2)]

    world.send("run-1", world.put_mapping(MAPPING), [*same, record(3, "sku-3", "<ean>1</ean>")])
    world.deliver_all()

    assert world.counts("run-1") == {"created": 2, "rejected": 1}
    assert "already set on another product" in reasons(world, "run-1", 2)
    (problem,) = world.outcomes("run-1")[2].problems
    assert (problem.attribute, problem.value) == ("ean", "4006381333931")
    assert world.keys("records/run-1/") == ["records/run-1/000001.json"]


def test_a_refused_value_is_left_out_reported_and_tried_again_with_the_next_file(
    world: World,
) -> None:
    mapping = world.put_mapping(DROPPING)
    both = [record(n, f"sku-{n}", f"<name>B{n}</name><ean>1</ean>") for n in (1, 2)]
    world.send("run-1", mapping, both)
    world.deliver_all()

    assert world.counts("run-1") == {"created": 2}
    assert "already set on another product" in reasons(world, "run-1", 2)
    assert world.product("sku-2") == {"sku": "sku-2", "name": "B2", "family": None, "parent": None}

    world.send("run-2", mapping, both)
    world.deliver_all()

    assert sum(world.counts("run-2").values()) == 2
    assert reasons(world, "run-2", 1) == ""
    assert "already set on another product" in reasons(world, "run-2", 2)


def test_a_record_the_mapping_rejects_is_told_with_its_place(world: World) -> None:
    world.send("run-1", world.put_mapping(MAPPING), [record(1, "a,b"), *boots(1, first=2)])

    world.deliver_all()

    assert world.counts("run-1") == {"rejected": 1, "created": 1}
    assert world.outcomes("run-1")[1].line == 10
    assert "comma" in reasons(world, "run-1", 1)


def test_missing_options_are_created_in_bulk_with_their_labels(world: World) -> None:
    colors = [record(n, f"sku-{n}", f"<color>tone{n % 3}</color>") for n in range(1, 7)]

    world.send("run-1", world.put_mapping(OPTIONS), [*colors, record(9, "x", "<color>Red</color>")])
    world.deliver_all()

    assert world.counts("run-1") == {"created": 7}
    assert world.calls("PATCH /attributes/{attribute}/options") == 1
    assert {"tone0", "tone1", "tone2", "red"} == set(world.pim.catalog.options["color"])
    assert world.pim.catalog.options["color"]["tone1"]["labels"] == {"en_US": "tone1"}


def test_an_option_created_in_the_pim_meanwhile_is_not_rejected_by_an_old_cache(
    world: World,
) -> None:
    rejecting = OPTIONS.replace(", options: create, labels: {en_US: color}", "")
    mapping = world.put_mapping(rejecting)
    world.send("run-1", mapping, [record(1, "sku-1", "<color>red</color>")])
    world.deliver_all()
    teal = {"code": "teal", "attribute": "color", "labels": {}}
    options = [*CATALOG["attribute_options"], teal]
    world.pim.catalog = from_resources(CATALOG | {"attribute_options": options})
    world.clock.time += 600

    world.send("run-2", mapping, [record(1, "sku-1", "<color>teal</color>")])
    world.deliver_all()

    assert world.counts("run-2") == {"updated": 1}


def test_models_go_before_their_variants(world: World) -> None:
    mapping = world.put_mapping(VARIANTS)
    world.send("run-1", mapping, [model(1, "boots")], resource="product_model")
    world.send("run-1", mapping, [variant(2, "boots-s", "boots")], id="000002")

    world.deliver_all()

    assert world.counts("run-1") == {"created": 2}
    assert (world.product("boots-s") or {})["parent"] == "boots"


def test_a_variant_waits_for_its_model_and_is_counted_once(world: World) -> None:
    mapping = world.put_mapping(VARIANTS)
    world.send(
        "run-1", mapping, [variant(1, "boots-s", "boots"), variant(2, "boots-m", "boots", "m")]
    )
    world.deliver_all()
    assert world.counts("run-1") == {"parked": 2}
    assert not world.run("run-1").settled

    world.send("run-2", mapping, [model(1, "boots")], resource="product_model", group=3)
    world.deliver_all()

    assert world.counts("run-1") == {"created": 2}
    assert world.run("run-1").settled
    assert world.parking.waiting_for("boots") == []


def test_a_variant_that_waited_in_vain_is_rejected_with_that_reason(world: World) -> None:
    mapping = world.put_mapping(VARIANTS)
    message = world.send("run-1", mapping, [variant(1, "boots-s", "boots")])
    world.deliver_all()
    (group,) = world.parking.waiting_for("boots")

    last = ClaimCheck(run="run-1", heavy=group.heavy, last=True)
    world.queue_body(encode(last).decode(), message)
    world.deliver_all()

    assert world.counts("run-1") == {"rejected": 1}
    assert "did not come in time" in reasons(world, "run-1", 1)


def test_a_model_that_waits_for_its_own_parent_is_known_to_housekeeping(world: World) -> None:
    mapping = world.put_mapping(
        VARIANTS.replace("    family_variant", "    parent: parent\n    family_variant")
    )
    red = record(1, "boots-red", "<parent>boots</parent>", rule="models", parent="boots")
    world.send("run-1", mapping, [red], resource="product_model")
    world.send("run-1", mapping, [variant(2, "boots-red-s", "boots-red")], id="000002")
    world.deliver_all()

    assert [each.models for each in world.parking.waiting_for("boots")] == [("boots-red",)]
    assert [each.models for each in world.parking.waiting_for("boots-red")] == [()]


def test_a_product_deleted_in_the_pim_comes_back_whole(world: World) -> None:
    mapping = world.put_mapping(MAPPING)
    world.send("run-1", mapping, boots(1))
    world.deliver_all()
    world.pim.clear(from_resources(CATALOG))

    world.send("run-2", mapping, [record(1, "sku-1", "<name>Boot 1</name><ean>1</ean>")])
    world.deliver_all()

    assert world.counts("run-2") == {"created": 1}
    assert (world.product("sku-1") or {})["family"] == "shoes"
    assert (world.product("sku-1") or {})["name"] == "Boot 1"


def test_a_variant_deleted_in_the_pim_comes_back_whole(world: World) -> None:
    mapping = world.put_mapping(VARIANTS)
    world.send("run-1", mapping, [model(1, "boots")], resource="product_model")
    world.deliver_all()
    world.pim.models.clear()

    renamed = record(1, "boots", "<name>Shoes</name>", rule="models")
    world.send("run-2", mapping, [renamed], resource="product_model")
    world.deliver_all()

    assert world.counts("run-2") == {"created": 1}


def test_of_two_records_of_one_product_the_last_wins(world: World) -> None:
    first, last = record(1, "sku-1", "<name>A</name>"), record(2, "SKU-1", "<name>B</name>")

    world.send("run-1", world.put_mapping(MAPPING), [first, last])
    world.deliver_all()

    assert world.counts("run-1") == {"created": 1, "updated": 1}
    assert (world.product("sku-1") or {})["name"] == "B"
    assert "more than once" in reasons(world, "run-1", 2)


def test_repetitions_are_rejected_if_the_mapping_says_so(world: World) -> None:
    mapping = world.put_mapping("version: 1\nsource: {duplicates: reject}\n" + MAPPING[11:])
    again = record(3, "sku-1", "<name>C</name>")
    world.send("run-1", mapping, [*boots(1), record(2, "sku-1", "<name>B</name>")])
    world.send("run-1", mapping, [again], id="000002")

    world.deliver_all()

    assert world.counts("run-1") == {"created": 1, "rejected": 2}
    assert (world.product("sku-1") or {})["name"] == "Boot 1"


def test_the_values_of_before_are_kept_where_the_source_is_reversible(world: World) -> None:
    mapping = world.put_mapping("version: 1\nsource: {reversible: true}\n" + MAPPING[11:])
    world.send("run-1", mapping, boots(1))
    world.deliver_all()
    world.send("run-2", mapping, boots(1, "Shoe"))
    world.deliver_all()

    kept = [json.loads(world.bucket.get(key)) for key in world.keys("revert/")]

    assert kept[0]["records"][0]["before"] is None
    before = kept[1]["records"][0]["before"]
    assert before["values"]["name"][0]["data"] == "Boot 1"


def test_of_a_variant_that_waited_what_counts_is_what_was_there_when_it_was_written(
    world: World,
) -> None:
    mapping = world.put_mapping("version: 1\nsource: {reversible: true}\n" + VARIANTS[11:])
    world.send("run-1", mapping, [variant(1, "boots-s", "boots")])
    inner = "<parent>boots</parent><size>s</size><code>new</code>"
    again = record(1, "boots-s", inner, parent="boots", family_key="boots")
    world.send("run-2", mapping, [again])
    world.deliver_all()
    assert world.counts("run-2") == {"parked": 1}

    world.send("run-3", mapping, [model(1, "boots")], resource="product_model", group=3)
    world.deliver_all()

    assert world.counts("run-2") == {"updated": 1}
    kept = [json.loads(world.bucket.get(key))["records"] for key in world.keys("revert/run-2/")]
    [[one]] = [records for records in kept if records]
    assert one["before"]["identifier"] == "boots-s"


def test_images_are_uploaded_when_the_product_is_there_and_only_once(world: World) -> None:
    mapping = world.put_mapping(MAPPING.replace("ean: ean", "image: image"))
    png = b"\x89PNG\r\n\x1a\n" + b"0" * 20
    world.bucket.put("incoming/shop/images/1.png", png)
    inner = "<name>{}</name><image>images/1.png</image>"
    world.send("run-1", mapping, [record(1, "sku-1", inner.format("A"))])
    world.deliver_all()
    assert world.counts("run-1") == {"created": 1}
    assert "1.png" in str((world.product("sku-1") or {})["image"])

    world.send("run-2", mapping, [record(1, "sku-1", inner.format("B"))])
    world.deliver_all()
    assert world.calls("POST /media-files") == 1

    world.bucket.put("incoming/shop/images/1.png", png + b"changed")
    world.send("run-3", mapping, [record(1, "sku-1", inner.format("C"))])
    world.deliver_all()
    assert world.calls("POST /media-files") == 2


def test_a_product_without_its_image_file_is_rejected_before_it_is_sent(world: World) -> None:
    mapping = world.put_mapping(MAPPING.replace("ean: ean", "image: image"))
    world.send("run-1", mapping, [record(1, "sku-1", "<image>images/none.png</image>")])

    world.deliver_all()

    assert world.counts("run-1") == {"rejected": 1}
    assert "incoming/shop/images/none.png" in reasons(world, "run-1", 1)


def test_a_heavy_message_is_read_from_the_bucket(world: World) -> None:
    mapping = world.put_mapping(MAPPING)
    message = world.send("run-1", mapping, boots(1))
    world.invoke()
    heavy = encode(msgspec.structs.replace(message, run="run-2", order="run-2"))
    world.bucket.put("claim-checks/run-2/000001", heavy)
    world.start_run("run-2")

    pointer = ClaimCheck(run="run-2", heavy="claim-checks/run-2/000001")
    world.queue_body(encode(pointer).decode(), message)
    world.deliver_all()

    assert world.counts("run-2") == {"unchanged": 1}


def test_a_forced_run_sends_what_did_not_change(world: World) -> None:
    mapping = world.put_mapping(MAPPING)
    world.send("run-1", mapping, boots(1))
    world.deliver_all()
    product = world.pim.product_by_identifier("sku-1")
    assert product is not None
    product.family = None

    world.send("run-2", mapping, boots(1), forced=True)
    world.deliver_all()

    assert world.counts("run-2") == {"updated": 1}
    assert (world.product("sku-1") or {})["family"] == "shoes"


def test_a_value_for_empty_ones_leaves_alone_what_a_person_wrote(world: World) -> None:
    text = MAPPING.replace("name: name", "name: {from: name, owner: if_empty}")
    mapping = world.put_mapping(text)
    world.send("run-1", mapping, boots(2))
    world.deliver_all()
    product = world.pim.product_by_identifier("sku-1")
    assert product is not None
    product.values.pop(("name", None, None))

    world.send("run-2", mapping, boots(2, "Shoe"))
    world.deliver_all()

    assert (world.product("sku-1") or {})["name"] == "Shoe 1"
    assert (world.product("sku-2") or {})["name"] == "Boot 2"
    assert world.counts("run-2") == {"updated": 1, "unchanged": 1}


def test_records_that_may_only_update_create_nothing(world: World) -> None:
    world.send("run-1", world.put_mapping(MAPPING), boots(1))
    world.deliver_all()
    text = MAPPING.replace("identifier: sku", "identifier: sku\n    mode: update_only")

    mapping = world.put_mapping(text, "prices")
    world.send("run-2", mapping, boots(2, "Shoe"), source="prices")
    world.deliver_all()

    assert world.counts("run-2") == {"updated": 1, "filtered": 1}
    assert world.product("sku-2") is None
    assert "update_only" in reasons(world, "run-2", 2)


def test_products_can_be_addressed_by_uuid(world: World) -> None:
    text = MAPPING.replace("identifier: sku", "uuid: sku").replace("ean: ean", "sku: name")
    mapping = world.put_mapping(text.replace("name: name", "name: {from: name, owner: if_empty}"))
    uuid = "8a4e0c1e-6c2b-4b7e-9d7b-0f6f6f1d2c3a"

    for run in ("run-1", "run-2"):
        one = record(1, uuid, f"<name>{run}</name>")
        world.send(run, mapping, [one])
        world.deliver_all()

    assert world.counts("run-1") == {"created": 1}
    assert world.counts("run-2") == {"updated": 1}
    assert (world.product("run-2") or {})["name"] == "run-1"
