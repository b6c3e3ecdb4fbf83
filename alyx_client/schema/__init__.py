"""What a server offers, read from its schema, and what changed between two servers or versions."""
