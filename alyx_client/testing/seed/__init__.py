"""The initial records of the local Alyx; imports `records` and `schema`."""
