"""Models as generated code declares them."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from alyx_client.runtime.query import (
    ArrayField,
    BooleanField,
    ChoiceField,
    DateField,
    DateTimeField,
    DurationField,
    Fields,
    FloatField,
    IntegerField,
    JSONField,
    OtherField,
    TextField,
    UUIDField,
)

M = TypeVar("M", bound=str)


class SubjectFields(Fields[M, UUID | str]):
    _endpoint = "subjects"

    id: UUIDField[M]
    nickname: TextField[M]
    birth_date: DateField[M]
    sex: ChoiceField[M, str]
    actions_sessions: SessionFields[M]


class LabFields(Fields[M, UUID | str]):
    _endpoint = "labs"

    id: UUIDField[M]
    name: TextField[M]


class UserFields(Fields[M, int]):
    _endpoint = "users"
    _key = "integer"

    username: TextField[M]
    is_active: BooleanField[M]


class SessionFields(Fields[M, UUID | str]):
    _endpoint = "sessions"

    auto: DurationField[M]
    eq_: TextField[M]
    extended_qc: JSONField[M]
    id: UUIDField[M]
    json: JSONField[M]
    lab: LabFields[M]
    narrative: TextField[M]
    number: IntegerField[M]
    parent_session: SessionFields[M]
    performance: FloatField[M]
    picture: OtherField[M]
    qc: ChoiceField[M, str]
    start_time: DateTimeField[M]
    subject: SubjectFields[M]
    tags: ArrayField[M]
    users: UserFields[M]


SESSION: SessionFields[str] = SessionFields("Session", "", "")
SUBJECT: SubjectFields[str] = SubjectFields("Subject", "", "")
