"""The filters of the local Alyx."""
