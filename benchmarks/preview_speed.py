"""How fast `preview` maps, and in how much memory: records of 600 bytes with 12 attributes.

    python -m benchmarks.preview_speed [RECORDS]

Writes the file into a temporary folder, runs the real command and prints records a second and the
peak of resident memory. What counts is one core: nothing here runs in parallel.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.catalogue import mapping, write_export

ROOT = Path(__file__).parents[1]
RECORDS = 100_000


def main() -> None:
    """Runs the benchmark once."""
    records = int(sys.argv[1]) if len(sys.argv) > 1 else RECORDS
    with tempfile.TemporaryDirectory() as folder:
        export, rules = Path(folder, "export.xml"), Path(folder, "erp.yaml")
        write_export(export, records)
        rules.write_text(mapping())
        print(f"{records} records, {export.stat().st_size / records:.0f} bytes each")
        command = [sys.executable, "-m", "cli.app", "preview", str(export), "-m", str(rules)]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/layers/connector/python"}
        started = time.monotonic()
        subprocess.run(  # noqa: S603
            command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
        )
        seconds = time.monotonic() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    print(f"{records / seconds:.0f} records/s ({records / cpu:.0f} per second of processor time)")
    print(f"{used.ru_maxrss / 1024:.0f} MB of memory at most, the interpreter included")


if __name__ == "__main__":
    main()
