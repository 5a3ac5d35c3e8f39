"""Public notices: terms in working days, what hangs and what waits, the sheet for the board."""
