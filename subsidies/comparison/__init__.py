"""The comparison desk (比对核查): other departments' lists, and our own rolls, held against each other."""
