"""What can be counted in the source: modules, names, imports, translations of errors."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
LAYER: Final = ROOT / "layers/connector/python"
PACKAGE: Final = LAYER / "pim_connector"
FEATURES: Final = ("console",)
"""Rooms of the issues after this one; what they may weigh is not part of the limits."""


class Module(NamedTuple):
    """One module of the layer that holds more than a docstring."""

    name: str
    lines: int
    tree: ast.Module
    text: str

    @property
    def room(self) -> str:
        parts = self.name.split(".")
        return parts[1] if len(parts) > 2 else ""


class House(NamedTuple):
    """The table that `make house` prints."""

    modules: int
    mean_lines: int
    lines: int
    public_names: int
    import_depth: int
    package_cycles: int
    loose_modules: int
    names_twice_in_sight: int
    glossary_terms: int
    error_translations: int
    backoff_formulas: int
    unused_client_methods: int


def modules(everything: bool = False) -> list[Module]:
    """Return the layer's modules; rooms of later features only where `everything` is asked for."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text()
        tree = ast.parse(text)
        if len(tree.body) <= 1 and path.name == "__init__.py":
            continue
        relative = path.relative_to(LAYER).with_suffix("")
        name = ".".join(relative.parts).removesuffix(".__init__")
        module = Module(name, text.count("\n"), tree, text)
        if everything or module.room not in FEATURES:
            found.append(module)
    return found


def measure() -> House:
    """Count everything anew."""
    house = modules()
    lines = sum(module.lines for module in house)
    imports = {module.name: imported(module) for module in modules(everything=True)}
    return House(
        modules=len(house),
        mean_lines=lines // len(house),
        lines=lines,
        public_names=sum(len(public_names(module)) for module in house),
        import_depth=depth({module.name: imports[module.name] for module in house}),
        package_cycles=package_cycles(imports),
        loose_modules=sum(module.room == "" and "." in module.name for module in house),
        names_twice_in_sight=len(twice_in_sight(imports)),
        glossary_terms=glossary_terms(),
        error_translations=sum("except ClientError" in module.text for module in house),
        backoff_formulas=sum(len(re.findall(r"\b2 ?\*\* ?\(?[a-z]", m.text)) for m in house),
        unused_client_methods=len(unused_client_methods()),
    )


def public_names(module: Module) -> list[str]:
    """Return the functions, classes and constants that a module shows to others."""
    names: list[str] = []
    for node in module.tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
    return [name for name in names if not name.startswith("_")]


def imported(module: Module) -> set[str]:
    """Return the modules of ours that a module imports when it runs."""
    return {name for node in module.tree.body for name in _imported(node)}


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
        return
    if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pim_connector."):
        yield str(node.module)
    for child in ast.iter_child_nodes(node):
        yield from _imported(child)


def depth(imports: dict[str, set[str]]) -> int:
    """Return the longest chain of imports, in modules."""
    known: dict[str, int] = {}

    def below(name: str, path: tuple[str, ...]) -> int:
        if name not in known:
            inner = [
                below(each, (*path, name))
                for each in imports.get(name, ())
                if each != name and each not in path
            ]
            known[name] = 1 + max(inner, default=0)
        return known[name]

    return max(below(name, ()) for name in imports)


def package_cycles(imports: dict[str, set[str]]) -> int:
    """Return how many pairs of rooms know one another."""
    arrows = {
        (name.split(".")[1], other.split(".")[1])
        for name, others in imports.items()
        for other in others
        if name.count(".") and other.count(".") and name.split(".")[1] != other.split(".")[1]
    }
    return sum((b, a) in arrows for a, b in arrows) // 2


def twice_in_sight(imports: dict[str, set[str]]) -> list[str]:
    """Return module names that stand in two rooms of which one imports the other's module."""
    twice = []
    for name, others in imports.items():
        leaf = name.rpartition(".")[2]
        twice += [f"{name} ~ {other}" for other in others if other.rpartition(".")[2] == leaf]
    return [pair for pair in twice if pair.split(" ~ ")[0] != pair.split(" ~ ")[1]]


def glossary_terms() -> int:
    """Return the number of terms in docs/glossary.md."""
    text = (ROOT / "docs/glossary.md").read_text()
    return len(re.findall(r"^\| \*\*", text, re.MULTILINE))


def unused_client_methods() -> list[str]:
    """Return public methods of the Akeneo client that neither code nor a test calls."""
    client = ast.parse((PACKAGE / "akeneo/client.py").read_text())
    methods = [
        method.name
        for node in client.body
        if isinstance(node, ast.ClassDef)
        for method in node.body
        if isinstance(method, ast.FunctionDef) and not method.name.startswith("_")
    ]
    places = [
        *PACKAGE.rglob("*.py"),
        *(ROOT / "cli").rglob("*.py"),
        *(ROOT / "tests").rglob("*.py"),
    ]
    calls = Counter[str]()
    for path in places:
        calls.update(re.findall(r"\.(\w+)\(", path.read_text()))
    return [name for name in methods if not calls[name]]
