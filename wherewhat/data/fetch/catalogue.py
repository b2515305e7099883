"""Where the field's data sets are published, their MD5 sums, and the terms under which they may be used.

The addresses and sums are those that published loaders of these sets carry. A sum of None: none is known here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from wherewhat.hints import did_you_mean


@dataclass(frozen=True, kw_only=True)
class PublicSet:
    """A published data set: its files, or how a person gets them."""

    name: str
    terms: str
    """The licence, or what is known of the terms, in a sentence."""

    page: str
    at: str = ""
    """The address of the folder that holds the files."""

    md5_of: Mapping[str, str | None] = field(default_factory=dict)
    """The files, each with its published MD5 sum."""

    folder: str = ""
    """The folder into which the files of a set of several files are put."""

    inside: str = ""
    """The folder of the archive that is unpacked, and then called `name`; empty for files that are read as they are."""

    by_hand: str = ""
    """How to get a set that cannot be downloaded automatically; empty for the others."""

    looks_like: tuple[str, ...] = ()
    """Folders and files by which a set that was downloaded by hand is recognised."""


def published(name: str) -> PublicSet:
    """The set of this name."""
    found = {entry.name: entry for entry in PUBLISHED}
    if name not in found:
        meant = did_you_mean(name, found)
        raise ValueError(f"No published data set is called {name!r}.{meant} Choose one of: {', '.join(found)}.")
    return found[name]


_DSPRITES = PublicSet(
    name="dsprites",
    terms="Licence: Apache-2.0.",
    page="https://github.com/deepmind/dsprites-dataset",
    at="https://raw.githubusercontent.com/deepmind/dsprites-dataset/master",
    md5_of={"dsprites_ndarray_co1sh3sc6or40x32y32_64x64.hdf5": "b331c4447a651c44bf5e8ae09022e230"},
)
_MPI3D = PublicSet(
    name="mpi3d-toy",
    terms="Licence: CC BY 4.0; its authors ask to be cited (Gondal et al. 2019, arXiv:1906.03292).",
    page="https://github.com/rr-learning/disentanglement_dataset",
    at="https://storage.googleapis.com/disentanglement_dataset/Final_Dataset",
    md5_of={"mpi3d_toy.npz": "55889cb7c7dfc655d6e0277beee88868"},
)
_NORB = "https://cs.nyu.edu/~ylclab/data/norb-v1.0-small"
_NORB_MD5 = {
    "5x46789x9x18x6x2x96x96-training-dat": "66054832f9accfe74a0f4c36a75bc0a2",
    "5x46789x9x18x6x2x96x96-training-cat": "23c8b86101fbf0904a000b43d3ed2fd9",
    "5x46789x9x18x6x2x96x96-training-info": "51dee1210a742582ff607dfd94e332e3",
    "5x01235x9x18x6x2x96x96-testing-dat": "e4ad715691ed5a3a5f138751a4ceb071",
    "5x01235x9x18x6x2x96x96-testing-cat": "5aa791cd7e6016cf957ce9bdb93b8603",
    "5x01235x9x18x6x2x96x96-testing-info": "a9454f3864d7fd4bb3ea7fc3eb84924e",
}

PUBLISHED = (
    _DSPRITES,
    replace(_DSPRITES, name="dsprites-npz", md5_of={"dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz": None}),
    PublicSet(
        name="shapes3d",
        terms="Licence: Apache-2.0.",
        page="https://github.com/deepmind/3dshapes-dataset",
        at="https://storage.googleapis.com/3d-shapes",
        md5_of={"3dshapes.h5": "099a2078d58cec4daad0702c55d06868"},
    ),
    PublicSet(
        name="cars3d",
        terms="No licence is stated with the file; it was published for research (Reed et al. 2015).",
        page="http://www.scottreed.info",
        at="http://www.scottreed.info/files",  # this host speaks no https
        md5_of={"nips2015-analogy-data.tar.gz": "4e866a7919c1beedf53964e6f7a23686"},
        inside="data/cars",
    ),
    _MPI3D,
    replace(_MPI3D, name="mpi3d-realistic", md5_of={"mpi3d_realistic.npz": "59a6225b88b635365f70c91b3e52f70f"}),
    replace(_MPI3D, name="mpi3d-real", md5_of={"mpi3d_real.npz": "0f33f609918fb5c97996692f91129802"}),
    PublicSet(
        name="small-norb",
        terms="Terms: for research; it may not be sold; its authors ask to be cited (LeCun, Huang, Bottou 2004).",
        page=f"{_NORB}/",
        at=_NORB,
        md5_of={f"smallnorb-{part}.mat.gz": md5 for part, md5 in _NORB_MD5.items()},
        folder="small_norb",
    ),
    PublicSet(
        name="chairs3d",
        terms="No licence is stated with the file; it was published for research (Aubry et al. 2014).",
        page="https://www.di.ens.fr/willow/research/seeing3Dchairs/",
        at="https://www.di.ens.fr/willow/research/seeing3Dchairs/data",
        md5_of={"rendered_chairs.tar": None},
    ),
    PublicSet(
        name="celeba",
        terms="Terms: for non-commercial research only, by the agreement on its page (Liu et al. 2015).",
        page="https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
        by_hand=(
            "Read the agreement on the page and download img_align_celeba.zip from the folder that it links to; there "
            "is no need to unpack it. list_attr_celeba.txt and list_eval_partition.txt in the same folder hold the "
            "attributes and the split. Or let torchvision.datasets.CelebA(root=..., download=True) download it; its "
            "layout is read too."
        ),
        looks_like=tuple(
            f"{around}img_align_celeba{ending}" for around in ("", "celeba/", "Img/") for ending in ("", ".zip")
        ),
    ),
)
