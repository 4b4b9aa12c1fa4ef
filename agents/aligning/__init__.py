"""Which words of a passage a sentence of an answer stands on; nothing here asks the database.

`spans` aligns by wording, `meaning` by the embedded embedder where wording finds nothing;
`details` are the numbers and negations that must agree; `sentences` reads an answer; `folding` is
what texts have in common in spite of case, width, script and punctuation.
"""
