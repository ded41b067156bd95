"""The simulated DAM's README says what there is."""

from pathlib import Path

from simulators.dam.dam import Dam
from simulators.dam.dialects import DIALECTS
from simulators.dam.habits import Habits
from simulators.dam.server import application
from simulators.dam.signatures import SCHEMES

README = Path(__file__).resolve().parents[3] / "simulators/dam/README.md"


def test_the_readme_names_every_habit_style_scheme_and_call() -> None:
    names = {*Habits.__struct_fields__, *DIALECTS, *SCHEMES}
    paths = {route.path for route in application(Dam()).routes}  # type: ignore[attr-defined]
    names |= {path for path in paths if path.startswith("/_dam/")}
    readme = README.read_text("utf-8")
    assert [name for name in sorted(names) if name not in readme] == []
