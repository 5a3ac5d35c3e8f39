"""Special families: who they are by rule, what the office asks of contacts, and what is due."""
