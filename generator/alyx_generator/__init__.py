"""The build step: from an Alyx server's schema to a typed client."""
