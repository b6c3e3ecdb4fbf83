"""The commands of ``alyx-generate``, each a thin shell over a function that can be called from Python."""
