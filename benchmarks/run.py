"""Measure the budgets and print them: ``make bench``."""

from __future__ import annotations

from benchmarks import against_one, budgets, under_one


def main() -> None:
    """Run all benchmarks."""
    budgets.measure()
    against_one.measure()
    under_one.measure()


if __name__ == "__main__":
    main()
