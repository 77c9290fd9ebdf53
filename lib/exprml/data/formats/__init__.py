"""File -> AnnData (samples x genes) and back: GCT, GCTX, R data, TSV/CSV, h5ad.

Every reader says where the genes and the samples stand, refuses what contradicts itself, and counts what is
missing.
"""

from exprml.base import lazy

_HOME = {  # module of this folder -> its names
    "gct": "read_gct write_gct",
    "gctx": "gctx_blocks read_gctx read_gctx_metadata write_gctx write_gctx_blocks",
    "h5ad": "read_h5ad",
    "reading": "options_of read",
    "rfile": "rdata_matrix rdata_object read_r_frame read_rdata read_rdata_matrix",
    "sniff": "file_kind",
    "table": "read_table",
}

__getattr__, __dir__ = lazy.names(__name__, _HOME)
