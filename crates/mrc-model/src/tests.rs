use std::num::NonZeroUsize;
use std::time::Duration;

use crate::model::{CACHE, CALLERS};
use crate::{Found, Part, Setting, check};

/// No limit that a test could meet.
const LIMIT: Duration = Duration::from_secs(3600);

fn run(setting: &Setting, without: Option<Part>) -> Found {
    check(setting, without, NonZeroUsize::MIN, LIMIT).found
}

#[track_caller]
fn holds(name: &str, setting: &Setting) {
    let found = run(setting, None);
    assert!(matches!(found, Found::Holds), "{name}: {found:#?}");
}

/// Without the part, the shortest counterexample ends with `last`; with it, the same setting has none.
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
    needed(Part::TokenCheck, CACHE, "stored");
}

#[test]
fn a_token_used_again_lets_a_late_claim_revive_an_old_fill() {
    needed(Part::NewToken, CACHE, "stored");
}

#[test]
fn a_lease_key_alone_does_not_see_what_deletes_k() {
    needed(Part::ClaimCheck, CACHE, "stored");
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
