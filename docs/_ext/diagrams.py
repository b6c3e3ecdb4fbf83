"""Pictures: diagrams drawn from text by sphinxcontrib-svgbob, with descriptions, and room to scroll them."""

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


class WidePictures(SphinxTransform):
    """Put pictures that have a line to themselves where they can be scrolled."""

    default_priority = 12  # after Descriptions

    def apply(self, **kwargs: object) -> None:
        """Wrap them."""
        for image in list(self.document.findall(nodes.image)):
            line = image.parent if isinstance(image.parent, nodes.paragraph) else image
            if not isinstance(line.parent, nodes.section | nodes.document):
                continue
            if line is image or all(isinstance(child, nodes.image) or not child.astext().strip() for child in line):
                box = nodes.container(classes=["wide-picture"])
                line.replace_self(box)
                box += [image] if line is image else line.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive to Sphinx."""
    app.setup_extension("sphinxcontrib.svgbob")
    app.add_directive("svgbob", Diagram, override=True)
    app.add_transform(Descriptions)
    app.add_transform(WidePictures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
