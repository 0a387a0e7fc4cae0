"""`python -m greatseal` is the command line."""

from greatseal.cli import main

main()
