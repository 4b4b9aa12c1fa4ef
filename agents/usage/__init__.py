"""What was used and what it cost: for a person, for a team's owners, for administrators.

All of it is read from the roll-ups of `gateway.metering`, never from single calls.
"""
