"""Packages generated from the schemas of `foreign`, each generated once, and clients of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from alyx_generator.package.pipeline import Generated, generate_client

from ..faults import FaultServer
from .foreign import schemas
from .inline import ImportedPackage

SCHEMAS = schemas()
Foreign = Callable[[str], ImportedPackage]


@cache
def built(name: str) -> Generated:
    return generate_client(SCHEMAS[name], (), strict=False)


def client(generated: ImportedPackage, server: FaultServer, **options: Any) -> Any:
    return generated.module("client").AlyxClient(server.url, token="t", silent=True, strict=True, **options)


def signature(method: Any) -> dict[str, str]:
    """Return a method's parameters as a user reads them, and what it returns."""
    read = inspect.signature(method)
    texts = {
        name: f"{parameter.annotation}{'' if parameter.default is parameter.empty else f' = {parameter.default}'}"
        for name, parameter in read.parameters.items()
        if name not in ("self", "page_size", "max_items", "extra_params", "timeout")
    }
    texts["return"] = read.return_annotation
    return {name: text.replace("'", '"') for name, text in texts.items()}
