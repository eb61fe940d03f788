"""What submissions DO: they are replayed on a clean engine, edited and replayed again. A module for each assignment."""
