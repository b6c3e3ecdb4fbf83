"""The records of the local Alyx: tables, validation, serialisation, and what changes them."""
