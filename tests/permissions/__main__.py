"""Prints how many cells the permission tables have: `python -m tests.permissions`."""

import tests.conftest  # noqa: F401 - sets Django up
from tests.permissions.admin_rows import PAGES, ROOMS
from tests.permissions.frames import FRAMES
from tests.permissions.routes import list_routes
from tests.permissions.rows import rows_of
from tests.permissions.test_bodies import FORMS, ID_FIELDS, LOOT, PAGE_IDS, PROTECTED, VALID
from tests.support.world import CASTS, SIGNED_IN

STAFF = 3  # root, clerk, auditor


def count_cells() -> dict[str, int]:
    """Cells of each table: a request or frame by one member of the cast, with one right answer."""
    requests = sum(len(rows_of(route) or []) for route in list_routes())
    actions = sum(len(room.actions) for room in ROOMS.values())
    return {
        "HTTP requests": requests * len(CASTS),
        "socket frames": len(FRAMES) * len(SIGNED_IN),
        "admin pages": len(ROOMS) * len(PAGES) * STAFF,
        "admin actions": actions * (len(CASTS) + STAFF - 1),
        "ids of others in bodies, forms and queries": len(ID_FIELDS) * len(LOOT) + len(PAGE_IDS),
        "protected fields in bodies and forms": (len(VALID) + len(FORMS)) * len(PROTECTED),
    }


def main() -> None:
    cells = count_cells()
    print(f"{len(list_routes())} routes, a cast of {len(CASTS)}")
    for name, count in cells.items():
        print(f"{count:6,} {name}")
    print(f"{sum(cells.values()):6,} cells")


if __name__ == "__main__":
    main()
