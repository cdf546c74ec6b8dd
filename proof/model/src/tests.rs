use std::num::NonZeroUsize;

use crate::model::{CACHE, CALLERS, END};
use crate::{Found, Part, Setting, check};

/// A limit that no test reaches.
const LIMIT: usize = usize::MAX;

fn run(setting: &Setting, without: Option<Part>) -> Found {
    check(setting, without, NonZeroUsize::MIN, LIMIT).found
}

#[track_caller]
fn holds(name: &str, setting: &Setting) {
    let found = run(setting, None);
    assert!(matches!(found, Found::Holds), "{name}: {found:#?}");
}

/// Asserts that the shortest counterexample ends with `last`; with the part there is none.
#[track_caller]
fn needed(part: Part, broken: &str, last: &str) {
    let setting = part.setting();
    let found = run(&setting, Some(part));
    let Found::Counterexample { breaks, path } = &found else { panic!("{part:?} isn't needed: {found:?}") };
    assert_eq!(*breaks, broken);
    assert!(path.last().is_some_and(|step| step.what.ends_with(last)), "{path:#?}");
    holds(part.lack(), &setting);
}

#[test]
fn the_protocol_holds() {
    for (name, setting) in Setting::small() {
        holds(name, &setting);
    }
}

#[test]
fn without_the_token_check_an_old_claim_fills_a_new_one() {
    needed(Part::TokenCheck, CACHE, "its invalidation returns");
}

#[test]
fn a_token_used_again_lets_a_late_claim_revive_an_old_fill() {
    needed(Part::NewToken, CACHE, "its invalidation returns");
}

#[test]
fn a_lease_key_alone_does_not_see_what_deletes_k() {
    needed(Part::ClaimCheck, CACHE, "its invalidation returns");
}

#[test]
fn a_refresh_without_its_mark_overwrites_what_a_peer_filled() {
    needed(Part::RefreshMark, CACHE, "stored");
}

#[test]
fn a_follower_that_takes_any_value_gets_a_refused_one() {
    needed(Part::FollowerRule, CALLERS, "its flight lands");
}

#[test]
fn a_flight_that_is_open_during_its_fill_gives_an_old_value_to_a_late_follower() {
    needed(Part::CloseFirst, CALLERS, "its flight lands");
}

#[test]
fn a_copy_written_although_it_is_gone_survives_a_peers_invalidation() {
    needed(Part::CopyCheck, CACHE, "its invalidation returns");
}

#[test]
fn a_copy_by_another_name_is_missed_by_every_scan() {
    needed(Part::CopyName, CACHE, "its invalidation returns");
}

#[test]
fn without_an_epoch_a_fill_registers_when_its_invalidation_is_over() {
    needed(Part::Epoch, CACHE, "stored");
}

#[test]
fn an_epoch_looked_at_too_early_misses_an_invalidation() {
    needed(Part::EpochLast, CACHE, "stored");
}

#[test]
fn an_epoch_forgotten_early_lets_an_old_fill_pass() {
    needed(Part::EpochKept, CACHE, "stored");
}

#[test]
fn a_fill_before_its_tags_are_tracked_is_not_listed() {
    needed(Part::TrackFirst, CACHE, "its invalidation returns");
}

#[test]
fn a_prune_that_compares_no_scores_forgets_a_later_fill() {
    needed(Part::PruneScores, CACHE, "its invalidation returns");
}

#[test]
fn a_drop_that_does_not_look_at_the_lease_lets_a_refresh_finish() {
    needed(Part::DropLease, CACHE, "stored");
}

#[test]
fn a_drop_that_leaves_the_copy_of_what_stays_leaves_an_older_value() {
    needed(Part::DropCopy, CACHE, "its invalidation returns");
}

#[test]
fn tags_of_the_value_before_hide_those_of_a_refill() {
    needed(Part::TagsReplaced, CACHE, "its invalidation returns");
}

#[test]
fn tags_that_are_lost_unnoticed_protect_a_value() {
    needed(Part::TagMark, CACHE, "its invalidation returns");
}

#[test]
fn what_is_made_of_a_copy_gets_the_tags_of_a_later_value() {
    needed(Part::CopyTags, CACHE, "its invalidation returns");
}

#[test]
fn what_is_made_of_a_hit_is_as_old_as_the_hit() {
    needed(Part::NestedMoment, CACHE, "its invalidation returns");
}

#[test]
fn a_drop_that_asks_the_index_before_its_scan_misses_what_is_made_in_between() {
    needed(Part::DropOrder, CACHE, "stored");
}

