"""A lab's pipeline: give every animal that has lost weight a note, once a day."""

from __future__ import annotations

import sys
from datetime import date, datetime

from lab_alyx import Client
from lab_alyx.models import Note


def warn_of_losses(
    client: Client, lab: str, day: date, least: float = 0.9
) -> list[str]:
    """Write a note for each animal of a lab whose last weight is below a part of its first one; returns the animals."""
    warned: list[str] = []
    for animal in client.subjects.list(lab=lab, alive=True):
        weights = [
            row.weight
            for row in sorted(
                client.weighings.list(nickname=animal.nickname), key=_moment
            )
        ]
        if len(weights) < 2 or weights[-1] >= least * weights[0]:
            continue
        text = f"{day}: {weights[-1]:.1f} g, {weights[-1] / weights[0]:.0%} of its first weight"
        if any(
            note.text == text
            for note in client.notes.list(
                where=client.notes.fields.object_id == animal.id
            )
        ):
            continue  # written by an earlier run of today
        moment = datetime.combine(day, datetime.min.time())
        client.notes.create(
            Note(
                content_type="subject",
                object_id=animal.id,
                text=text,
                user=client.user or "",
                date_time=moment,
            )
        )
        warned.append(animal.nickname)
    return warned


def _moment(row: object) -> str:
    return str(getattr(row, "date_time", ""))


def main() -> None:
    with Client(silent=True) as client:
        print(
            ", ".join(warn_of_losses(client, sys.argv[1], date.today())) or "no losses"
        )


if __name__ == "__main__":
    main()
