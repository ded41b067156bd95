"""Where things lie on this machine, all below the project's own folder."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
RUN = LOCAL / "run"
DEMO_RUN = LOCAL / "demo-run"
EMULATOR_VENV = LOCAL / "emulator"
SAM_VENV = LOCAL / "sam"
BUILD = LOCAL / "build"
