"""File -> AnnData (samples x genes) and back: GCT, GCTX, R data, TSV/CSV, h5ad.

Every reader says where the genes and the samples stand, refuses what contradicts itself, and counts what is
missing.
"""

from exprml.base import lazy

_HOME = {
    "file_kind": "sniff",
    "gctx_blocks": "gctx",
    "options_of": "reading",
    "rdata_matrix": "rfile",
    "rdata_object": "rfile",
    "read": "reading",
    "read_gct": "gct",
    "read_gctx": "gctx",
    "read_gctx_metadata": "gctx",
    "read_h5ad": "h5ad",
    "read_r_frame": "rfile",
    "read_rdata": "rfile",
    "read_rdata_matrix": "rfile",
    "read_table": "table",
    "write_gct": "gct",
    "write_gctx": "gctx",
    "write_gctx_blocks": "gctx",
}  # name -> module of this folder

__getattr__, __dir__ = lazy.names(__name__, _HOME)
