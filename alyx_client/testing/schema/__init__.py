"""Schema documents as the local Alyx reads them."""
