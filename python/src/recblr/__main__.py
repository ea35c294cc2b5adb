"""`python -m recblr` is the command, too."""

from ._command import main

main()
