"""The records that the local Alyx starts with."""
