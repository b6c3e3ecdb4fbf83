"""The models that relations lead to, recognised by the fields that they accept."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from alyx_client.schema.naming import singular_of

FirstMissing = Callable[[list[str]], str | None]
"""Asks for several names at once, and returns the first that the model does not have."""

# The fields for each one that a doubtful model may lack.
_FIELDS_PER_DOUBT = 12
_MAX_QUESTIONS = 20
# fmt: off
COMMON_NAMES = frozenset({
    "id", "name", "nickname", "description", "json", "date", "date_time", "created_datetime", "start_time", "end_time",
    "lab", "subject", "session", "user", "users",
})
"""Names that many models have."""
# fmt: on
_NAME_FITS = 2


@dataclass
class Candidate:
    """A model that a relation may lead to.

    Parameters
    ----------
    name
        Its name.
    fields
        The names of its fields.
    lacks
        Names that it does not have; None if it has no other than `fields`.
    is_known
        Whether the server has it; if not, it is one of Alyx's models.
    doubtful
        Whether the model may lack some of `fields`: annotations of a list, or fields of other versions of Alyx.
    """

    name: str
    fields: frozenset[str]
    lacks: frozenset[str] | None = None
    is_known: bool = True
    doubtful: bool = False
    missing: set[str] = field(default_factory=set[str])

    def may_have(self, name: str) -> bool:
        """Return whether a field of that name is possible."""
        return name in self.fields or (self.lacks is not None and name not in self.lacks)

    def survives(self, name: str) -> bool:
        """Return whether the model is possible although the field of that name is missing."""
        if name in self.fields:
            self.missing.add(name)
        return len(self.missing) <= (len(self.fields) // _FIELDS_PER_DOUBT if self.doubtful else 0)


def find_target(candidates: Iterable[Candidate], scores: Mapping[str, int], ask: FirstMissing) -> Candidate | None:
    """Return the model that a relation leads to; None if it is none of the candidates.

    Parameters
    ----------
    candidates
        The models that it may lead to.
    scores
        How much speaks for a model, by name.
    ask
        Asks the server.
    """
    left: list[Candidate] = sorted(
        candidates, key=lambda model: (-scores.get(model.name, 0), not model.is_known, model.name)
    )
    confirmed = set[str]()
    for _ in range(_MAX_QUESTIONS):
        names = _telling_names(left, confirmed, scores)
        if not names:
            break
        missing = ask(names)
        has = names if missing is None else names[: names.index(missing)]
        confirmed.update(has)
        left = [model for model in left if all(map(model.may_have, has))]
        if missing is not None:
            left = [model for model in left if model.survives(missing)]
    # Models that share but such names as `id` and `name` are told apart by what relations to them are called.
    if not left or not confirmed:
        return None
    is_told = scores.get(left[0].name, 0) > 0 or (left[0].lacks is None and bool(confirmed - COMMON_NAMES))
    return left[0] if is_told else None


def _telling_names(left: list[Candidate], confirmed: set[str], scores: Mapping[str, int]) -> list[str]:
    """Return the names to ask for next; none if none tells more."""
    if not left:
        return []
    first = left[0]
    if len(left) > 2 and scores.get(first.name, 0) < _NAME_FITS and (names := _halving_names(left, confirmed)):
        return names
    owners = _owners(left)
    unasked = [name for name in sorted(owners) if name not in confirmed and name not in first.missing]
    # All names of the likeliest model, those first that the fewest others have.
    if own := [name for name in unasked if name in first.fields]:
        return sorted(own, key=lambda name: (owners[name], name))
    # Other models may have all these and more.
    strange = [name for name in unasked if not first.may_have(name)]
    return [max(strange, key=lambda name: (owners[name], name))] if strange else []


def _halving_names(left: list[Candidate], confirmed: set[str]) -> list[str]:
    """Return names of which each is one of half of the models that have those before it."""
    names: list[str] = []
    while len(left) > 2:
        owners = _owners(left)
        refused = {name for model in left for name in model.missing}
        halving = {name for name, count in owners.items() if count < len(left)} - confirmed - refused - {*names}
        if not halving:
            break
        name = min(halving, key=lambda name: (abs(2 * owners[name] - len(left)), name))
        names.append(name)
        left = [model for model in left if model.may_have(name)]
    return names


def _owners(models: Iterable[Candidate]) -> Counter[str]:
    """Return the number of models that have a name."""
    return Counter(name for model in models for name in model.fields)


def name_score(relation: str, model: str) -> int:
    """Return how well the name of a relation fits a model.

    Parameters
    ----------
    relation
        The relation's name.
    model
        The model's name.
    """
    words = [singular_of(word) for word in relation.rstrip("0123456789").split("_")]
    own = [singular_of(part.lower()) for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", model)]
    initials = "".join(word[:1] for word in words)
    if "".join(words) == "".join(own) or (len(own) == 1 and own[0] == initials and len(words) > 1):
        return 4
    # Alyx calls the creator of a record so.
    if (words[-1:] == ["by"] and own == ["user"]) or words[-len(own) :] == own:
        return 3
    is_part = "".join(own) in words or all(word in words for word in own) or own[-len(words) :] == words
    return _NAME_FITS if is_part else 0
