"""What the pages of a reference are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from alyx_generator.model.docs import Docs
from alyx_generator.model.ir import Api, ConditionModel, Endpoint
from alyx_generator.model.parts import api_parts
from alyx_generator.render.reference.module_source import ClassField, ModuleSource, read_module
from alyx_generator.source.history import History, Part

__all__ = ["Client", "Context"]


@dataclass(frozen=True)
class Client:
    """The client whose reference it is.

    Parameters
    ----------
    package
        The package that has it.
    name
        The name of its class.
    arguments
        The arguments that it is made with in examples, as code.
    """

    package: str = "alyx_client"
    name: str = "AlyxClient"
    arguments: str = '"http://127.0.0.1:8000", "olivier", "olivier"'

    @property
    def setup(self) -> str:
        """The code that examples begin with."""
        return (
            f"from datetime import date\n\nfrom {self.package} import {self.name}, models\n\n"
            f"client = {self.name}({self.arguments})\n"
        )


@dataclass(frozen=True)
class Context:
    """A generated client, and what else its reference tells.

    Parameters
    ----------
    api
        What the client was generated from.
    files
        Its modules.
    docs
        Values of examples.
    history
        What versions of Alyx have.
    client
        How examples make the client.
    """

    api: Api
    files: Mapping[str, str]
    docs: Docs
    history: History
    client: Client

    @cached_property
    def modules(self) -> dict[str, ModuleSource]:
        """The modules of the endpoints."""
        return {one.name: read_module(self.files[f"{one.name}.py"], one.class_name) for one in self.api.endpoints}

    @cached_property
    def classes(self) -> dict[str, Mapping[str, ClassField]]:
        """The fields of all models by class, and by attribute."""
        return {name: fields for module in self.modules.values() for name, fields in module.fields.items()}

    @cached_property
    def parts(self) -> frozenset[Part]:
        """The endpoints, actions, filters and fields of the server."""
        return api_parts(self.api)

    @cached_property
    def condition_models(self) -> dict[str, ConditionModel]:
        """The models of conditions by name."""
        return {model.name: model for model in self.api.condition_models}

    def condition_model(self, endpoint: Endpoint) -> ConditionModel | None:
        """Return the model of an endpoint's rows in conditions; None if that is unknown."""
        return self.condition_models.get(endpoint.condition_model)
