"""A worker that turns in place for ever: whoever reads WORD does.

    lb = tinylb(backends=[o.url], env=spin.env())

spin.so is preloaded into the program. It is built beside it by `make check` and `make check-process`.
"""

import os

from . import tinylb

WORD = "SPIN-HERE"


def library():
    return os.path.join(os.path.dirname(tinylb.binary()), "tests", "lib", "spin.so")


def missing():
    """Why it cannot be had here; None where it can."""
    if tinylb.has_address_sanitizer():
        return "AddressSanitizer wants to be loaded first"
    if not os.path.exists(library()):
        return f"there is no {library()}: `make check-process` builds it"
    return None


def env():
    """For the program's environment."""
    return {"LD_PRELOAD": library()}
