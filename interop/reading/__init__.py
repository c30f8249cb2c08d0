"""Files as rows of text: CSV, spreadsheets and the archives they come in.

Every reader streams, and bounds what a hostile file can make it do.
"""
