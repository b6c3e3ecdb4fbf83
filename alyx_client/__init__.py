"""A typed client for Alyx."""
