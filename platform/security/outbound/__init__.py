"""Every connection to the outside is opened here, to an address that was checked.

`fetch` gets something for a person (a page, a file) from the public internet; `guarded_connector`
and `GuardedTransport` are for the clients of model servers. Nothing else in the product opens an
outbound connection: ruff (TID251) and a test hold that.
"""
