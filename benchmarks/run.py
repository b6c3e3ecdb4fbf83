"""Measures what the project promises, and prints it: ``make bench``."""

from __future__ import annotations

from benchmarks import against_one, budgets


def main() -> None:
    """Measure and print."""
    budgets.measure()
    against_one.measure()


if __name__ == "__main__":
    main()
