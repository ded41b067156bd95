"""Rules that read what they cannot see: the records inside their own records."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pim_connector.mapping.compiling import Compiler
from pim_connector.mapping.language import RecordRule
from pim_connector.mapping.places import Path

_LITERAL = re.compile(r"'[^']*'|\"[^\"]*\"")


def check_nesting(compiler: Compiler) -> None:
    """Names every XPath of a rule that leads to the records of another one inside its own.

    They are left out of its sight unless it says `nested: keep`, so `when: sizes/size` would never
    hold, and a model would go to the rule for products after it without a word. Only XPaths that
    start at the record are looked at: those of rows start elsewhere.
    """
    rules = compiler.mapping.file.records
    inside = {name: [*_inside(rule, rules)] for name, rule in rules.items()}
    for text, place in compiler.expressions:
        name = str(place[1]) if place[0] == "records" else ""
        for other, steps in inside.get(name, ()):
            if _leads_to(text, steps) and _starts_at_record(rules[name], place):
                compiler.problem(
                    place,
                    f"`{steps}` holds the records of `{other}`, which this rule does not see; "
                    f"write `nested: keep` under `{name}` to read them",
                )


def _inside(rule: RecordRule, rules: Mapping[str, RecordRule]) -> Iterator[tuple[str, str]]:
    """The rules whose records are inside those of a rule, and the steps from one to the other."""
    for name, other in rules.items():
        if rule.nested == "drop" and other.path.startswith(f"{rule.path}/"):
            steps = other.path[len(rule.path) + 1 :]
            if not steps.startswith("/") and "*" not in steps:
                yield name, steps


def _leads_to(text: str, steps: str) -> bool:
    bare = _LITERAL.sub("", text)
    return re.search(rf"(?<![\w.:@/$-]){re.escape(steps)}(?![\w.:(-])", bare) is not None


def _starts_at_record(rule: RecordRule, place: Path) -> bool:
    if place[-1] == "each" or place[2] not in ("values", "pivots", "quantified_associations"):
        return True
    if place[2] != "values":
        return False
    said: object = rule.values[str(place[3])]
    if isinstance(said, list):
        said = said[int(place[4])]
    return getattr(said, "each", None) is None
