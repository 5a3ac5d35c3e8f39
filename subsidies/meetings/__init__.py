"""Seeing people after the money came (见面核实): who waits, by when, a village's sheet, what was found."""
