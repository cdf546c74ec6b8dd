//! The source of a value, the row or another entry, and the tags that the value gets from it.

use super::tagger;
use crate::part::Part;
use crate::setting::Tagging;
use crate::state::{Now, Tags, Value, World};

/// The source from which a reader makes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// The row, without a tag.
    Row,
    /// The row, and a tag that nobody invalidates.
    RowOfOthers,
    /// The row, and the tag that is invalidated.
    RowOfOurs,
    /// The entry below, a hit: its value and its tags at one moment.
    Hit,
    /// A hit of the entry below that hands on its param: a tag from this entry's own moment on.
    HitByParam,
    /// The copy of the entry below, whose read failed, with its tags.
    Copy,
}

/// Returns the reply of the clock.
pub(crate) fn now(world: &World, without: Option<Part>) -> Now {
    let clock = world.index.clock;
    let settled = if without == Some(Part::NestedMoment) { clock } else { tagger::settled(world) };
    Now { clock, settled }
}

/// Returns the sources that `entry` may be computed from. A miss of the entry below counts as the
/// row: this reader's own moment is the earlier of the two.
pub(crate) fn all(world: &World, entry: u8, tagging: Tagging) -> impl Iterator<Item = Source> {
    use Source::{Copy, Hit, HitByParam, Row, RowOfOthers, RowOfOurs};
    let below = entry.checked_sub(1).map(|below| &world.entries[usize::from(below)]);
    let sources: &[Source] = match (below, tagging) {
        (Some(below), Tagging::Inherited) if entry == 1 && below.k.value().is_some() => &[HitByParam],
        (Some(below), _) if below.k.value().is_some() => &[Hit],
        (Some(below), _) if below.s.value().is_some() && world.faults.failed_reads > 0 => &[RowOfOurs, Copy],
        (None, Tagging::Inherited) | (_, Tagging::None) => &[Row],
        (_, Tagging::Ours | Tagging::Inherited) => &[RowOfOurs],
        (_, Tagging::Any) => &[Row, RowOfOthers, RowOfOurs],
    };
    sources.iter().copied()
}

/// Returns the value and its tags. The tags are `None` if they are lost.
pub(crate) fn read(
    world: &World,
    entry: u8,
    from: Source,
    now: Option<Now>,
    without: Option<Part>,
) -> (Value, Option<Tags>) {
    let now = now.unwrap_or(Now { clock: 0, settled: 0 });
    let row = Value::plain(world.row);
    let ours = Tags::Ours { since: now.clock };
    let below = &world.entries[usize::from(entry.saturating_sub(1))];
    let found = match from {
        Source::Row => return (row, Some(Tags::None)),
        Source::RowOfOthers => return (Value { tagged: true, ..row }, Some(Tags::Others)),
        Source::RowOfOurs => return (Value { depends: true, tagged: true, ..row }, Some(ours)),
        Source::HitByParam => {
            let found = below.k.value().unwrap_or(row);
            return (Value { depends: true, tagged: true, ..found }, Some(ours));
        }
        Source::Hit => below.k.value().unwrap_or(row),
        Source::Copy => below.s.value().unwrap_or(row),
    };
    let tags = below.tags_of(found, without).map(|tags| match tags {
        // Older invalidations had finished with the entry before it was found.
        Tags::Ours { since } => Tags::Ours { since: since.max(now.settled) },
        tags => tags,
    });
    (Value { tagged: tags.is_some_and(|tags| tags != Tags::None), ..found }, tags)
}

pub(crate) fn words(before: &World, entry: u8, from: Source, now: Option<Now>, without: Option<Part>) -> String {
    let (value, tags) = read(before, entry, from, now, without);
    let tags = match tags {
        Some(Tags::None) => "no tags".to_owned(),
        Some(tags) => format!("tag {tags}"),
        None => "tags that are lost: it is not to be cached".to_owned(),
    };
    match from {
        Source::Row if now.is_none() => format!("reads v{} from the database", before.row),
        Source::Row | Source::RowOfOthers | Source::RowOfOurs => {
            format!("reads v{} from the database, {tags}", before.row)
        }
        Source::Hit | Source::HitByParam => format!("hits {value} in the entry below, {tags}"),
        Source::Copy => format!("the read below fails: takes its copy, {value}, {tags}"),
    }
}
