"""Errors of a schema: a live server's responses compared with it, and corrections proposed.

May import `alyx_generator.package` and the rooms below it.
"""
