"""Python source of shapes, by datamodel-code-generator with our base classes and templates."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from datamodel_code_generator import generate
from datamodel_code_generator.enums import DataModelType, InputFileType
from datamodel_code_generator.format import DatetimeClassType
from datamodel_code_generator.parser import LiteralType

from alyx_generator.model.ir import Shape
from alyx_generator.model.json_fields import is_json_field
from alyx_generator.model.naming import attribute_names, changes_name
from alyx_generator.render.text import docstring
from alyx_generator.source.paths import data_folder

_ELSEWHERE = "alyx_elsewhere"
_OWN_IMPORTS = ("from typing import Annotated", "from pydantic import Field")


@dataclass(frozen=True)
class ShapeSource:
    """The source of shapes by name, and the imports that they need together."""

    classes: Mapping[str, str]
    imports: tuple[str, ...]


def render_shapes(shapes: Iterable[Shape], changed: Collection[str]) -> ShapeSource:
    """Return one module's shapes: pydantic models, and a ``TypedDict`` for the keywords of ``partial_update``.

    Parameters
    ----------
    shapes
        The module's own shapes.
    changed
        Names of request shapes that ``partial_update`` takes as keywords.
    """
    shapes = list(shapes)
    if not shapes:
        return ShapeSource({}, ())
    models = _render_models(shapes)
    changing = [shape for shape in shapes if shape.name in changed]
    if not changing:
        return models
    changes = _render_changes(changing)
    return ShapeSource({**models.classes, **changes.classes}, (*models.imports, *changes.imports))


def _render_models(shapes: list[Shape]) -> ShapeSource:
    template_data: dict[str, dict[str, Any]] = {}
    bases: dict[str, str] = {}
    for shape in shapes:
        stand_ins, names = _stand_ins(shape), attribute_names(shape)
        optional = [stand_ins[each.name] for each in shape.fields if not each.required]
        template_data[shape.name] = {
            "class_doc": docstring("\n\n".join(filter(None, (_description(shape), shape.note))), indent=4),
            "names": {stand_in: names[name] for name, stand_in in stand_ins.items()},
            "aliases": {stand_ins[name]: repr(name) for name, own in names.items() if name != own},
            "field_docs": {
                stand_ins[each.name]: docstring(each.description, indent=4) for each in shape.fields if each.description
            },
            "left_out": optional if shape.kind == "request" else [],
            "sometimes": optional if shape.kind == "answer" else [],
        }
        answered = "alyx_client.runtime.WithIdInUrl" if shape.id_in_url else "alyx_client.runtime.Record"
        bases[shape.name] = "alyx_client.runtime.Resource" if shape.kind == "request" else answered
    own = {shape.name for shape in shapes}
    definitions = {shape.name: _definition(shape, own, all_required=True) for shape in shapes}
    source = _generate(
        definitions,
        output_model_type=DataModelType.PydanticV2BaseModel,
        base_class_map=bases,
        custom_template_dir=data_folder("templates"),
        extra_template_data=template_data,
    )
    split = _split(source, definitions)
    return ShapeSource(split.classes, (*split.imports, *_OWN_IMPORTS))


def _stand_ins(shape: Shape) -> dict[str, str]:
    """Return what each field is called for datamodel-code-generator, which would rename some in its own way."""
    names = attribute_names(shape)
    return {
        name: name if name == own and name != "json" else f"alyx_field_{place}"
        for place, (name, own) in enumerate(sorted(names.items()))
    }


def _render_changes(shapes: list[Shape]) -> ShapeSource:
    definitions = {changes_name(shape.name): _definition(shape, (), all_required=False) for shape in shapes}
    source = _generate(
        definitions,
        output_model_type=DataModelType.TypingTypedDict,
        use_total_false_for_typed_dict=True,
    )
    split = _split(source, definitions)
    named: dict[str, str] = {}
    for shape in shapes:
        text = split.classes[changes_name(shape.name)]
        names = attribute_names(shape)
        for name, stand_in in _stand_ins(shape).items():
            if stand_in != name:
                text = re.sub(rf"^(\s+){stand_in}:", rf"\g<1>{names[name]}:", text, flags=re.MULTILINE)
        named[changes_name(shape.name)] = _with_field_docs(text, shape)
    return ShapeSource(named, split.imports)


def _with_field_docs(source: str, shape: Shape) -> str:
    """Return the source of a shape's keywords with the documentation of its JSON fields, which each change replaces."""
    docs = {
        attribute_names(shape)[field.name]: docstring(field.description, indent=4)
        for field in shape.fields
        if field.description and is_json_field(field)
    }
    lines: list[str] = []
    for line in source.splitlines():
        lines.append(line)
        if doc := docs.get(line.partition(":")[0].strip()):
            lines.append(f"    {doc}")
    return "\n".join(lines)


def _definition(shape: Shape, own: Collection[str], *, all_required: bool) -> dict[str, Any]:
    stand_ins = _stand_ins(shape)
    properties = {stand_ins[each.name]: _by_name(each.schema, own) for each in shape.fields}
    return {"type": "object", "properties": properties, "required": list(properties) if all_required else []}


def _by_name(node: Any, own: Collection[str]) -> Any:
    """Return a schema in which shapes of other modules stand by their bare names."""
    if isinstance(node, Mapping):
        mapping = cast("Mapping[str, Any]", node)
        name = str(mapping.get("$ref", "")).rpartition("/")[2]
        if name and name not in own:
            return {"customTypePath": f"{_ELSEWHERE}.{name}"}
        return {key: _by_name(value, own) for key, value in mapping.items()}
    return [_by_name(item, own) for item in cast("Sequence[Any]", node)] if isinstance(node, list) else node


def _description(shape: Shape) -> str:
    return shape.description or _describe(shape)


def _describe(shape: Shape) -> str:
    words = shape.endpoint.strip("_").replace("_", " ")
    if shape.kind == "request":
        purpose = "replace" if shape.name.endswith("Update") else "create or replace"
        return f"What is sent to {purpose} one of the {words}."
    if shape.name.endswith("Summary"):
        return f"One of the {words}, as a list shows it."
    return f"One of the {words}." if shape.name.endswith("Record") else f"Part of what is answered about {words}."


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
    if not isinstance(source, str):
        raise TypeError("datamodel-code-generator returned more than one module")
    return source


def _split(source: str, wanted: Iterable[str]) -> ShapeSource:
    """Cut one module into its classes and imports."""
    tree = ast.parse(source)
    lines = source.splitlines()
    classes: dict[str, str] = {}
    imports: list[str] = []
    for node in tree.body:
        text = "\n".join(lines[node.lineno - 1 : node.end_lineno])
        if isinstance(node, ast.Import | ast.ImportFrom):
            if not (isinstance(node, ast.ImportFrom) and node.module in ("__future__", _ELSEWHERE)):
                imports.append(text)
        elif isinstance(node, ast.ClassDef):
            classes[node.name] = text
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            classes[node.targets[0].id] = text
    missing = set(wanted) - set(classes)
    if missing:
        raise ValueError(f"datamodel-code-generator renamed or dropped {', '.join(sorted(missing))}")
    return ShapeSource({name: classes[name] for name in wanted}, tuple(imports))
