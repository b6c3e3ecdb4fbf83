"""Schemas of servers: one reader of OpenAPI documents, the routes table, surfaces, and the changes between two of them.

May import `http` and the rooms below it.
"""
