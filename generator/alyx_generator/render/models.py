"""Python source of models, by datamodel-code-generator with our base classes and templates."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from datamodel_code_generator import generate
from datamodel_code_generator.enums import DataModelType, InputFileType
from datamodel_code_generator.format import DatetimeClassType
from datamodel_code_generator.parser import LiteralType

from alyx_client.runtime.references import Reference
from alyx_client.schema.openapi import as_list, as_schema
from alyx_generator.model.ir import Model
from alyx_generator.model.json_fields import is_json_field
from alyx_generator.model.naming import attribute_names, changes_name
from alyx_generator.render.references import origin_source, record_of, reference_source, taking_records
from alyx_generator.render.text import docstring
from alyx_generator.source.openapi import JSONDict
from alyx_generator.source.paths import data_folder

_OTHER_MODULES = "alyx_other_modules"
_TEMPLATE_IMPORTS = ("from typing import Annotated", "from pydantic import Field")


@dataclass(frozen=True)
class ModelSource:
    """The source of classes by name, and the imports that they need together."""

    classes: Mapping[str, str]
    imports: tuple[str, ...] = ()


def render_models(models: Iterable[Model], changed: Collection[str], *, zones: bool) -> ModelSource:
    """Return the classes of one module: pydantic models, and a ``TypedDict`` for each ``partial_update``.

    Parameters
    ----------
    models
        The module's own models.
    changed
        Names of the request models that ``partial_update`` takes as keywords.
    zones
        Whether date-times that are sent may have a time zone.
    """
    models = list(models)
    if not models:
        return ModelSource({})
    source = _render_pydantic(models, zones=zones)
    changing = [model for model in models if model.name in changed]
    if not changing:
        return source
    changes = _render_changes(changing)
    return ModelSource({**source.classes, **changes.classes}, (*source.imports, *changes.imports))


def _render_pydantic(models: list[Model], *, zones: bool) -> ModelSource:
    own = {model.name for model in models}
    definitions = {model.name: _definition(model, own, all_required=True) for model in models}
    source = _generate(
        definitions,
        output_model_type=DataModelType.PydanticV2BaseModel,
        base_class_map={model.name: _base_class(model, zones=zones) for model in models},
        custom_template_dir=data_folder("templates"),
        extra_template_data={model.name: _template_data(model) for model in models},
    )
    split = _split(source, definitions)
    return ModelSource(split.classes, (*split.imports, *_TEMPLATE_IMPORTS))


def _base_class(model: Model, *, zones: bool) -> str:
    if model.kind == "request":
        return "alyx_client.runtime.ZonedResource" if zones else "alyx_client.runtime.Resource"
    return "alyx_client.runtime.WithIdInUrl" if model.id_in_url else "alyx_client.runtime.Record"


def _template_data(model: Model) -> JSONDict:
    """Return what the class template needs besides what datamodel-code-generator knows."""
    stand_ins, names = _stand_ins(model), attribute_names(model)
    optional = [stand_ins[field.name] for field in model.fields if not field.required]
    return _reference_data(model) | {
        "class_doc": docstring("\n\n".join(filter(None, (model.description, model.note))), indent=4),
        "names": {stand_in: names[name] for name, stand_in in stand_ins.items()},
        "aliases": {stand_ins[name]: repr(name) for name, attribute in names.items() if name != attribute},
        "field_docs": {
            stand_ins[field.name]: docstring(field.description, indent=4) for field in model.fields if field.description
        },
        "origin": origin_source(model.origin) if model.origin else "",
        "record_of": record_of(model.origin.endpoint) if model.origin else "",
        "joined": sorted(names[field.name] for field in model.fields if field.joined),
        "unset_by_default": optional if model.kind == "request" else [],
        "none_by_default": optional if model.kind == "response" else [],
    }


def _reference_data(model: Model) -> JSONDict:
    stand_ins, names = _stand_ins(model), attribute_names(model)
    return {
        "references": {names[field.name]: field.reference for field in model.fields if field.reference},
        "reference_source": reference_source,
        "referring": {stand_ins[field.name]: _referring(field.reference) for field in model.fields if field.reference},
    }


def _stand_ins(model: Model) -> dict[str, str]:
    """Return names for the fields that datamodel-code-generator leaves alone; it would rename some in its own way."""
    names = attribute_names(model)
    return {
        name: name if name == attribute and name != "json" else f"alyx_field_{position}"
        for position, (name, attribute) in enumerate(sorted(names.items()))
    }


def _referring(reference: Reference) -> Callable[[str], str]:
    """Return what makes the annotation of a field's key that of a field that also takes the record itself."""
    return partial(taking_records, endpoint=reference.endpoint)


