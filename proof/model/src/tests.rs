use std::num::NonZeroUsize;

use clap::ValueEnum;

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

const STORED: &str = "stored";
const RETURNS: &str = "its invalidation returns";
const LANDS: &str = "its flight lands";

/// A part, what breaks without it, how the shortest counterexample ends, and the reason.
type Needed = (Part, &'static str, &'static str, &'static str);

const NEEDED: [Needed; 41] = [
    (Part::TokenCheck, CACHE, RETURNS, "without the token check an old claim fills a new one"),
    (Part::NewToken, CACHE, RETURNS, "a token used again lets a late claim revive an old fill"),
    (Part::ClaimCheck, CACHE, RETURNS, "a lease key alone does not see what deletes K"),
    (Part::RefreshMark, CACHE, STORED, "a refresh without its mark overwrites what a peer filled"),
    (Part::FollowerRule, CALLERS, LANDS, "a follower that takes any value gets a refused one"),
    (Part::CloseFirst, CALLERS, LANDS, "a flight that is open during its fill gives an old value to a late follower"),
    (Part::CopyCheck, CACHE, RETURNS, "a copy written although it is gone survives a peer's invalidation"),
    (Part::CopyName, CACHE, RETURNS, "a copy by another name is missed by every scan"),
    (Part::Epoch, CACHE, STORED, "without an epoch a fill registers when its invalidation is over"),
    (Part::EpochLast, CACHE, STORED, "an epoch looked at too early misses an invalidation"),
    (Part::EpochKept, CACHE, STORED, "an epoch forgotten early lets an old fill pass"),
    (Part::TrackFirst, CACHE, RETURNS, "a fill before its tags are tracked is not listed"),
    (Part::PruneScores, CACHE, RETURNS, "a prune that compares no scores forgets a later fill"),
    (Part::DropLease, CACHE, STORED, "a drop that does not look at the lease lets a refresh finish"),
    (Part::DropCopy, CACHE, RETURNS, "a drop that leaves the copy of what stays leaves an older value"),
    (Part::TagsReplaced, CACHE, RETURNS, "tags of the value before hide those of a refill"),
    (Part::TagMark, CACHE, RETURNS, "tags that are lost unnoticed protect a value"),
    (Part::CopyTags, CACHE, RETURNS, "what is made of a copy gets the tags of a later value"),
    (Part::NestedMoment, CACHE, RETURNS, "what is made of a hit is as old as the hit"),
    (Part::DropOrder, CACHE, STORED, "a drop that asks the index before its scan misses what is made in between"),
    (Part::BucketWritten, CACHE, STORED, "a tag without an index and without a bucket leaves no trace"),
    (Part::BucketFirst, CACHE, RETURNS, "an index asked before the bucket is written misses a fill in between"),
    (Part::BucketLast, CACHE, STORED, "a bucket looked at before the index was written misses an invalidation"),
    (Part::BucketNewest, CACHE, STORED, "a late command that sets a bucket back lets an old fill pass"),
    (Part::BucketKept, CACHE, STORED, "a bucket forgotten early lets an old fill pass"),
    (Part::VisibilityWait, CACHE, STORED, "an invalidation before the change is visible is too early"),
    (Part::PositionLast, CACHE, STORED, "a position before the invalidation promises too much"),
    (Part::PositionResumed, CACHE, STORED, "a start after the newest event skips what a crash left"),
    (Part::PositionInside, CACHE, STORED, "a position outside the cache stays when Redis goes back"),
    (Part::PositionCompared, CACHE, STORED, "a position that is not compared hides that Redis went back"),
    (Part::PositionLooked, END, "not ours any more", "a position looked at only with events leaves what came back"),
    (Part::BatchAgain, CACHE, STORED, "a position written again alone passes an invalidation that is undone"),
    (Part::PrimaryCopies, CACHE, STORED, "one position alone hides that another primary went back"),
    (Part::PrimaryRemoval, CACHE, STORED, "an entry that came back on a primary is in no index on another"),
    (Part::PrimaryClaims, CACHE, STORED, "a claim left by the removal fills what no index has"),
    (Part::FillConnection, CACHE, STORED, "a fill on another connection may have lost its registration"),
    (Part::SchemeFirst, CACHE, STORED, "a scheme registered with the fill is unknown to the follower"),
    (Part::SchemeThere, CACHE, STORED, "a process that only remembers its registration fills what nobody knows"),
    (Part::SchemeMoment, CACHE, STORED, "a scheme that another process registers anew hides that it was lost"),
    (Part::SchemesLast, CACHE, STORED, "a registry read before the change is visible lacks a scheme"),
    (Part::SchemeKept, CACHE, STORED, "a registration that ends before its entries leaves them"),
];

#[test]
fn every_part_is_needed() {
    assert_eq!(NEEDED.map(|(part, ..)| part), Part::value_variants());
    let needed = |(part, broken, last, why): &Needed| {
        let setting = part.setting();
        let found = run(&setting, Some(*part));
        let Found::Counterexample { breaks, path } = &found else { panic!("{part:?}, {why}: not needed: {found:?}") };
        assert_eq!(breaks, broken, "{part:?}, {why}");
        assert!(path.last().is_some_and(|step| step.what.ends_with(last)), "{part:?}, {why}: {path:#?}");
        holds(part.lack(), &setting);
    };
    std::thread::scope(|scope| {
        for half in 0..2 {
            scope.spawn(move || NEEDED.iter().skip(half).step_by(2).for_each(needed));
        }
    });
}

#[test]
fn the_protocol_holds() {
    for (name, setting) in Setting::small() {
        holds(name, &setting);
    }
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
