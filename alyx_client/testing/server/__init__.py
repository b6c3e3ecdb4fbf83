"""The server of the local Alyx: HTTP, accounts, data files and faults; imports every other room of `testing`."""
