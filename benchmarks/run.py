"""Measure the budgets: ``make bench``.

``python -m benchmarks.run`` prints a table and writes ``benchmarks/results.json``; ``--only lists reads`` measures some
parts only, and ``--compare REVISION`` also those of another revision, without writing results.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import compare, parts, peers, results, table


def main() -> None:
    """Measure the parts that the command line selects."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=parts.PARTS, default=list(parts.PARTS), metavar="PART")
    parser.add_argument("--json", type=Path, help="write the results to this file")
    parser.add_argument("--compare", metavar="REVISION", help="compare with another revision of this repository")
    arguments = parser.parse_args()
    if arguments.compare:
        compare.measure(arguments.compare, arguments.only)
        return
    others = peers.versions()
    print(", ".join(f"{name} {version}" for name, version in {**results.versions(), **others}.items()))
    for hint in peers.hints():
        print(hint)
    failed = parts.run(arguments.only)
    file = arguments.json or (results.FILE if set(arguments.only) == set(parts.PARTS) else None)
    if file is not None:
        results.write(file, table.figures, others)
    missed = [figure.name for figure in table.figures if figure.is_met is False]
    print(f"\n{len(table.figures)} figures; budgets missed: {', '.join(missed) or 'none'}")
    if failed:
        sys.exit(f"Not measured: {', '.join(dict.fromkeys(failed))}")


if __name__ == "__main__":
    main()
