"""The intermediate representation of a corrected OpenAPI document: endpoints, actions and models as plain values.

May import `alyx_generator.source`, and of `alyx_client` the names that generated code must not collide with.
"""
