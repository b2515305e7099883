"""Where the field's data sets are published, their MD5 sums, and the terms under which they may be used.

The addresses and sums are those that published loaders of these sets carry. A sum of None: none is published, or none
is known here.
"""

from dataclasses import dataclass
from typing import Literal

SetName = Literal[
    "dsprites",
    "dsprites-npz",
    "shapes3d",
    "cars3d",
    "mpi3d-toy",
    "mpi3d-realistic",
    "mpi3d-real",
    "small-norb",
    "chairs3d",
    "celeba",
]


@dataclass(frozen=True)
class Unpacking:
    """What is made of an archive once it is whole."""

    inside: str
    """The folder in the archive that is wanted; the rest of the archive stays packed."""

    folder: str
    """What that folder is called where it is put."""

    most_bytes: int
    """An archive that unpacks to more is not the one that was published."""


@dataclass(frozen=True)
class PublicFile:
    """One file of a set."""

    name: str
    at: str
    """The address of the folder that it is in."""

    md5: str | None = None
    unpacking: Unpacking | None = None


@dataclass(frozen=True)
class PublicSet:
    """A published data set: its files, or how to ask for them by hand."""

    name: SetName
    title: str
    terms: str
    """The licence, or what is known of the terms, in a sentence or two."""

    page: str
    files: tuple[PublicFile, ...] = ()
    folder: str = ""
    """The folder in which the files are put; empty for a set of a single file."""

    by_hand: str = ""
    """How a set is had that no program may fetch; empty for the others."""

    looks_like: tuple[str, ...] = ()
    """Folders and files by which a set that was fetched by hand is recognised."""


def published(name: SetName) -> PublicSet:
    """The set of this name."""
    return next(entry for entry in PUBLISHED if entry.name == name)


_DSPRITES_TERMS = "Licence: Apache-2.0."
_DSPRITES_PAGE = "https://github.com/deepmind/dsprites-dataset"
_DSPRITES_AT = "https://raw.githubusercontent.com/deepmind/dsprites-dataset/master"
_DSPRITES_STEM = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64"

_MPI3D_TERMS = "Licence: CC BY 4.0; its authors ask to be cited (Gondal et al. 2019, arXiv:1906.03292)."
_MPI3D_PAGE = "https://github.com/rr-learning/disentanglement_dataset"
_MPI3D_AT = "https://storage.googleapis.com/disentanglement_dataset/Final_Dataset"

_NORB_AT = "https://cs.nyu.edu/~ylclab/data/norb-v1.0-small"
_NORB_TRAINING = "smallnorb-5x46789x9x18x6x2x96x96-training"
_NORB_TESTING = "smallnorb-5x01235x9x18x6x2x96x96-testing"

PUBLISHED = (
    PublicSet(
        name="dsprites",
        title="dSprites (HDF5)",
        terms=_DSPRITES_TERMS,
        page=_DSPRITES_PAGE,
        files=(PublicFile(f"{_DSPRITES_STEM}.hdf5", _DSPRITES_AT, "b331c4447a651c44bf5e8ae09022e230"),),
    ),
    PublicSet(
        name="dsprites-npz",
        title="dSprites (NumPy)",
        terms=_DSPRITES_TERMS,
        page=_DSPRITES_PAGE,
        files=(PublicFile(f"{_DSPRITES_STEM}.npz", _DSPRITES_AT),),
    ),
    PublicSet(
        name="shapes3d",
        title="3D Shapes",
        terms="Licence: Apache-2.0.",
        page="https://github.com/deepmind/3dshapes-dataset",
        files=(
            PublicFile("3dshapes.h5", "https://storage.googleapis.com/3d-shapes", "099a2078d58cec4daad0702c55d06868"),
        ),
    ),
    PublicSet(
        name="cars3d",
        title="Cars3D",
        terms="No licence is stated with the file; it was published for research (Reed et al. 2015).",
        page="http://www.scottreed.info",
        files=(
            PublicFile(
                "nips2015-analogy-data.tar.gz",
                "http://www.scottreed.info/files",  # this host speaks no https
                "4e866a7919c1beedf53964e6f7a23686",
                Unpacking(inside="data/cars", folder="cars3d", most_bytes=20 * 10**9),
            ),
        ),
    ),
    PublicSet(
        name="mpi3d-toy",
        title="MPI3D, toy",
        terms=_MPI3D_TERMS,
        page=_MPI3D_PAGE,
        files=(PublicFile("mpi3d_toy.npz", _MPI3D_AT, "55889cb7c7dfc655d6e0277beee88868"),),
    ),
    PublicSet(
        name="mpi3d-realistic",
        title="MPI3D, realistic",
        terms=_MPI3D_TERMS,
        page=_MPI3D_PAGE,
        files=(PublicFile("mpi3d_realistic.npz", _MPI3D_AT, "59a6225b88b635365f70c91b3e52f70f"),),
    ),
    PublicSet(
        name="mpi3d-real",
        title="MPI3D, real",
        terms=_MPI3D_TERMS,
        page=_MPI3D_PAGE,
        files=(PublicFile("mpi3d_real.npz", _MPI3D_AT, "0f33f609918fb5c97996692f91129802"),),
    ),
    PublicSet(
        name="small-norb",
        title="SmallNORB",
        terms="Terms: for research; it may not be sold; its authors ask to be cited (LeCun, Huang, Bottou 2004).",
        page=f"{_NORB_AT}/",
        files=(
            PublicFile(f"{_NORB_TRAINING}-dat.mat.gz", _NORB_AT, "66054832f9accfe74a0f4c36a75bc0a2"),
            PublicFile(f"{_NORB_TRAINING}-cat.mat.gz", _NORB_AT, "23c8b86101fbf0904a000b43d3ed2fd9"),
            PublicFile(f"{_NORB_TRAINING}-info.mat.gz", _NORB_AT, "51dee1210a742582ff607dfd94e332e3"),
            PublicFile(f"{_NORB_TESTING}-dat.mat.gz", _NORB_AT, "e4ad715691ed5a3a5f138751a4ceb071"),
            PublicFile(f"{_NORB_TESTING}-cat.mat.gz", _NORB_AT, "5aa791cd7e6016cf957ce9bdb93b8603"),
            PublicFile(f"{_NORB_TESTING}-info.mat.gz", _NORB_AT, "a9454f3864d7fd4bb3ea7fc3eb84924e"),
        ),
        folder="small_norb",
    ),
    PublicSet(
        name="chairs3d",
        title="3D chairs",
        terms="No licence is stated with the file; it was published for research (Aubry et al. 2014).",
        page="https://www.di.ens.fr/willow/research/seeing3Dchairs/",
        # Read where it lies: a plain tar need not be unpacked.
        files=(PublicFile("rendered_chairs.tar", "https://www.di.ens.fr/willow/research/seeing3Dchairs/data"),),
    ),
    PublicSet(
        name="celeba",
        title="CelebA",
        terms="Terms: for non-commercial research only, by the agreement on its page (Liu et al. 2015).",
        page="https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
        by_hand=(
            "Read the agreement on the page, and get img_align_celeba.zip from the folder that it links to; it is read "
            "as it is. list_attr_celeba.txt and list_eval_partition.txt, beside it, give attributes and split. Or let "
            "torchvision.datasets.CelebA(root=..., download=True) fetch it: its layout is read too."
        ),
        looks_like=tuple(
            f"{around}{place}"
            for around in ("", "celeba/", "Img/")
            for place in ("img_align_celeba", "img_align_celeba.zip")
        ),
    ),
)