def _render_changes(models: list[Model]) -> ModelSource:
    definitions = {changes_name(model.name): _definition(model, (), all_required=False) for model in models}
    source = _generate(
        definitions,
        output_model_type=DataModelType.TypingTypedDict,
        use_total_false_for_typed_dict=True,
    )
    split = _split(source, definitions)
    classes = {
        changes_name(model.name): _finished_changes(split.classes[changes_name(model.name)], model) for model in models
    }
    return ModelSource(classes, split.imports)


def _finished_changes(source: str, model: Model) -> str:
    """Return a ``TypedDict`` with the attributes' names, and documentation of itself and of its JSON fields."""
    names = attribute_names(model)
    for name, stand_in in _stand_ins(model).items():
        if stand_in != name:
            source = re.sub(rf"^(\s+){stand_in}:", rf"\g<1>{names[name]}:", source, flags=re.MULTILINE)
    referring = {f"    {names[field.name]}": _referring(field.reference) for field in model.fields if field.reference}
    docs = {
        names[field.name]: docstring(field.description, indent=4)
        for field in model.fields
        if field.description and is_json_field(field)
    }
    head, *body = source.splitlines()
    about = docstring(f"Fields of `{model.name}` to change, as keywords of `partial_update`.", indent=4)
    lines = [head, f"    {about}", ""]
    for line in body:
        attribute, colon, annotation = line.partition(": ")
        lines.append(f"{attribute}{colon}{referring[attribute](annotation)}" if attribute in referring else line)
        if doc := docs.get(line.partition(":")[0].strip()):
            lines.append(f"    {doc}")
    return "\n".join(lines)


def _definition(model: Model, own: Collection[str], *, all_required: bool) -> JSONDict:
    stand_ins = _stand_ins(model)
    properties = {stand_ins[field.name]: _by_name(field.schema, own) for field in model.fields}
    return {"type": "object", "properties": properties, "required": list(properties) if all_required else []}


def _by_name(node: Any, own: Collection[str]) -> Any:
    """Return a schema in which models of other modules stand by their bare names."""
    if isinstance(node, Mapping):
        schema = as_schema(node)
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        if name and name not in own:
            # A custom type becomes an import that is dropped in `_split`: the module imports the model itself.
            return {"customTypePath": f"{_OTHER_MODULES}.{name}"}
        return {key: _by_name(value, own) for key, value in schema.items()}
    return [_by_name(item, own) for item in as_list(node)] if isinstance(node, list) else node


def _generate(definitions: Mapping[str, Any], **options: Any) -> str:
    source = generate(
        json.dumps({"$defs": definitions}),
        input_file_type=InputFileType.JsonSchema,
        enum_field_as_literal=LiteralType.All,
        use_annotated=True,
        field_constraints=True,
        disable_timestamp=True,
        strict_nullable=True,
        output_datetime_class=DatetimeClassType.Datetime,
        use_union_operator=True,
        skip_root_model=True,
        keep_model_order=True,
        formatters=[],
        **options,
    )
    # It returns several modules for names with dots, which the definitions never have.
    if not isinstance(source, str):
        raise TypeError("datamodel-code-generator returned more than one module")
    return source


def _split(source: str, names: Collection[str]) -> ModelSource:
    """Cut one module into its classes and imports."""
    lines = source.splitlines()
    classes: dict[str, str] = {}
    imports: list[str] = []
    for node in ast.parse(source).body:
        text = "\n".join(lines[node.lineno - 1 : node.end_lineno])
        if isinstance(node, ast.Import | ast.ImportFrom):
            if not (isinstance(node, ast.ImportFrom) and node.module in ("__future__", _OTHER_MODULES)):
                imports.append(text)
        elif isinstance(node, ast.ClassDef):
            classes[node.name] = text
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            classes[node.targets[0].id] = text
    missing = set(names) - set(classes)
    if missing:
        raise ValueError(f"datamodel-code-generator renamed or dropped {', '.join(sorted(missing))}")
    return ModelSource({name: classes[name] for name in names}, tuple(imports))
