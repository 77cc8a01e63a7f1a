"""Results: one record, the folder of them, those of other labs, what a record can be, and where each came from."""
