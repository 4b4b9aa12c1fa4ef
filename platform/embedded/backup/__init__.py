"""Backups: one file with the database and the uploaded files as they were at one moment.

`archive` the file itself, `manifest` what it says about its parts, `snapshot` the one moment,
`tools` pg_dump and pg_restore, `databases` whole databases that are made, swapped and dropped,
`server` the Postgres that is there anyway, or is started for as long as it is needed.
"""
