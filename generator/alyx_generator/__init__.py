"""The build step: from an Alyx server's schema to a typed client.

The rooms import downwards only: cli, probe, package, render, model, source. They may import `alyx_client`, which never
imports them.
"""
