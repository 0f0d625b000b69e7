//! What every store promises, and what the catalog promises on every store: one suite, run on each.
//!
//! A claim takes an empty store and panics if the claim does not hold.

pub(crate) mod commits;
pub(crate) mod faults;
pub(crate) mod jobs;
pub(crate) mod layouts;
pub(crate) mod names;
pub(crate) mod operations;
pub(crate) mod rejections;
pub(crate) mod removals;
pub(crate) mod sample;

/// A test for each claim of the suite on the store that `$open` gives.
macro_rules! run_suite {
    ($open:path) => {
        $crate::suite::run_suite! { $open =>
            operations: {
                absent_item_is_none
                put_item_is_read_back_whole
                second_put_if_absent_fails_and_shows_the_first
                equality_with_an_absent_item_fails_and_shows_none
                equality_compares_every_attribute
                equality_without_attributes_asks_for_existence
                put_replaces_the_whole_item
                delete_obeys_its_condition
                delete_of_absent_item_is_done
                check_outside_a_transaction_is_refused
                query_is_ascending_and_keeps_to_its_prefix
                query_without_prefix_finds_all_of_the_partition_key
                query_of_many_megabytes_is_complete
                transaction_of_hundred_writes_takes_place
                failed_condition_undoes_the_transaction_and_is_named
                check_holds_back_a_transaction_and_writes_nothing
                check_without_condition_holds
                item_of_380_kilobytes_is_stored
                repeated_token_with_same_writes_is_done_and_does_nothing
                repeated_token_with_other_writes_is_refused
                transaction_out_of_bounds_is_refused
                of_racing_creators_one_wins
                racing_increments_lose_none
            }
            names: {
                ids_begin_at_10001_and_never_repeat
                of_racing_creators_of_a_database_one_wins
                databases_are_listed_by_name_and_case_counts
                database_is_kept_as_created
                dropped_database_comes_back_under_another_id
                of_racing_creators_of_a_table_one_wins
                table_is_found_by_name_and_by_id
                tables_are_listed_by_name_within_their_database
                dropped_table_is_gone_and_comes_back_under_another_id
                names_may_hold_separators
                first_volume_becomes_the_default_and_stays_it
                volume_is_replaced_under_its_name
                item_of_a_newer_format_asks_for_an_upgrade
                damaged_item_is_named
            }
            jobs: {
                new_job_waits_to_be_scheduled
                of_racing_creators_of_a_job_one_wins
                name_is_free_again_after_stop_and_history_stays
                jobs_of_a_table_are_its_live_ones
                state_events_set_times_and_reasons
                illegal_event_changes_nothing
                event_of_a_missing_job_is_missing
                scheduled_again_writes_nothing
                events_raise_every_fence
                half_done_pause_is_completed_by_repeating
                lost_replies_change_a_job_once
                cancel_frees_the_name_and_keeps_the_reason
                report_schedules_the_job_and_begins_progress
                report_keeps_progress_and_never_goes_back
                report_of_a_paused_job_leaves_it_paused
                report_begins_more_source_partitions_than_a_transaction_holds
                failures_count_and_resume_forgets_the_last
                last_three_error_files_are_kept
                racing_failures_all_count
                window_begins_once
                mapping_is_remembered
                new_version_raises_fences_and_leaves_the_old
                new_version_needs_a_live_job
                alter_moves_a_running_job_and_says_where_each_version_began
                batch_in_flight_loses_against_alter
                alter_of_very_many_source_partitions_needs_a_pause_and_survives_a_crash
                new_version_of_an_old_one_is_contended
                new_version_repeated_is_one_version
            }
            commits: {
                commit_shows_files_and_moves_progress
                commits_are_listed_by_id_of_their_table_only
                repeated_commit_happens_once
                lost_reply_to_a_commit_is_made_up_for
                repeated_commit_is_known_after_its_token_is_forgotten
                commit_from_stale_progress_conflicts_and_shows_what_is_stored
                of_racing_first_commits_one_wins
                pause_refuses_the_batch_in_flight
                pause_refuses_the_first_batch_in_flight
                progress_younger_than_the_job_conflicts
                commit_moves_97_source_partitions_and_no_more
                commit_loses_statistics_rather_than_fail
                commit_without_files_moves_progress
                racing_loaders_and_pauses_commit_every_offset_once
            }
            removals: {
                removed_files_are_not_seen_and_later_ones_are
                removal_of_some_files_leaves_the_others
                removal_from_a_dropped_table_says_so
                files_of_a_dropped_partition_are_not_seen
                of_racing_changes_of_a_table_one_wins
            }
            layouts: {
                fold_changes_nothing_that_readers_see
                merged_files_take_the_place_of_others
                of_two_folds_of_one_state_one_wins
                commit_behind_the_state_is_not_folded
                removal_and_fold_know_of_each_other
                sweep_deletes_after_grace_and_readers_see_the_same
                coverage_survives_folds_and_names_what_is_missing
                edited_count_is_named
                rejected_rows_survive_folds
                damaged_or_missing_manifest_is_named
                lost_reply_to_a_fold_shows_every_row_once
                dropped_table_is_cleared
                racing_folds_loads_and_readers_see_every_row_once
            }
            rejections: {
                rejected_rows_of_a_job_are_found_without_its_other_commits
                replay_takes_the_place_of_what_it_names
                of_two_replays_of_one_snapshot_one_wins
                changed_job_voids_a_replay
                batch_does_not_void_a_replay
                lost_reply_to_a_replay_is_made_up_for
                repeated_replay_is_known_after_its_token_is_forgotten
                replaced_error_files_are_forgotten
            }
        }
    };
    ($open:path => $($module:ident : { $($claim:ident)* })*) => {
        $(mod $module {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $claim() {
                crate::suite::$module::$claim($open().await).await;
            })*
        })*
    };
}
pub(crate) use run_suite;
