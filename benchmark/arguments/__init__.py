"""What may stand on the command line: a file for each of ``commands/``, and the types that they share. All is light."""
