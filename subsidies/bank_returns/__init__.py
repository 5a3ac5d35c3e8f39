"""What comes back from the bank: the workbook 代发回盘, and the desk for what fits no payment."""
