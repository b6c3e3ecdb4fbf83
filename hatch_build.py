"""Build hook: the long description, which has no links that only work in a checkout."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class CustomMetadataHook(MetadataHookInterface):
    """Replaces relative links of README.md: a package index resolves them against its own site."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the long description."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        text = re.sub(r"\[([^\]]+)\]\((?!https?://|#)([^)]+)\)", _without_link, text)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def _without_link(link: re.Match[str]) -> str:
    label, target = link.groups()
    return f"`{target}`" if label == Path(target).name else f"{label} (`{target}` in the source distribution)"
