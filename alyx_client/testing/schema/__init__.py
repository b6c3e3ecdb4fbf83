"""Schema documents of the local Alyx, read by a reader of its own; imports only the standard library."""
