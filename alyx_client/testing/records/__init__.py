"""The records of the local Alyx: tables, validation, serialization and writes; imports `schema` and `failures`."""
