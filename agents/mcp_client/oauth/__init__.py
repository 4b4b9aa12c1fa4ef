"""A person's own authorization at a server: OAuth 2.1 with PKCE, as MCP has it.

`discovery` finds who authorizes for a server (RFC 9728, RFC 8414), `exchange` registers us there
(RFC 7591) and gets tokens, `accounts` keeps these sealed per person and server and renews them
ahead of time, `views` are the page in the settings. Everything goes through the guarded client.
"""
