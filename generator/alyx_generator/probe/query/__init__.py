"""Learning a server's query model: the fields that the ``django`` filter reaches, by GET alone.

An unknown field or lookup makes Django refuse a query with a message that names the fields of a model, or the class of
a field. Each request ends in such a refusal, before the query reaches the server's database.
"""
