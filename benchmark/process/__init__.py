"""The process around a command: its streams, the code that it runs, and what it says to a shell."""
