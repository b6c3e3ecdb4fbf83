"""The command ``alyx-generate``: a thin layer over functions that can be called from Python.

May import every other room of the generator; the only one that imports Typer.
"""
