"""Enrichment: what a model writes about documents and passages so that they are found.

Off until somebody who may edit a collection has seen what it costs and switches it on. The model's
words are searched with the passages they are about; they are never quoted, cited or read to another
model as if a document said them.
"""
