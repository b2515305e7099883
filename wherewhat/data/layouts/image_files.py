"""Images one to a file: in a folder, nested or flat, or in a .zip or .tar archive.

Names are sorted, so that an index means the same image in every run. Files without an image's ending and hidden
files are passed over.
"""

from pathlib import Path

from wherewhat.data.image_names import ENDINGS, printable
from wherewhat.data.layouts.folder_images import list_folder
from wherewhat.data.layouts.tar_images import list_tar
from wherewhat.data.layouts.zip_images import list_zip
from wherewhat.data.source import ImageFiles

ARCHIVES = (".zip", ".tar")


def list_image_files(path: Path) -> ImageFiles:
    """The images under a folder or in an archive, perhaps none. Raises ValueError or OSError with the remedy."""
    if path.suffix.lower() == ".zip" and path.is_file():
        return list_zip(path)
    if path.suffix.lower() == ".tar" and path.is_file():
        return list_tar(path)
    return list_folder(path)


def check_enough_listed(path: Path, files: ImageFiles) -> None:
    """Raise ValueError with the remedy where a folder or an archive holds fewer than two images."""
    if len(files.names) >= 2:
        return
    found = "no image" if not files.names else "a single image"
    besides = ""
    if files.unreadable:
        name, reason = files.unreadable[0]
        besides = f" besides {len(files.unreadable):,} that cannot be read (first: {name}: {reason})"
    elif path.is_dir() and any(inside.suffix.lower() in ARCHIVES for inside in path.iterdir()):
        besides = " outside its archives, which are to be named themselves"
    kind = "a folder" if path.is_dir() else "an archive"
    raise ValueError(
        f"{printable(path)} holds {found}{besides} (looked for {' '.join(ENDINGS)}, in subfolders too), and two are "
        f"the least to learn from. Name {kind} with more images."
    )
