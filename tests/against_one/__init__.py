"""ONE's client and this one, side by side on the local Alyx.

ONE-api is in the dependency group ``one``; without it, these tests are skipped.
"""