#[test]
fn a_tag_without_an_index_and_without_a_bucket_leaves_no_trace() {
    needed(Part::BucketWritten, CACHE, "stored");
}

#[test]
fn an_index_asked_before_the_bucket_is_written_misses_a_fill_in_between() {
    needed(Part::BucketFirst, CACHE, "its invalidation returns");
}

#[test]
fn a_bucket_looked_at_before_the_index_was_written_misses_an_invalidation() {
    needed(Part::BucketLast, CACHE, "stored");
}

#[test]
fn a_late_command_that_sets_a_bucket_back_lets_an_old_fill_pass() {
    needed(Part::BucketNewest, CACHE, "stored");
}

#[test]
fn a_bucket_forgotten_early_lets_an_old_fill_pass() {
    needed(Part::BucketKept, CACHE, "stored");
}

#[test]
fn an_invalidation_before_the_change_is_visible_is_too_early() {
    needed(Part::VisibilityWait, CACHE, "stored");
}

#[test]
fn a_position_before_the_invalidation_promises_too_much() {
    needed(Part::PositionLast, CACHE, "stored");
}

#[test]
fn a_start_after_the_newest_event_skips_what_a_crash_left() {
    needed(Part::PositionResumed, CACHE, "stored");
}

#[test]
fn a_position_outside_the_cache_stays_when_redis_goes_back() {
    needed(Part::PositionInside, CACHE, "stored");
}

#[test]
fn a_position_that_is_not_compared_hides_that_redis_went_back() {
    needed(Part::PositionCompared, CACHE, "stored");
}

#[test]
fn a_position_looked_at_only_with_events_leaves_what_came_back() {
    needed(Part::PositionLooked, END, "not ours any more");
}

#[test]
fn a_position_written_again_alone_passes_an_invalidation_that_is_undone() {
    needed(Part::BatchAgain, CACHE, "stored");
}

#[test]
fn one_position_alone_hides_that_another_primary_went_back() {
    needed(Part::PrimaryCopies, CACHE, "stored");
}

#[test]
fn an_entry_that_came_back_on_a_primary_is_in_no_index_on_another() {
    needed(Part::PrimaryRemoval, CACHE, "stored");
}

#[test]
fn a_claim_left_by_the_removal_fills_what_no_index_has() {
    needed(Part::PrimaryClaims, CACHE, "stored");
}

#[test]
fn a_fill_on_another_connection_may_have_lost_its_registration() {
    needed(Part::FillConnection, CACHE, "stored");
}

#[test]
fn a_scheme_registered_with_the_fill_is_unknown_to_the_follower() {
    needed(Part::SchemeFirst, CACHE, "stored");
}

#[test]
fn a_process_that_only_remembers_its_registration_fills_what_nobody_knows() {
    needed(Part::SchemeThere, CACHE, "stored");
}

#[test]
fn a_scheme_that_another_process_registers_anew_hides_that_it_was_lost() {
    needed(Part::SchemeMoment, CACHE, "stored");
}

#[test]
fn a_registry_read_before_the_change_is_visible_lacks_a_scheme() {
    needed(Part::SchemesLast, CACHE, "stored");
}

#[test]
fn a_registration_that_ends_before_its_entries_leaves_them() {
    needed(Part::SchemeKept, CACHE, "stored");
}

#[test]
fn two_followers_of_the_binlog_need_no_comparison_unless_redis_goes_back() {
    let setting = Setting { processes: 2, ..Part::VisibilityWait.setting() };
    for part in [None, Some(Part::PositionCompared)] {
        let found = run(&setting, part);
        assert!(matches!(found, Found::Holds), "{part:?}: {found:#?}");
    }
}

#[test]
fn an_index_beside_a_bucket_needs_no_epoch() {
    let setting = Setting { other_writes: vec![1], ..Part::BucketWritten.setting() };
    let found = run(&setting, Some(Part::Epoch));
    assert!(matches!(found, Found::Holds), "{found:#?}");
}

#[test]
fn a_claim_that_is_executed_twice_is_more_than_the_protocol_bears() {
    for (name, setting) in Setting::beyond() {
        let found = run(&setting, None);
        assert!(matches!(found, Found::Counterexample { breaks: CACHE, .. }), "{name}: {found:?}");
    }
}

#[test]
fn a_setting_in_which_nothing_is_refused_says_nothing() {
    let found = run(&Setting { readers: 1, ..Setting::default() }, None);
    assert!(matches!(found, Found::Never("a fill is refused")), "{found:?}");
}
