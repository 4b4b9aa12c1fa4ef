"""What a curator does with passages: split, merge, exclude, correct, add, and take all that back.

An edit is a row (`models.edits`), applied to the index at once (`editing`, `swapping`) and again
whenever the document is indexed anew (`reapplying`). It never changes what the file says: words of
a curator are appended to the stored text. So every passage is still the stored text from `start` to
`end`, every citation can still be checked, and the offsets of earlier citations stay as they are.
"""
