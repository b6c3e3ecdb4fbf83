"""The command ``alyx-generate``: each command a thin shell over a function that can be called from Python.

Typer is imported here alone.
"""
