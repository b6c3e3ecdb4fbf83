"""Proposed corrections as an overlay, to be reviewed by a person."""

from __future__ import annotations

from collections.abc import Collection

import yaml

from alyx_generator.source.overlay import Correction
from alyx_generator.source.yaml_text import DUMP

_HEADER = "# Proposed by alyx-generate probe. Review it, edit it, and keep what is right.\n"


def to_yaml(title: str, corrections: Collection[Correction]) -> str:
    """Return an overlay as YAML, in the form that `read_overlay` reads.

    Parameters
    ----------
    title
        The overlay's title.
    corrections
        Its actions.
    """
    actions = [
        {"target": correction.target, "description": correction.description}
        | ({"remove": True} if correction.remove else {"update": correction.update})
        for correction in corrections
    ]
    document = {"overlay": "1.0.0", "info": {"title": title, "version": "1.0.0"}, "actions": actions}
    return _HEADER + DUMP(document, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=False)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        # Aliases (&id001) would make a correction depend on another one, which a reviewer may remove.
        return True
