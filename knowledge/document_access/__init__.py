"""Documents with readers of their own: shared by themselves, or kept from a collection's readers.

Such a document's passages, vectors and terms lie under an id of their own, a *part* of its
collection, whose id is the document's. So search allows or leaves out a document by the one
condition it has anyway, and what terms weigh counts nothing that its reader may not see. See
docs/adr/0010.
"""
