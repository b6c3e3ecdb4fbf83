"""Schema documents: where they come from, their normal form, their corrections and their validation."""
