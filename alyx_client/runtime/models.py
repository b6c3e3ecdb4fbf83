"""Base classes of the generated models of what is sent.

A `Resource` is strict: an unknown field, a wrong type or a missing field raises in the constructor, before anything is
sent.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from alyx_client.errors import InvalidFieldError, InvalidKeyError
from alyx_client.runtime.bodies import joined, plain_json
from alyx_client.runtime.coerce import UnsendableValueError, has_booleans, plain_python, unsendable
from alyx_client.runtime.field_errors import field_problems, invalid_fields, unknown_field
from alyx_client.runtime.inputs import UNSET
from alyx_client.runtime.references import (
    Reference,
    has_records,
    keys_of_records,
    urls_of_records,
)
from alyx_client.runtime.signatures import is_list_annotation, show_fields
from alyx_client.runtime.tables import FromTable

__all__ = ["PYDANTIC_NAMES", "Model", "Resource", "ZonedResource", "attributes_of", "fields_of"]

if TYPE_CHECKING:
    Model = BaseModel
else:

    class _ModelMeta(type(BaseModel)):
        """Allows a field called ``json``, as in Alyx, without pydantic's warning about its deprecated method."""

        def __new__(mcs, name, bases, namespace, **kwargs):
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message=r'Field name "json" .*shadows an attribute')
                return super().__new__(mcs, name, bases, namespace, **kwargs)

        def __dir__(cls):
            # Completers look here for the fields of what a method returns.
            return {*(name for name in super().__dir__() if name not in PYDANTIC_NAMES), *cls.__pydantic_fields__}

    class _Model(BaseModel, metaclass=_ModelMeta):
        pass

    Model = _Model


PYDANTIC_NAMES = frozenset(dir(BaseModel)) - {"model_dump", "model_dump_json"}


