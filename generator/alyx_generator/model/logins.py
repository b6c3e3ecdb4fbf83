"""The way in which a server takes tokens, from the security schemes of its document."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from alyx_client.http.token_scheme import ALYX_TOKENS, TokenScheme
from alyx_client.schema.openapi import Schema, as_list, as_schema
from alyx_generator.model.ir import Finding
from alyx_generator.model.operations import Operation
from alyx_generator.source.openapi import Document

# Where a server takes several ways equally: a token before a password.
_PREFERENCE = ("token", "bearer", "", "basic")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_REQUIRED_WORD = re.compile(r"prefix \W?([!#$%&*+.^_|~0-9A-Za-z-]+)")  # drf-spectacular's words
_WORD_BEFORE_PLACEHOLDER = re.compile(r"\b(Token|Bearer|JWT|Api-Key)\s+[<{\[]", re.IGNORECASE)


def read_logins(document: Document, groups: Mapping[str, Sequence[Operation]]) -> tuple[TokenScheme, list[Finding]]:
    """Return the way in which a server takes tokens, and the findings about operations that require another one.

    Parameters
    ----------
    document
        The whole document, which holds the security schemes.
    groups
        The operations that become methods, by endpoint.
    """
    logins = {
        (endpoint, operation.where): _alternatives(document, operation)
        for endpoint, operations in groups.items()
        for operation in operations
    }
    counts = Counter(scheme for options in logins.values() for scheme in {scheme for _, scheme in options} if scheme)
    chosen = max(counts, key=lambda scheme: (counts[scheme], -_rank(scheme)), default=ALYX_TOKENS)
    # A login usually holds for the whole document: one finding, not one for each operation.
    unmet: dict[str, list[tuple[str, str]]] = {}
    for place, options in logins.items():
        if options and all(scheme != chosen for _, scheme in options) and all(name for name, _ in options):
            unmet.setdefault(" or ".join(name for name, _ in options), []).append(place)
    findings = [
        Finding(*places[0], f"requires {names}{_more(places)}; this client sends its token as {chosen} only")
        for names, places in unmet.items()
    ]
    return chosen, [*findings, *_flows(document, chosen, counts)]


def _rank(scheme: TokenScheme) -> int:
    word = scheme.word.lower()
    return _PREFERENCE.index(word) if word in _PREFERENCE else len(_PREFERENCE)


def _more(places: Sequence[object]) -> str:
    others = len(places) - 1
    return f", as do {others} other operations" if others > 1 else ", as does another operation" if others else ""


def _alternatives(document: Document, operation: Operation) -> list[tuple[str, TokenScheme | None]]:
    """Return the logins of which one is required: their names, and what is sent for them if the client can do so."""
    schemes = _schemes(document)
    alternatives: list[tuple[str, TokenScheme | None]] = []
    for requirement in as_list(operation.spec.get("security", document.get("security"))):
        names = sorted(map(str, as_schema(requirement)))
        sent = {_sent(as_schema(schemes.get(name))) for name in names}
        alternatives.append((" with ".join(names), sent.pop() if len(sent) == 1 else None))
    return alternatives


def _schemes(document: Document) -> Schema:
    return as_schema(as_schema(document.get("components")).get("securitySchemes"))


def _sent(scheme: Schema) -> TokenScheme | None:
    """Return the way in which the tokens of a security scheme are sent; None if it is not in a header."""
    kind, description = scheme.get("type"), str(scheme.get("description", ""))
    if kind in ("oauth2", "openIdConnect"):
        return TokenScheme("Bearer")
    if kind == "http":
        word = str(scheme.get("scheme", "")).lower()
        # Digest and others compute what is sent.
        return TokenScheme(word.capitalize()) if word in ("token", "bearer", "basic") else None
    name = str(scheme.get("name", ""))
    if kind != "apiKey" or scheme.get("in") != "header" or not _TOKEN.fullmatch(name):
        return None
    required = _REQUIRED_WORD.search(description)
    if name.lower() != "authorization":
        return TokenScheme(required[1] if required else "", name)
    described = required or _WORD_BEFORE_PLACEHOLDER.search(description)
    return TokenScheme(described[1]) if described else ALYX_TOKENS


def _flows(document: Document, chosen: TokenScheme, counts: Mapping[TokenScheme, int]) -> Iterator[Finding]:
    """Yield what a reader should know of logins in several steps, which end in a token."""
    for name, scheme in _schemes(document).items():
        kind = as_schema(scheme).get("type")
        if kind in ("oauth2", "openIdConnect") and chosen in counts and _sent(as_schema(scheme)) == chosen:
            yield Finding("logins", "", f"{name} ({kind}) is not performed: get a token, and pass it as token=")
