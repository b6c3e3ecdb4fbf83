"""Python source from the intermediate representation.

May import `alyx_generator.model` and `alyx_generator.source`; the only room that imports Jinja2,
datamodel-code-generator and ruff.
"""
