//! Functions of StarRocks that are refused by name, with the reason.

const NOT_YET: &[&str] = &[
    "to_bitmap",
    "bitmap_hash",
    "bitmap_hash64",
    "bitmap_empty",
    "bitmap_from_string",
    "bitmap_to_string",
    "bitmap_and",
    "bitmap_or",
    "bitmap_xor",
    "bitmap_andnot",
    "bitmap_contains",
    "bitmap_has_any",
    "bitmap_count",
    "hll_hash",
    "hll_empty",
    "hll_cardinality",
    "percentile_hash",
    "percentile_empty",
    "aes_encrypt",
    "aes_decrypt",
    "map_from_arrays",
    "map_concat",
    "map_filter",
    "map_apply",
    "named_struct",
    "array_map",
    "array_filter",
    "array_sortby",
    "any_match",
    "all_match",
    "transform",
    "ngram_search",
    "st_point",
    "st_x",
    "st_y",
    "encode_sort_key",
    "is_ipv4",
    "inet_aton",
];

const AGGREGATES: &[&str] = &[
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "any_value",
    "group_concat",
    "array_agg",
    "bitmap_union",
    "hll_union",
    "ndv",
    "approx_count_distinct",
    "stddev",
    "std",
    "stddev_samp",
    "stddev_pop",
    "variance",
    "var_samp",
    "var_pop",
    "percentile_approx",
    "percentile_cont",
    "max_by",
    "min_by",
    "row_number",
    "rank",
    "dense_rank",
    "lag",
    "lead",
    "first_value",
    "last_value",
    "ntile",
    "bool_or",
    "bool_and",
];

/// Why a function is refused that StarRocks has; `None` for others.
pub(crate) fn refusal(name: &str) -> Option<String> {
    if NOT_YET.contains(&name) {
        Some(format!("function `{name}` is not supported yet"))
    } else if AGGREGATES.contains(&name) {
        Some(format!("`{name}` needs several rows, an expression has one"))
    } else {
        None
    }
}
