"""Class names for a document's components, one for requests and one for responses."""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable
from dataclasses import dataclass

from alyx_generator.model import naming
from alyx_generator.model.ir import LookupKind, ModelKind

ModelKey = tuple[ModelKind, str]
"""A component, as it is sent or as it is returned."""


@dataclass(frozen=True)
class Home:
    """The endpoint that a model was named for, and the kind of that endpoint's keys."""

    endpoint: str
    lookup: LookupKind = "text"


class ModelNames:
    """The names that models have so far.

    Parameters
    ----------
    components
        Names of the document's components.
    """

    def __init__(self, components: Container[str]) -> None:
        self._components = components
        self._names: dict[ModelKey, str] = {}
        self._homes: dict[ModelKey, Home] = {}

    def __contains__(self, key: ModelKey) -> bool:
        return key in self._names

    def home(self, key: ModelKey, endpoint: str) -> Home:
        """Return the home of a model; `endpoint` for one that was not named for an endpoint."""
        return self._homes.get(key, Home(endpoint))

    def assign(self, key: ModelKey, candidates: Iterable[str], home: Home) -> str:
        """Name a model for an endpoint, with the first candidate that is free."""
        self._names[key] = self._free(candidates, home.endpoint)
        self._homes[key] = home
        return self._names[key]

    def share(self, key: ModelKey, name: str) -> None:
        """Give a model the name of another one, which is used in its place."""
        self._names[key] = name

    def request(self, component: str, endpoint: str) -> str:
        """Return the name of a model that is sent; one that has none yet gets one."""
        candidates = [self.request_resource(component), naming.class_name(component)]
        return self._names.get(("request", component)) or self._nested(("request", component), candidates, endpoint)

    def response(self, component: str, endpoint: str) -> str:
        """Return the name of a model that is returned; one that has none yet gets one."""
        own = naming.resource_name(component)
        candidates = [own, f"{own}Record", naming.class_name(component)]
        return self._names.get(("response", component)) or self._nested(("response", component), candidates, endpoint)

    def request_resource(self, component: str) -> str:
        """Return a component's resource, without the suffix that drf-spectacular gives components of requests."""
        plain = component.removesuffix("Request")
        exists = plain in self._components or plain.removeprefix("Patched") in self._components
        return naming.resource_name(plain if exists else component)

    def _nested(self, key: ModelKey, candidates: Iterable[str], endpoint: str) -> str:
        self._names[key] = self._free(candidates, endpoint)
        return self._names[key]

    def _free(self, candidates: Iterable[str], endpoint: str) -> str:
        names = set(self._names.values())
        sent = {name: self.home(key, "").endpoint for key, name in self._names.items() if key[0] == "request"}
        taken = {*names, *map(naming.changes_name, sent)}
        # Two models of one endpoint may share the keywords of `partial_update`; those of two endpoints may not.
        taken_changes = {naming.changes_name(name) for name, home in sent.items() if home != endpoint}
        for name in self._ordered(candidates, endpoint):
            if name not in taken and naming.changes_name(name) not in names | taken_changes:
                return name
        raise AssertionError("there is always another number")

    def _ordered(self, candidates: Iterable[str], endpoint: str) -> Iterable[str]:
        """Return the candidates, plain and prefixed by the endpoint, the likelier ones first."""
        plain = [naming.model_name(candidate) for candidate in candidates]
        prefix = naming.class_name(endpoint)
        prefixed = [naming.model_name(f"{prefix}{candidate}") for candidate in plain]
        # Beside another endpoint's model of that name, the prefix says more than a suffix.
        taken_elsewhere = any(
            name == plain[0] and self.home(key, endpoint).endpoint != endpoint for key, name in self._names.items()
        )
        numbered = (f"{prefixed[0]}{number}" for number in itertools.count(2))
        return itertools.chain(prefixed if taken_elsewhere else plain, plain if taken_elsewhere else prefixed, numbered)
