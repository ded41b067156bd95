"""Who of the PIM's users may look, and who may also act.

Who may come in is the PIM's decision (its role right *Open apps*). At first everybody who comes in
may act, so that the person who connects the app can go on; the stack's owner may narrow it to the
people that are marked. Whoever comes with AWS rights may always act.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from pim_connector.aws.table import ItemChange, Table
from pim_connector.console.sessions import Session
from pim_connector.errors import RejectedError

PARTITION: Final = "console#people"
RULE: Final = "#rule"
"""Sort key of the item that says whether only marked people act; no `sub` begins like this."""


class Person(Struct, frozen=True, kw_only=True):
    """A user of the PIM who signed in here. `seen` is an ISO time, `acts` the mark."""

    subject: str
    name: str
    acts: bool
    seen: str


class People:
    """The list, in the run table: one item per person, one for the rule."""

    def __init__(self, table: Table, *, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def all(self) -> tuple[Person, ...]:
        """Return everybody who ever signed in through the PIM, by name."""
        items = (i for i in self._table.query(PARTITION) if i["sk"] != RULE)
        found = [
            Person(
                subject=str(item["sk"]),
                name=str(item["name"]),
                acts=bool(item.get("acts", False)),
                seen=str(item["seen"]),
            )
            for item in items
        ]
        return tuple(sorted(found, key=lambda person: (person.name.casefold(), person.subject)))

    def only_marked(self) -> bool:
        """Return whether only marked people may act."""
        rule = self._table.get({"pk": PARTITION, "sk": RULE})
        return bool(rule and rule["only_marked"])

    def met(self, subject: str, name: str) -> None:
        """Remember that somebody signed in; a mark stays as it is."""
        seen = datetime.fromtimestamp(self._now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        key = {"pk": PARTITION, "sk": _checked(subject)}
        self._table.update(key, ItemChange(put={"name": name, "seen": seen}))

    def may_act(self, session: Session) -> bool:
        """Return whether somebody may change something, as the list is now."""
        if session.way == "aws":
            return True
        if not self.only_marked():
            return True
        person = self._table.get({"pk": PARTITION, "sk": session.subject})
        return bool(person and person.get("acts", False))

    def mark(self, subject: str, *, acts: bool, by: Session) -> None:
        """Mark a person as one who may act, or no longer. RejectedError: unknown, or oneself."""
        if not acts and by.way == "pim" and subject == by.subject:
            raise RejectedError("you cannot take the right to act from yourself; ask another")
        changed = self._table.update(
            {"pk": PARTITION, "sk": _checked(subject)},
            ItemChange(
                put={"acts": acts, "marked_by": by.actor}, condition="attribute_exists(#seen)"
            ),
        )
        if changed is None:
            raise RejectedError("this person has not signed in yet; let them open the app once")

    def narrow(self, *, only_marked: bool, by: Session) -> None:
        """Let only marked people act, or everybody again; whoever narrows it is marked, too."""
        if only_marked and by.way == "pim":
            self.mark(by.subject, acts=True, by=by)
        self._table.put(
            {"pk": PARTITION, "sk": RULE, "only_marked": only_marked, "set_by": by.actor}
        )


def _checked(subject: str) -> str:
    if not subject or subject.startswith("#"):
        raise RejectedError("this is not the name of a PIM user")
    return subject
