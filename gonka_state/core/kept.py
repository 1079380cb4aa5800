"""What is never deleted on a host: it cannot be had again."""

from __future__ import annotations

from pathlib import PurePosixPath

SIGNER = ".tmkms"
"""The consensus key, and what was signed with it: a file put in its place could sign a block twice."""
DATA = (".inference", SIGNER, ".dapi")
"""The chain's data and the keys, the signer, the node database: directories of a compose project."""
NEVER_DELETED = "lies in .inference, .tmkms or .dapi, of which nothing is ever deleted"
NEVER_WRITTEN = "lies in .tmkms, into which nothing is ever written: what was signed is the signer's to keep"


def is_data(path: str) -> bool:
    """Whether a path is, or lies in, what is never deleted; `..` leads nowhere else."""
    return not set(DATA).isdisjoint(PurePosixPath(path).parts)


def is_signers(path: str) -> bool:
    """Whether a path is, or lies in, the signer's directory."""
    return SIGNER in PurePosixPath(path).parts
