"""Where compiled programs and banks of laws are kept between commands."""

import os
from pathlib import Path

CACHE = "JAXFRIC_CACHE"


def cache_folder() -> Path | None:
    """Of traced and compiled programs: what `JAXFRIC_CACHE` names, else the user's cache.

    None where it says "off".
    """
    named = os.environ.get(CACHE, "")
    if named.lower() == "off":
        return None
    if named:
        return Path(named).expanduser()
    # Imported here, so that --help does without
    import platformdirs

    return Path(platformdirs.user_cache_dir("jaxfric"))
