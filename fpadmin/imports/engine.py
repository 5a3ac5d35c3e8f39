"""Runs one workbook: read, parse, plan, and, when asked, write in one transaction."""
