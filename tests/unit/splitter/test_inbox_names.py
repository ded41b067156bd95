"""What a file in the inbox is by its name."""

from __future__ import annotations

import pytest

from pim_connector.mapping.language import Inbox
from pim_connector.products.inbox import judge, marker_of


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("night.xml", "export"),
        ("NIGHT.XML", "export"),
        ("deep/night.xml.gz", "export"),
        ("night.zip", "export"),
        ("night.xml.filepart", "junk"),
        (".in.night.xml", "junk"),
        (".cache/night.xml", "junk"),
        ("~$night.xml", "junk"),
        ("night.xml~", "junk"),
        ("night.xml.tmp", "junk"),
        ("night.ok", "junk"),
        ("night.xml.SHA256", "junk"),
        ("catalog.xsd", "junk"),
        ("Thumbs.db", "junk"),
        ("media/night.xml", "media"),
        ("media/deep/tent.png", "media"),
        ("pics/tent.png", "other"),
        ("readme.txt", "other"),
    ],
)
def test_names_say_what_a_file_is(name: str, kind: str) -> None:
    assert judge(name, Inbox()).kind == kind


def test_a_source_names_its_own_exports_media_and_what_it_ignores() -> None:
    inbox = Inbox(exports=["ART*.dat", "out/*.txt"], media=["*.jpg"], ignore=["ART_TEST*"])
    kinds = {
        name: judge(name, inbox).kind
        for name in ("art1.DAT", "out/a.txt", "a.txt", "x/B.jpg", "ART_TEST1.dat", "night.xml")
    }
    assert kinds == {
        "art1.DAT": "export",
        "out/a.txt": "export",
        "a.txt": "other",
        "x/B.jpg": "media",
        "ART_TEST1.dat": "junk",
        "night.xml": "other",
    }


@pytest.mark.parametrize(
    ("ready", "marker"),
    [
        ("{name}.ok", "incoming/shop/a.xml.gz.ok"),
        ("{stem}.done", "incoming/shop/a.done"),
        ("COMPLETE", "incoming/shop/COMPLETE"),
        (None, None),
    ],
)
def test_a_marker_is_named_after_its_export_or_is_one_for_all(
    ready: str | None, marker: str | None
) -> None:
    assert marker_of("incoming/shop/a.xml.gz", Inbox(ready=ready)) == marker
