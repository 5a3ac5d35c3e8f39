"""The file that goes to the bank: its layout as data, its bytes, and how it is kept and handed out."""
