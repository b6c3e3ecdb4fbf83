"""Validation of fields that refer to other records."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from alyx_client.testing.failures import ServerFailure
from alyx_client.testing.records.field_validation import InvalidField, has_surrogates, is_uuid
from alyx_client.testing.records.json_values import is_object, is_sequence
from alyx_client.testing.records.relations import Relation, Table
from alyx_client.testing.records.store import Key, Record, Store, primary_key


class RelatedFields:
    """Turns the representations of related records into their primary keys."""

    def __init__(self, store: Store, tables: Mapping[str, Table]) -> None:
        self.store = store
        self.tables = tables

    def clean(self, relation: Relation, value: object) -> Key | list[Key]:
        """Return the key of the related record, or the keys of several.

        Raises
        ------
        InvalidField
            The value does not represent a record.
        """
        if not relation.many:
            return self._key(relation, value)
        # Like DRF, take whatever can be iterated but text: of an object, its names.
        if not is_sequence(value) and not is_object(value):
            raise InvalidField(f'Expected a list of items but got type "{type(value).__name__}".')
        return [self._key(relation, item) for item in value]

    def _key(self, relation: Relation, value: object) -> Key:
        if relation.representation == "hyperlink":
            return self._key_of_hyperlink(relation, value)
        if relation.representation == "key" and (isinstance(value, bool) or is_sequence(value) or is_object(value)):
            raise InvalidField(f"Incorrect type. Expected pk value, received {type(value).__name__}.")
        if isinstance(value, str) and ("\0" in value or has_surrogates(value)):
            raise InvalidField("Invalid value.")
        related = self._find(relation, value)
        if related is not None:
            return primary_key(related)
        if relation.representation == "key":
            raise InvalidField(f'Invalid pk "{value}" - object does not exist.')
        raise InvalidField(f"Object with {relation.slug_field}={value} does not exist.")

    def _find(self, relation: Relation, value: object) -> Record | None:
        text = str(value)
        if relation.slug_field != "id":
            return self.store.find(relation.to, relation.slug_field, text)
        if self.tables[relation.to].has_integer_key:
            # Python's `int`, as in Django: true is 1, and 1.5 is 1.
            if not isinstance(value, int | float) and not re.fullmatch(r"-?\d+", text):
                raise InvalidField("Invalid value.")
            try:
                return self.store.get(relation.to, int(value if isinstance(value, int | float) else text))
            except OverflowError as error:
                raise ServerFailure(str(error)) from None
        if isinstance(value, int):
            # Django takes a number for the value of a UUID.
            return None
        try:
            return self.store.get(relation.to, str(uuid.UUID(text)))
        except ValueError:
            raise InvalidField(f"“{value}” is not a valid UUID.") from None

    def _key_of_hyperlink(self, relation: Relation, value: object) -> Key:
        if not isinstance(value, str):
            raise InvalidField(f"Incorrect type. Expected URL string, received {type(value).__name__}.")
        # Like DRF, look at the path alone: the host of a hyperlink is ignored.
        path = urlsplit(value).path
        prefix = f"/{relation.to}/"
        if not path.startswith(prefix) or not is_uuid(path[len(prefix) :]):
            raise InvalidField("Invalid hyperlink - No URL match.")
        related = self.store.get(relation.to, unquote(path[len(prefix) :]))
        if related is None:
            raise InvalidField("Invalid hyperlink - Object does not exist.")
        return primary_key(related)
