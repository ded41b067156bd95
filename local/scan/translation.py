"""Writes the template as CloudFormation sees it, with the roles and policies that SAM makes of it.

Run by the Python of the SAM command line, whose translator is the one that deploys:

    .local/sam/bin/python local/scan/translation.py template.yaml > translated.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


class _NoManagedPolicies:
    """The template names none by short name, so nothing has to be looked up in AWS."""

    def load(self) -> dict[str, str]:
        return {}


def translated(template: Path) -> dict[str, Any]:
    """Translate with the parameters' defaults; a parameter without one is `x`."""
    from samcli.yamlhelper import yaml_parse  # type: ignore[import-not-found]  # of SAM's Python
    from samtranslator.translator.transform import transform  # type: ignore[import-not-found]

    read: dict[str, Any] = yaml_parse(template.read_text(encoding="utf-8"))
    if "Transform" not in read:
        return read
    for resource in read["Resources"].values():
        for local in {"CodeUri", "ContentUri"} & resource.get("Properties", {}).keys():
            resource["Properties"][local] = "s3://bucket/key"
    given = {name: said.get("Default", "x") for name, said in read["Parameters"].items()}
    result: dict[str, Any] = transform(read, given, _NoManagedPolicies())
    return result


if __name__ == "__main__":
    json.dump(translated(Path(sys.argv[1])), sys.stdout, indent=1, default=str)
