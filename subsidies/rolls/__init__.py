"""The rolls (在册对象): their list, one line's page, and what may be changed about a line."""
