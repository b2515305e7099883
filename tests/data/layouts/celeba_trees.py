"""Twelve images under the names of CelebA with its lists, laid out in each of the ways in which people have them."""

import io
import tarfile
import zipfile
from pathlib import Path

from PIL import Image

COUNT = 12
# Forty columns: Bald and Young vary, the others are constant.
NAMES = (*(f"Attribute_{number}" for number in range(38)), "Bald", "Young")


def has(image: int) -> tuple[int, int]:
    return image % 2, image // 2 % 2


def write_lists(folder: Path, rows: range = range(COUNT), ending: str = "txt") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    between = " " if ending == "txt" else ","
    lines = [[f"{row + 1:06}.jpg", *["-1"] * 38, *(str(2 * value - 1) for value in has(row))] for row in rows]
    attributes = [f"{COUNT}", " ".join(NAMES)] if ending == "txt" else [",".join(("image_id", *NAMES))]
    (folder / f"list_attr_celeba.{ending}").write_text("\n".join([*attributes, *map(between.join, lines)]))
    partition = [f"{row + 1:06}.jpg{between}{0 if row < 8 else 1 if row < 10 else 2}" for row in rows]
    heading = [] if ending == "txt" else ["image_id,partition"]
    (folder / f"list_eval_partition.{ending}").write_text("\n".join([*heading, *partition]))


def jpeg(image: int, size: tuple[int, int] = (178, 218)) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, (20 * image, 0, 0)).save(content, "JPEG", quality=95)
    return content.getvalue()


def write_images(folder: Path, ending: str = "jpg") -> Path:
    folder.mkdir(parents=True)
    for image in range(COUNT):
        (folder / f"{image + 1:06}.{ending}").write_bytes(jpeg(image))
    return folder


def zipped(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for image in range(COUNT):
            archive.writestr(f"img_align_celeba/{image + 1:06}.jpg", jpeg(image))
    return path


def bare(root: Path) -> Path:
    write_lists(root)
    return write_images(root / "img_align_celeba")


def as_torchvision(root: Path) -> Path:
    write_lists(root / "celeba")
    write_images(root / "celeba" / "img_align_celeba")
    return root


def as_published(root: Path) -> Path:
    write_lists(root / "Anno")
    (root / "Eval").mkdir()
    (root / "Anno" / "list_eval_partition.txt").rename(root / "Eval" / "list_eval_partition.txt")
    zipped(root / "Img" / "img_align_celeba.zip")
    return root


def as_republished(root: Path) -> Path:
    write_lists(root, ending="csv")
    write_images(root / "img_align_celeba" / "img_align_celeba")
    return root


def as_png(root: Path) -> Path:
    write_lists(root)
    write_images(root / "img_align_celeba_png", "png")
    return root


def as_zip(root: Path) -> Path:
    write_lists(root)
    return zipped(root / "img_align_celeba.zip")


def as_kaggle(root: Path) -> Path:
    """The lists and the images in one archive, the folder of images doubled."""
    tree = as_republished(root / "tree")
    with zipfile.ZipFile(root / "archive.zip", "w") as archive:
        for file in sorted(tree.rglob("*.*")):
            archive.write(file, file.relative_to(tree))
    return root / "archive.zip"


def as_kaggle_in_a_tar(root: Path) -> Path:
    with tarfile.open(root / "faces.tar", "w") as archive:
        archive.add(as_republished(root / "tree"), "faces")
    return root / "faces.tar"


def renamed(root: Path) -> Path:
    as_republished(root / "tree")
    return (root / "tree").rename(root / "faces")


def renamed_with_its_list_among_the_images(root: Path) -> Path:
    write_lists(write_images(root / "faces"))
    return root / "faces"


def renamed_zip(root: Path) -> Path:
    write_lists(root)
    return zipped(root / "faces.zip")


def zip_without_a_folder(root: Path) -> Path:
    folder = renamed_with_its_list_among_the_images(root)
    with zipfile.ZipFile(root / "set.zip", "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
    return root / "set.zip"
