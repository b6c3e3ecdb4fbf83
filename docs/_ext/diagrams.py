"""Diagrams drawn from text, as sphinxcontrib-svgbob draws them, with a description for readers who cannot see them."""

from __future__ import annotations

from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinxcontrib.svgbob.directive import SvgbobDirective


class Diagram(SvgbobDirective):
    """The directive ``svgbob`` with the option ``alt``; without it, the text of the diagram would be read out."""

    option_spec: ClassVar[dict[str, Any]] = {**SvgbobDirective.option_spec, "alt": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Return the diagram."""
        alt = self.options.pop("alt", None)
        if alt is None:
            raise self.error("a diagram needs :alt:, a sentence that says what it shows")
        diagram = super().run()
        for node in diagram:
            node["description"] = alt
        return diagram


class Descriptions(SphinxTransform):
    """Give each picture of a diagram its description."""

    default_priority = 11  # after svgbob's own, which makes the picture

    def apply(self, **kwargs: object) -> None:
        """Set the alternative text."""
        for image in self.document.findall(nodes.image):
            if "svgbob" in image:
                image["alt"] = image["svgbob"]["description"]
                image["classes"].append("diagram")


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive to Sphinx."""
    app.setup_extension("sphinxcontrib.svgbob")
    app.add_directive("svgbob", Diagram, override=True)
    app.add_transform(Descriptions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
