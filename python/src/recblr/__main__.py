"""`python -m recblr` is the command, too."""

from recblr_command import main

main()
