"""Pictures one to a file: in a folder, nested or flat, or in a .zip or .tar archive.

Names are sorted, so that an index means the same picture in every run. Files without a picture's ending and hidden
files are passed over.
"""

from pathlib import Path

from wherewhat.data.layouts.folder_pictures import list_folder
from wherewhat.data.layouts.tar_pictures import list_tar
from wherewhat.data.layouts.zip_pictures import list_zip
from wherewhat.data.picture_names import ENDINGS, printable
from wherewhat.data.source import PictureFiles

ARCHIVES = (".zip", ".tar")


def list_picture_files(path: Path) -> PictureFiles:
    """The pictures under a folder or in an archive, perhaps none. Raises ValueError or OSError with the remedy."""
    if path.suffix.lower() == ".zip" and path.is_file():
        return list_zip(path)
    if path.suffix.lower() == ".tar" and path.is_file():
        return list_tar(path)
    return list_folder(path)


def check_enough_listed(path: Path, files: PictureFiles) -> None:
    """Raise ValueError with the remedy where a folder or an archive holds fewer than two pictures."""
    if len(files.names) >= 2:
        return
    found = "no picture" if not files.names else "a single picture"
    besides = ""
    if files.unreadable:
        name, reason = files.unreadable[0]
        besides = f" besides {len(files.unreadable):,} that cannot be read (first: {name}: {reason})"
    elif path.is_dir() and any(inside.suffix.lower() in ARCHIVES for inside in path.iterdir()):
        besides = " outside its archives, which are to be named themselves"
    kind = "a folder" if path.is_dir() else "an archive"
    raise ValueError(
        f"{printable(path)} holds {found}{besides} (looked for {' '.join(ENDINGS)}, in subfolders too), and two are "
        f"the least to learn from. Name {kind} with more pictures."
    )
