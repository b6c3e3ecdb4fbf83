"""Cases for oasdiff's rules about operations, parameters, bodies, statuses, logins and fields as such."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .rule_documents import (
    NUMBER,
    TEXT,
    Case,
    Document,
    content,
    edited,
    parameter,
    record,
    request_body,
    response_body,
    server,
)

Edit = Callable[[Document], Any]

DEFAULT = {"type": "string", "default": "a"}
SCHEMES = {
    "token": {"type": "apiKey", "in": "header", "name": "Authorization"},
    "basic": {"type": "http", "scheme": "basic"},
}
SENT, RETURNED = "client.labs.create(kind=…)", "client.labs.read() .kind"


def operation(**keywords: Any) -> Edit:
    return lambda document: document["paths"]["/labs/{id}"]["get"].update(keywords)


def creating(**keywords: Any) -> Edit:
    return lambda document: document["paths"]["/labs"]["post"].update(keywords)


def filtered(schema: Document = TEXT, **keywords: Any) -> Edit:
    return lambda document: parameter(document, schema, **keywords)


def header(schema: Document, **keywords: Any) -> Edit:
    return lambda document: parameter(document, schema, **{"name": "X-Lab", "in": "header", **keywords})


def sent(schema: Document | None, *required: str) -> Edit:
    return lambda document: request_body(document, record(schema, *required))


def returned(schema: Document | None, *required: str) -> Edit:
    return lambda document: response_body(document, record(schema, *required))


def body(**keywords: Any) -> Edit:
    """Return an edit of the body of requests that has no required fields."""
    return lambda document: document["paths"]["/labs"]["post"]["requestBody"].update(keywords)


def without_body(document: Document) -> None:
    del document["paths"]["/labs"]["post"]["requestBody"]


def no_labs(document: Document) -> None:
    del document["paths"]["/labs/{id}"]


def no_reading(document: Document) -> None:
    document["paths"]["/labs/{id}"]["delete"] = {"responses": {"204": {"description": ""}}}
    del document["paths"]["/labs/{id}"]["get"]


def mice(document: Document) -> None:
    document["paths"]["/mice"] = {"get": {"responses": {}}}


def deleting(document: Document) -> None:
    document["paths"]["/labs/{id}"]["delete"] = {"responses": {"204": {"description": ""}}}


def kept(**keywords: Any) -> Edit:
    """Return an edit of the operation that reads a lab, and of another on its path, which stays."""

    def edit(document: Document) -> None:
        deleting(document)
        operation(**keywords)(document)

    return edit


def logins(*names: str, everywhere: bool = False, schemes: Document | None = None) -> Edit:
    def edit(document: Document) -> None:
        document["components"]["securitySchemes"] = schemes or SCHEMES
        node = document if everywhere else document["paths"]["/labs/{id}"]["get"]
        node["security"] = [{name: []} for name in names]

    return edit


def responses(*statuses: str, media_types: tuple[str, ...] = ("application/json",)) -> Edit:
    types = {name: {"schema": record(NUMBER)} for name in media_types}
    return operation(responses={status: {"description": "", "content": types} for status in statuses})


def _operations() -> dict[str, Case]:
    read, lists = "client.labs.read(id)", "client.labs.list"
    old, soon = {"deprecated": True}, {"deprecated": True, "x-sunset": "2020-01-01"}
    far = {"deprecated": True, "x-sunset": "2099-01-01"}
    removed = "client.labs.read"
    return {
        "endpoint-added": edited("client.mice", None, mice),
        "endpoint-deprecated": edited(read, None, operation(**old)),
        "endpoint-deprecated-with-sunset": edited(read, None, operation(**far)),
        "endpoint-reactivated": edited(read, operation(**old), None),
        "sunset-deleted": edited(read, operation(**far), operation(**old)),
        "api-sunset-date-changed-too-small": edited(read, operation(**far), operation(**soon)),
        "api-stability-decreased": edited(
            read, operation(**{"x-stability-level": "stable"}), operation(**{"x-stability-level": "beta"})
        ),
        "api-stability-increased": edited(
            read, operation(**{"x-stability-level": "beta"}), operation(**{"x-stability-level": "stable"})
        ),
        "api-path-removed-without-deprecation": edited(removed, None, no_labs),
        "api-path-removed-with-deprecation": edited(removed, operation(**soon), no_labs),
        "api-path-removed-before-sunset": edited(removed, operation(**far), no_labs),
        "api-removed-without-deprecation": edited(removed, deleting, no_reading),
        "api-removed-with-deprecation": edited(removed, kept(**soon), no_reading),
        "api-removed-before-sunset": edited(removed, kept(**far), no_reading),
        "api-operation-id-added": edited(read, None, operation(operationId="a")),
        "api-operation-id-removed": edited(read, operation(operationId="a"), None),
        "api-tag-added": edited(read, None, operation(tags=["a"])),
        "api-tag-removed": edited(read, operation(tags=["a"]), None),
        "new-request-path-parameter": edited("client.labs.read(id)", None, _moved),
        "request-parameter-removed": edited(f"{lists}(kind=)", filtered(), None),
        "request-parameter-removed-with-deprecation": edited(f"{lists}(kind=)", filtered(**soon), None),
        "request-parameter-removed-before-sunset": edited(f"{lists}(kind=)", filtered(**far), None),
        "request-parameter-deprecated": edited(f"{lists}(kind=)", filtered(), filtered(**old)),
        "request-parameter-reactivated": edited(f"{lists}(kind=)", filtered(**old), filtered()),
        "request-parameter-sunset-deleted": edited(f"{lists}(kind=)", filtered(**far), filtered(**old)),
        "request-parameter-sunset-date-changed-too-small": edited(f"{lists}(kind=)", filtered(**far), filtered(**soon)),
        "request-parameter-became-required": edited(f"{lists}(kind=)", filtered(), filtered(required=True)),
        "request-parameter-became-optional": edited(f"{lists}(kind=)", filtered(required=True), filtered()),
        "new-optional-request-parameter": edited(f"{lists}(kind=)", None, filtered()),
        "new-required-request-parameter": edited(f"{lists}() header X-Lab", None, header(TEXT, required=True)),
        "new-optional-request-default-parameter-to-existing-path": edited(f"{lists}(kind=)", None, filtered(DEFAULT)),
        "new-required-request-default-parameter-to-existing-path": edited(
            f"{lists}(kind=)", None, filtered(DEFAULT, required=True)
        ),
    }


def _moved(document: Document) -> None:
    item = document["paths"].pop("/labs/{id}")
    key = {"in": "path", "name": "part", "required": True, "schema": TEXT}
    document["paths"]["/labs/{id}/{part}"] = {**item, "parameters": [key]}


def _headers() -> dict[str, Case]:
    name = "client.labs.list() header X-Lab.kind"
    choice = {**TEXT, "enum": ["a"]}
    return {
        "new-required-request-header-property": edited(name, header(record(None)), header(record(TEXT, "kind"))),
        "request-header-property-became-required": edited(name, header(record(TEXT)), header(record(TEXT, "kind"))),
        "request-header-property-became-enum": edited(name, header(record(TEXT)), header(record(choice))),
    }


def _bodies() -> dict[str, Case]:
    create, whole = "client.labs.create", "client.labs.create() body"
    two = {"application/json": {"schema": record(None)}, "text/csv": {"schema": record(None)}}
    one = {"application/json": {"schema": record(None)}}
    form = "application/x-www-form-urlencoded"
    typed, untyped = (creating(requestBody=content(schema)) for schema in (record(TEXT), None))
    return {
        "request-body-added-optional": edited(create, without_body, None),
        "request-body-added-required": edited(whole, without_body, body(required=True)),
        "request-body-removed": edited(create, None, without_body),
        "request-body-became-required": edited(whole, None, body(required=True)),
        "request-body-became-optional": edited(whole, body(required=True), None),
        "request-body-media-type-added": edited(create, body(content=one), body(content=two)),
        "request-body-media-type-removed": edited(create, body(content=two), body(content=one)),
        "request-body-media-type-schema-added": edited(whole, untyped, typed),
        "request-body-media-type-schema-removed": edited(whole, typed, untyped),
        "request-body-type-compatible": edited(
            whole, creating(requestBody=content(NUMBER, form)), creating(requestBody=content(TEXT, form))
        ),
        "request-property-type-compatible": edited(
            SENT, creating(requestBody=content(record(NUMBER), form)), creating(requestBody=content(record(TEXT), form))
        ),
    }


def _responses() -> dict[str, Case]:
    read = "client.labs.read(id)"
    json, csv = "application/json", "text/csv"
    untyped, typed = (
        operation(responses={"200": {"description": "", **content(schema)}}) for schema in (None, record(TEXT))
    )
    return {
        "response-success-status-added": edited(read, responses("200"), responses("200", "203")),
        "response-success-status-removed": edited(read, responses("200", "203"), responses("200")),
        "response-non-success-status-added": edited(read, responses("200"), responses("200", "404")),
        "response-non-success-status-removed": edited(read, responses("200", "404"), responses("200")),
        "response-media-type-added": edited(read, responses("200"), responses("200", media_types=(json, csv))),
        "response-media-type-removed": edited(read, responses("200", media_types=(json, csv)), responses("200")),
        "response-media-type-name-generalized": edited(
            read, responses("200", media_types=("application/vnd.lab+json",)), responses("200", media_types=(json,))
        ),
        "response-media-type-name-specialized": edited(
            read, responses("200", media_types=(json,)), responses("200", media_types=("application/vnd.lab+json",))
        ),
        "response-body-media-type-schema-added": edited(read, untyped, typed),
        "response-body-media-type-schema-removed": edited(read, typed, untyped),
    }


def _logins() -> dict[str, Case]:
    read = "client.labs.read(id)"
    typed = {**SCHEMES, "token": {"type": "oauth2", "flows": {}}}
    return {
        "api-security-added": edited(read, logins("token"), logins("token", "basic")),
        "api-security-removed": edited(read, logins("token", "basic"), logins("basic")),
        "api-global-security-added": edited("client", None, logins("token", everywhere=True)),
        "api-global-security-removed": edited(
            "client", logins("token", "basic", everywhere=True), logins("basic", everywhere=True)
        ),
        "api-security-component-type-changed": edited(
            "client", logins("token", everywhere=True), logins("token", everywhere=True, schemes=typed)
        ),
    }


def _fields() -> dict[str, Case]:
    old, far = {**TEXT, "deprecated": True}, {**TEXT, "deprecated": True, "x-sunset": "2099-01-01"}
    beta, stable = ({**TEXT, "x-stability-level": level} for level in ("beta", "stable"))
    cases = {
        "new-optional-request-property": edited(SENT, sent(None), sent(TEXT)),
        "new-required-request-property": edited(SENT, sent(None), sent(TEXT, "kind")),
        "new-required-request-property-with-default": edited(SENT, sent(None), sent(DEFAULT, "kind")),
        "request-property-removed": edited(SENT, sent(TEXT), sent(None)),
        "request-property-became-required": edited(SENT, sent(TEXT), sent(TEXT, "kind")),
        "request-property-became-optional": edited(SENT, sent(TEXT, "kind"), sent(TEXT)),
        "request-property-became-required-with-default": edited(SENT, sent(DEFAULT), sent(DEFAULT, "kind")),
        "response-property-became-optional": edited(RETURNED, returned(TEXT, "kind"), returned(TEXT)),
        "response-property-became-required": edited(RETURNED, returned(TEXT), returned(TEXT, "kind")),
        "response-optional-property-added": edited(RETURNED, returned(None), returned(TEXT)),
        "response-optional-property-removed": edited(RETURNED, returned(TEXT), returned(None)),
        "response-required-property-added": edited(RETURNED, returned(None), returned(TEXT, "kind")),
        "response-required-property-removed": edited(RETURNED, returned(TEXT, "kind"), returned(None)),
    }
    for side, name, put in (("request", SENT, sent), ("response", RETURNED, returned)):
        cases |= {
            f"{side}-property-deprecated": edited(name, put(TEXT), put(old)),
            f"{side}-property-deprecated-with-sunset": edited(name, put(TEXT), put(far)),
            f"{side}-property-reactivated": edited(name, put(old), put(TEXT)),
            f"{side}-property-stability-decreased": edited(name, put(stable), put(beta)),
            f"{side}-property-stability-increased": edited(name, put(beta), put(stable)),
        }
        # A field that only requests hold is gone from responses, and the other way round.
        flag = "readOnly" if side == "request" else "writeOnly"
        word = "read-only" if side == "request" else "write-only"
        for presence, required in (("optional", ()), ("required", ("kind",))):
            plain, flagged = put(TEXT, *required), put({**TEXT, flag: True}, *required)
            cases[f"{side}-{presence}-property-became-{word}"] = edited(name, plain, flagged)
            cases[f"{side}-{presence}-property-became-not-{word}"] = edited(name, flagged, plain)
    return cases


def _wrapped() -> dict[str, Case]:
    cat = {"type": "object", "properties": {"claws": NUMBER}, "required": ["claws"]}
    dog = {"type": "object", "properties": {"tail": NUMBER}, "required": ["tail"]}
    cases: dict[str, Case] = {}
    for side, put, name in (
        ("request", request_body, "client.labs.create() body"),
        ("response", response_body, "client.labs.read() response"),
    ):
        old, new = server(Cat=cat, Dog=dog), server(Cat=cat, Dog=dog)
        put(old, {"$ref": "#/components/schemas/Cat"})
        put(new, {"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]})
        cases[f"{side}-body-wrapped-in-one-of"] = Case(old, new, name)
    return cases


def edit_cases() -> dict[str, Case]:
    """Return a case for each rule that is not about a keyword of a schema."""
    groups = (_operations, _headers, _bodies, _responses, _logins, _fields, _wrapped)
    return {rule: case for group in groups for rule, case in group().items()}


def own_cases() -> dict[str, Case]:
    """Return a case for each change that no rule of oasdiff is about."""
    filter_name, read, lists = "client.labs.list(kind=)", "client.labs.read(id)", "client.labs.list"
    several = {"type": "array", "items": TEXT}
    closed, opened = ({**record(TEXT), "additionalProperties": extra} for extra in (False, True))
    number = {"type": "integer", "format": "int32"}
    return {
        "several values sent in another form": edited(
            filter_name, filtered(several, style="form", explode=False), filtered(several, explode=True)
        ),
        "several values sent in another style": edited(
            filter_name, filtered(several), filtered(several, style="pipeDelimited", explode=False)
        ),
        "a new required header": edited(f"{lists}() header X-Lab", None, header(TEXT, required=True)),
        "a new required cookie": edited(
            f"{lists}() cookie lab", None, header(TEXT, required=True, **{"in": "cookie", "name": "lab"})
        ),
        "the path of the server's address": edited("client", servers("/v1"), servers("/v2")),
        "the login of clients": edited("client", auth_token, None),
        "a lookup key renamed": edited(read, None, renamed_key),
        "a lookup key limited": edited(read, None, key({**NUMBER, "minimum": 10})),
        "a page of records without a count": edited(lists, page("count", "next"), page("next")),
        "pages selected in another way": edited(lists, page("count", "next", by="offset"), page("count", "next")),
        "pages that may lack a count": edited(lists, page("count", "next", required=("count",)), page("count", "next")),
        "a count that is no number": edited(lists, page("count", "next"), page("count", "next", kind=TEXT)),
        "a list that is paged": edited(lists, None, page("count", "next")),
        "a limit of what is not a list": edited("client.labs.read(limit=)", operation(parameters=[KEY, LIMIT]), None),
        "other fields no longer allowed": edited(
            "client.labs.create() body", creating(requestBody=content(opened)), creating(requestBody=content(closed))
        ),
        "a field of a record that refers to itself": edited(
            "client.labs.create(kind=…) kind.size", recursive(NUMBER), recursive(TEXT)
        ),
        "a field of one of several records": edited(
            "client.labs.create() body <Cat>.claws", several_records(NUMBER), several_records(TEXT)
        ),
        "the only field of a record": edited(f"{SENT} kind.size", sent(only_size(TEXT)), sent(only_size(None))),
        "other fields of another type": edited(
            RETURNED, returned(extra(NUMBER), "kind"), returned(extra(TEXT), "kind")
        ),
        "a narrower format": edited(SENT, sent(NUMBER), sent(number)),
        "a wider format in responses": edited(RETURNED, returned(number, "kind"), returned(NUMBER, "kind")),
        "a step between numbers": edited(SENT, sent({**NUMBER, "multipleOf": 5}), sent({**NUMBER, "multipleOf": 10})),
    }


KEY = {"in": "path", "name": "id", "required": True, "schema": NUMBER}
LIMIT = {"in": "query", "name": "limit", "schema": NUMBER}


def several_records(claws: Document) -> Edit:
    options = [{"title": name, **record(None)} for name in ("Cat", "Dog")]
    options[0] = {**options[0], "properties": {"claws": claws}}
    return lambda document: request_body(document, {"oneOf": options})


def recursive(schema: Document) -> Edit:
    reference = {"$ref": "#/components/schemas/Box"}

    def edit(document: Document) -> None:
        boxes = {"type": "array", "items": reference}
        document["components"]["schemas"]["Box"] = {"type": "object", "properties": {"size": schema, "boxes": boxes}}
        request_body(document, record(reference))

    return edit


def only_size(schema: Document | None) -> Document:
    return {"type": "object", "properties": {} if schema is None else {"size": schema}}


def extra(schema: Document) -> Document:
    return {**record(TEXT), "additionalProperties": schema}


def servers(*paths: str) -> Edit:
    return lambda document: document.update(servers=[{"url": f"https://labs.example{path}"} for path in paths])


def auth_token(document: Document) -> None:
    document["paths"]["/auth-token"] = {"post": {"responses": {"200": {"description": ""}}}}


def renamed_key(document: Document) -> None:
    item = document["paths"].pop("/labs/{id}")
    document["paths"]["/labs/{name}"] = item
    item["get"]["parameters"] = [{**KEY, "name": "name"}]


def key(schema: Document) -> Edit:
    return operation(parameters=[{**KEY, "schema": schema}])


def page(*fields: str, by: str = "", kind: Document | None = None, required: tuple[str, ...] = ()) -> Edit:
    """Return an edit that makes the list one with pages, with fields such as a count, and with a parameter."""

    def edit(document: Document) -> None:
        rows = {"results": {"type": "array", "items": record(None)}}
        links = {name: {"type": ["string", "null"]} for name in ("next", "previous") if name in (*fields, "previous")}
        properties = {**dict.fromkeys(fields, kind or NUMBER), **links, **rows}
        schema = {"type": "object", "properties": properties, "required": [*required]}
        listing = document["paths"]["/labs"]["get"]
        listing["responses"]["200"] |= content(schema)
        listing["parameters"] = [{**LIMIT, "name": name} for name in ("limit", by) if name]

    return edit
