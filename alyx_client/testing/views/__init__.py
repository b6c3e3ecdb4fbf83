"""The endpoints of the local Alyx; imports `filters`, `records`, `schema` and `failures`."""
