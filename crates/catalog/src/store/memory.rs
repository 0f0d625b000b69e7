//! The store in memory: for tests, and the reference for what a store does.
