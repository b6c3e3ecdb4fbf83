"""The command ``alyx``: a thin layer over the client.

Beside the generator's, the only room that imports Typer and Rich. Commands load the client's package when they need it:
the shipped one, or one generated for a lab's own server.
"""
