"""Where gensim-data is: its addresses, and the folder that gensim keeps it in.

gensim itself says both, so that it finds what this package downloads, and the other way round.
"""

import os
import re

#: Another address of gensim-data, such as a company's mirror.
MIRROR_VARIABLE = "SKTEXTCNN_GENSIM_DATA_URL"
#: gensim's variable for the folder.
FOLDER_VARIABLE = "GENSIM_DATA_DIR"


def folder() -> str:
    """Return gensim's folder, which need not exist."""
    import gensim.downloader

    return os.path.abspath(gensim.downloader.BASE_DIR)


def is_name(name: str) -> bool:
    """Return whether a text may be a name of gensim-data, which is the name of a folder too."""
    return re.fullmatch(r"\w[\w.+-]*", name) is not None


def stored_path(name: str) -> str:
    """Return the path of the file of vectors, which need not exist."""
    return os.path.join(folder(), name, f"{name}.gz")


def is_stored(name: str) -> bool:
    """Return whether the file of vectors is there."""
    return is_name(name) and os.path.isfile(stored_path(name))


def catalogue_address() -> str:
    """Return the address of the catalogue."""
    import gensim.downloader

    mirror = os.environ.get(MIRROR_VARIABLE)
    return f"{mirror.rstrip('/')}/list.json" if mirror else gensim.downloader.DATA_LIST_URL


def address(name: str, file: str) -> str:
    """Return the address of a file that belongs to a name."""
    import gensim.downloader

    base = os.environ.get(MIRROR_VARIABLE) or gensim.downloader.DOWNLOAD_BASE_URL
    return f"{base.rstrip('/')}/{name}/{file}"
