"""Clients that list, read, write and download for minutes, on a local Alyx that fails at random: ``make soak``."""
