"""Sources: where a collection's documents come from besides people's uploads, and keeping in step.

`connector` is what a kind of source has to be able to do, a module each is one kind; `engine`
compares what a source has with what is known of it, `tombstones` lets go of what is gone there,
`services` are the writes, `scheduling` starts what is due.
"""
