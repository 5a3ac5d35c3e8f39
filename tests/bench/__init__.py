"""How fast and how large: `make bench`, each line ours, a floor measured in the same run, and the ratio."""
