"""Bytecode for what `sam build` made: `python -m local.stack.bytecode .aws-sam/build`."""

from __future__ import annotations

import compileall
import py_compile
import sys
from pathlib import Path


def add_bytecode(built: Path) -> None:
    """Compile what sam built: a function that starts cold would do it each time, for seconds.

    A layer is read-only, so Python cannot keep what it compiles there. The bytecode is of this
    Python (another one passes over it), and is trusted without a look at the source, because zip
    archives change time stamps.
    """
    compileall.compile_dir(
        built,
        maxlevels=20,
        quiet=2,
        workers=0,
        stripdir=str(built),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )


if __name__ == "__main__":
    add_bytecode(Path(sys.argv[1]))
