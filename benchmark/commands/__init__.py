"""What each command calls and prints, a file for each concern. A notebook calls the same functions that these lines
do.
"""
