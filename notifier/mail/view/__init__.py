"""The values that the templates print, each a plain value in one language.

Templates hold layout. The wording, the orders that are shown and the warnings are decided here,
once for the text part and the HTML part.
"""
