"""A mail in words: everything its templates print, in one language, as plain values.

Templates hold layout. What a sentence says, which orders are shown and what deserves a warning is
decided here, once for the text part and the HTML part alike.
"""
