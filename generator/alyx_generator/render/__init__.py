"""From the intermediate representation to Python source.

Jinja2, datamodel-code-generator and ruff are used here alone.
"""