def fields_of(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    """Return the fields of a model by attribute, with their types and their aliases.

    Parameters
    ----------
    model
        The model. Until it is built, pydantic knows neither type nor alias of a field whose type is defined below it,
        and it is built for a record of its own, not for one that is nested in another.
    """
    model.model_rebuild()
    return model.model_fields


@cache
def attributes_of(model: type[BaseModel]) -> Mapping[str, str]:
    """Return the attribute of each field, by the server's name."""
    return {field.alias or name: name for name, field in fields_of(model).items()}


class Resource(FromTable, Model):
    """The fields to send, to create or to update a record.

    Only the fields that were set are sent; ``None`` is sent as null.

    Raises
    ------
    InvalidFieldError
        A field is unknown, missing or of the wrong type; the message names all of them.
    """

    model_config = ConfigDict(
        extra="forbid",
        validate_assignment=True,
        # Fields are called by Python names, and the server's names that Python does not allow are aliases.
        populate_by_name=True,
        # Validators are built on first use, so that importing the models is fast.
        defer_build=True,
        # No warning for fields whose names start with "model_".
        protected_namespaces=(),
        # JSON has no NaN, and null in its place would delete the value on the server.
        allow_inf_nan=False,
        ser_json_inf_nan="constants",
    )

    # The servers of records are compared when the resource is sent: before that, no server is known.
    __slots__ = ("_record_urls",)
    _references: ClassVar[Mapping[str, Reference]] = {}
    # Lists that are sent as one text, joined by commas.
    _joined: ClassVar[tuple[str, ...]] = ()
    _has_zones: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        show_fields(cls, Resource.__init__)

    def __init__(self, /, **fields: Any) -> None:
        fields = {name: value for name, value in fields.items() if value is not UNSET}
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise invalid_fields(type(self), error) from None
        self._remember_records(fields)

    def __setattr__(self, name: str, value: Any) -> None:
        try:
            super().__setattr__(name, value)
        except ValidationError as error:
            raise invalid_fields(type(self), error) from None
        self._remember_records({name: value})

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        return ((name, getattr(self, name)) for name in type(self).model_fields if name in self.model_fields_set)

    __str__ = BaseModel.__repr__

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """Return the fields that were set, as a dictionary; the options are pydantic's."""
        options.setdefault("exclude_unset", True)
        return super().model_dump(**options)

    def model_dump_json(self, **options: Any) -> str:
        """Return the fields that were set, as JSON text; the options are pydantic's."""
        options.setdefault("exclude_unset", True)
        return super().model_dump_json(**options)

    @field_validator("*", mode="before")
    @classmethod
    def _plain_value(cls, value: object, info: ValidationInfo) -> object:
        # pydantic would guess: it reads any iterable as a list, an open file or a table among them.
        field = info.field_name or ""
        reference = cls._references.get(field)
        try:
            # An iterator is refused, as everything that JSON has no word for.
            if reference is not None and has_records(value):
                value = keys_of_records(value, reference, field)
            plain = plain_python(value, field)
            if field in _number_fields(cls) and has_booleans(plain):
                raise unsendable(field, "a boolean, which would be sent as 0 or 1; pass a number")
            if field in cls._joined:
                joined(plain, field)  # refuses what cannot be joined
            return plain
        except InvalidKeyError as error:
            raise ValueError(str(error).removeprefix(f"{field}: ")) from None
        except UnsendableValueError as error:
            ((place, reasons),) = error.fields.items()
            raise ValueError(reasons[0] if place == field else f"{reasons[0]}, in {place}") from None

    @classmethod
    def record_urls(cls, fields: Mapping[str, object]) -> dict[str, list[str]]:
        """Return the URLs of the records that were passed in place of keys, by field."""
        urls = {name: urls_of_records(fields[name], cls._references[name]) for name in fields.keys() & cls._references}
        return {name: urls_of_field for name, urls_of_field in urls.items() if urls_of_field}

    def urls_of_records(self) -> dict[str, list[str]]:
        """Return the URLs of the records that this resource was made from, by field."""
        return getattr(self, "_record_urls", {})

    def _remember_records(self, fields: Mapping[str, object]) -> None:
        if self._references:
            urls = self.record_urls(fields)
            if urls or hasattr(self, "_record_urls"):
                others = {name: urls for name, urls in self.urls_of_records().items() if name not in fields}
                object.__setattr__(self, "_record_urls", others | urls)

    def to_wire(self) -> dict[str, Any]:
        """Return the fields that were set as plain JSON, by the server's names.

        Raises
        ------
        InvalidFieldError
            JSON cannot express a value, such as one that was added to a list after the list was assigned.
        """
        fields = self.model_dump(by_alias=True, exclude_unset=True)
        wire = {name: plain_json(value, name, zones=self._has_zones) for name, value in fields.items()}
        return wire | {name: joined(wire[name], name) for name in self._joined if name in wire}

    @classmethod
    def list_fields(cls) -> frozenset[str]:
        """Return the server's names of the fields that are lists."""
        return frozenset(
            field.alias or name for name, field in fields_of(cls).items() if is_list_annotation(field.annotation)
        )

    @classmethod
    def changes_to_wire(cls, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Validate the keywords of ``partial_update``, and return them as plain JSON.

        Parameters
        ----------
        changes
            Values by field; the other fields stay unchanged on the server.

        Raises
        ------
        InvalidFieldError
            There is nothing to change, or a field is unknown or of the wrong type.
        """
        changes = {name: value for name, value in changes.items() if value is not UNSET}
        # An empty PATCH would be accepted, and hide a misspelled call.
        if not changes:
            raise InvalidFieldError(f"{cls.__name__}: nothing to change; pass the fields to change as keywords")
        names = {name: name for name in cls.model_fields}
        names |= {field.alias: name for name, field in fields_of(cls).items() if field.alias}
        # Assignment validates one field alone, so that required fields may be left out.
        resource = cls.model_construct(_fields_set=set())
        problems: dict[str, list[str]] = {}
        for name, value in changes.items():
            if name not in names:
                problems[name] = [unknown_field(name, names)]
                continue
            try:
                setattr(resource, names[name], value)
            except InvalidFieldError as error:
                problems[name] = [text for texts in error.fields.values() for text in texts]
        if problems:
            raise field_problems(cls, problems)
        return resource.to_wire()


@cache
def _number_fields(model: type[Resource]) -> frozenset[str]:
    """Return the fields that are numbers, or lists of them; pydantic reads True as the number 1 there."""
    kinds = {name: _plain_types(field.annotation) for name, field in model.model_fields.items()}
    return frozenset(name for name, types in kinds.items() if types & {int, float} and not types & {bool, Any, object})


def _plain_types(annotation: Any) -> set[Any]:
    arguments = [argument for argument in get_args(annotation) if not isinstance(argument, str)]
    return {annotation}.union(*map(_plain_types, arguments)) if arguments else {annotation}


class ZonedResource(Resource):
    """The fields to send to a server that takes date-times with a time zone; otherwise as `Resource`."""

    _has_zones: ClassVar[bool] = True
