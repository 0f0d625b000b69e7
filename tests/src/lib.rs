//! End-to-end, architecture and client tests; see `tests/` and `e2e/` beside this folder.
