"""What `python -m glusto VERB` does, a module a verb.

Each has `HELP`, one line; `add_arguments(parser)`; and `main(options)`, which returns the exit status.
"""
