"""Pages of the reference in Markdown (MyST), from the model and the modules of a generated client."""

from __future__ import annotations
