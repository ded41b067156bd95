"""How fast `preview` maps, and in how much memory: records of 600 bytes with 12 attributes.

    python benchmarks/preview_speed.py [RECORDS]

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

ROOT = Path(__file__).parents[1]
RECORDS = 100_000

RECORD = (
    '<product sku="SKU-{n:07d}"><name lang="de">Schönes Produkt {n}</name>'
    '<name lang="en">Beautiful product {n}</name><description><![CDATA[<p>Text about product {n}, '
    "as long as such texts are wont to be in exports of this kind, which is to say not very "
    "long</p>]]></description><ean>40{n:011d}</ean><brand>Brand {brand}</brand>"
    '<color>Color {color}</color><price currency="EUR">{price},50</price>'
    '<weight unit="KGM">{brand}.125</weight><height unit="MMT">{price}</height>'
    "<launched>20240{month}15</launched><discontinued>{yes}</discontinued><stock>{color}</stock>"
    "<keywords>a;b;k{month}</keywords></product>\n"
)
MAPPING = """
version: 1
maps: {units: {KGM: KILOGRAM, MMT: MILLIMETER}, languages: {de: de_DE, en: en_US}}
records:
  product:
    path: /catalog/product
    identifier: "@sku"
    family: things
    values:
      name: {each: name, from: ., locale: {from: "@lang", steps: [{map: languages}]}}
      description: {from: description, type: textarea}
      ean: ean
      brand: {from: brand, type: simple_select, steps: [code]}
      color: {from: color, type: simple_select, steps: [code], options: create}
      price: {from: price, currency: {from: price/@currency}, steps: [{number: {decimal: ","}}]}
      weight: {from: weight, unit: {from: weight/@unit, steps: [{map: units}]}}
      height: {from: height, unit: {from: height/@unit, steps: [{map: units}]}}
      launched: {from: launched, type: date, steps: [{date: yyyyMMdd}]}
      discontinued: {from: discontinued, type: boolean, steps: [{boolean: {true: [Y], false: [N]}}]}
      stock: {from: stock, type: number}
      keywords: {from: keywords, type: multi_select, steps: [{split: ";"}]}
"""


def write_export(path: Path, records: int) -> None:
    """Writes a catalogue of that many products."""
    with path.open("w") as file:
        file.write("<catalog>\n")
        for n in range(records):
            values = {"brand": n % 50, "color": n % 20, "price": n % 900, "month": n % 9 + 1}
            file.write(RECORD.format(n=n, yes="Y" if n % 3 else "N", **values))
        file.write("</catalog>\n")


def main() -> None:
    """Runs the benchmark once."""
    records = int(sys.argv[1]) if len(sys.argv) > 1 else RECORDS
    with tempfile.TemporaryDirectory() as folder:
        export, mapping = Path(folder, "export.xml"), Path(folder, "erp.yaml")
        write_export(export, records)
        mapping.write_text(MAPPING)
        print(f"{records} records, {export.stat().st_size / records:.0f} bytes each")
        command = [sys.executable, "-m", "cli.app", "preview", str(export), "-m", str(mapping)]
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
