"""The settings that every statement carries, whatever server, profile or default it meets."""

from windlass.domain.blocks import smaller

EVERYWHERE: dict[str, str] = {
    "async_insert": "0",
    "insert_deduplicate": "0",
    # 26.2 and later heed only these two, and have them on by default
    "deduplicate_insert": "disable",
    "deduplicate_insert_select": "disable",
    "deduplicate_blocks_in_dependent_materialized_views": "0",
    "mutations_sync": "2",
    "alter_sync": "2",
    "lightweight_deletes_sync": "2",
    "update_sequential_consistency": "1",
    "apply_patch_parts": "1",
    "final": "0",
    "do_not_merge_across_partitions_select_final": "0",
    "defer_partition_pruning_after_final": "1",
    "optimize_move_to_prewhere_if_final": "0",
    "use_skip_indexes_if_final": "0",
    "apply_deleted_mask": "1",
    "optimize_on_insert": "0",
    "input_format_null_as_default": "0",
    "input_format_defaults_for_omitted_fields": "1",
    "date_time_overflow_behavior": "throw",
    "session_timezone": "",
    "join_use_nulls": "0",
    "transform_null_in": "0",
    "union_default_mode": "ALL",
    "max_execution_time": "0",
    "limit": "0",
    "offset": "0",
    "max_result_rows": "0",
    "max_result_bytes": "0",
    "cancel_http_readonly_queries_on_client_close": "1",
    "use_query_cache": "0",
    "enable_parallel_replicas": "0",
    "allow_experimental_parallel_reading_from_replicas": "0",
    "select_sequential_consistency": "0",
    "prefer_localhost_replica": "1",
    "allow_suspicious_codecs": "1",
    "allow_suspicious_low_cardinality_types": "1",
    "allow_suspicious_variant_types": "1",
}
"""Set on every statement. What a server does not know is left away."""

BEFORE_DEFERRED_PRUNING: dict[str, str] = {"use_partition_pruning": "0"}
"""For servers older than 26.3: pruning before FINAL lets superseded rows of a key show up when
their successor lies in a partition that the filter prunes."""

PRUNED: dict[str, str] = {
    "defer_partition_pruning_after_final": "0",
    "use_partition_pruning": "1",
}
"""For FINAL over a table in which a row and its successor always lie in one partition: what the
filter prunes is not read. Elsewhere every count reads the keys of the whole table."""

LONG_STATEMENT: dict[str, str] = {
    "max_query_size": "268435456",
    "max_ast_elements": "10000000",
    "max_expanded_ast_elements": "10000000",
    "query_plan_max_optimizations_to_apply": "10000000",
}
"""For statements in which many ids stand."""

HEAVY: dict[str, str] = {
    **LONG_STATEMENT,
    "max_bytes_before_external_group_by": "1000000000",
    "max_bytes_before_external_sort": "1000000000",
    "max_bytes_ratio_before_external_group_by": "0",
    "max_bytes_ratio_before_external_sort": "0",
    "join_algorithm": "grace_hash,hash",
    "max_bytes_in_join": "1000000000",
    "max_rows_in_join": "0",
    "grace_hash_join_initial_buckets": "8",
    "max_rows_in_set": "0",
    "max_bytes_in_set": "0",
}
"""For statements over as many rows as a window has, and over the staging of as many windows as a
group has: they spill to disk rather than fail."""

STAGE: dict[str, str] = {
    "max_partitions_per_insert_block": "0",
    "input_format_parallel_parsing": "0",
    "input_format_arrow_allow_missing_columns": "0",
    "input_format_arrow_case_insensitive_column_matching": "0",
    "input_format_skip_unknown_fields": "0",
    "max_insert_block_size": "1048576",
    "min_insert_block_size_rows": "1048576",
    "min_insert_block_size_bytes": "268435456",
}
"""For loading staging: large blocks, over any number of partitions, nothing filled in."""

ONE_BLOCK: dict[str, str] = {
    "max_insert_threads": "1",
    "max_threads_for_insert": "1",
    "max_block_size": "65409",
    "min_insert_block_size_rows": "8000000",
    "min_insert_block_size_bytes": "1073741824",
    "max_insert_block_size": "8000000",
    "max_insert_block_size_bytes": "0",
}
"""For an INSERT into live: one block, so that readers see it whole, up to 1 GiB of rows."""

DROP_OWN: dict[str, str] = {
    "max_table_size_to_drop": "0",
    "max_partition_size_to_drop": "0",
}
"""For tables of our own, whose size nobody has to be asked about."""

PATCH_DELETE: dict[str, str] = {
    **LONG_STATEMENT,
    "lightweight_delete_mode": "lightweight_update_force",
    "enable_lightweight_update": "1",
    "allow_experimental_lightweight_update": "1",
    "update_parallel_mode": "sync",
}
"""For a delete that readers see as one step, and that leaves no mutation behind."""

FROM_NOTHING: dict[str, str] = {"allow_replace_partition_from_empty_source": "1"}
"""For emptying a partition by a REPLACE that names the attempt's table; before 26.6 it does."""

SUBQUERIES_AT_ONCE = "mutations_execute_subqueries_on_initiator"
"""The setting by which a mutation's scalar subqueries are answered when it is taken."""

PLAIN_DELETE: dict[str, str] = {
    **LONG_STATEMENT,
    "lightweight_delete_mode": "alter_update",
    SUBQUERIES_AT_ONCE: "1",
}
"""For a delete by mutation."""

_SIZES = ("max_insert_block_size", "min_insert_block_size_rows", "min_insert_block_size_bytes")


def stage() -> dict[str, str]:
    """STAGE, in smaller blocks where the tenant that is being loaded struggles."""
    return {**STAGE, **{name: str(smaller(int(STAGE[name]))) for name in _SIZES}}
