//! Parts that the protocol may lack, and scripts without them. The checker must find each lack.

use clap::ValueEnum as _;

use crate::Res;
use crate::record::Count;

/// The scripts of the product. A weakened store runs them, less one part.
macro_rules! lua {
    ($($name:literal),*) => {
        concat!($(include_str!(concat!("../../../crates/mrc-store/src/redis/lua/", $name, ".lua"))),*)
    };
}

const CLAIM: &str = lua!("look", "claim", "claim_one");
const FILL: &str = lua!("look", "fill", "fill_one");
const FILL_MANY: &str = lua!("look", "fill", "fill_many");
const FILL_TAGGED: &str =
    lua!("look", "track", "registry", "registered", "track_entry", "release", "fill", "fill_tagged");
const RELEASE: &str = lua!("look", "release", "release_one");
const TRACK: &str = lua!("look", "track", "track_tags");
const DROP: &str = lua!("look", "drop_tagged");
pub(crate) const TICK: &str = lua!("look", "clock", "tick");
pub(crate) const BUMP: &str = lua!("look", "clock", "bump");
pub(crate) const PRUNE: &str = lua!("prune");

/// The test for a refresh in `fill`.
const MARKED: &str =
    "  if n > 0 and not (redis.call('GETRANGE', key, -1, -1) == ' ' and holds(key)) then return 0 end\n";

/// A part that the protocol lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
pub(crate) enum Lack {
    /// All of it: every claim is granted without asking, and a fill is a plain SET
    #[value(hide = true)]
    Everything,
    /// `fill` stores only while the lease holds the token of its claim
    TokenCheck,
    /// A claim has a token that was never used before. Without it a process has one for all claims
    NewToken,
    /// `fill` stores only if the key still exists. Without it the lease alone counts
    ClaimCheck,
    /// A refresh marks the value that it will replace with a space, and `fill` replaces no other
    RefreshMark,
    /// A follower takes a value only if its fill was accepted, or its read began after the join
    FollowerRule,
    /// A flight takes no more followers once its fill is sent
    CloseFirst,
    /// The name of a copy contains its key, so a search for the key finds the copy
    CopyName,
    /// An index remembers when its tag was invalidated, and refuses a fill from before
    Epoch,
    /// A key is registered under its tags before it is filled
    IndexFirst,
    /// An invalidation ends a fill in flight, even if the entry so far lacks the tag
    LeaseRule,
    /// A batch claims its entries. Without it the fills of a batch are plain SETs
    BatchClaim,
    /// An inherited tag counts from the inner entry's claim. Without it, from the outer one's
    NestedMoment,
    /// With --follow: the follower invalidates only after readers can see the commit
    Visibility,
    /// With --follow: the follower stores its position only after the invalidation
    Order,
    /// With --follow, on a server that doesn't log cascades: the follower invalidates everything of
    /// a table whose rows a foreign key may have changed
    Cascades,
    /// With --follow --auto: the follower reads the registry again after readers can see the commit
    Schemes,
}

impl Lack {
    /// Returns each part, and before them `None`: the whole protocol.
    pub(crate) fn with_none() -> impl Iterator<Item = Option<Self>> {
        std::iter::once(None).chain(Self::value_variants().iter().copied().map(Some))
    }

    /// Returns whether it is a part of the follower, of which the store knows nothing.
    pub(crate) fn is_of_follower(self) -> bool {
        matches!(self, Self::Visibility | Self::Order | Self::Cascades | Self::Schemes)
    }

    /// Returns the name of a run without this part.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Everything => "naive: a plain SET, as the peers do",
            Self::TokenCheck => "no token check in fill",
            Self::NewToken => "a token used again",
            Self::ClaimCheck => "no look at the key in fill: a lease alone",
            Self::RefreshMark => "no trailing space in a refresh",
            Self::FollowerRule => "followers that take any value",
            Self::CloseFirst => "followers until the flight has landed",
            Self::CopyName => "a copy whose name lacks its key",
            Self::Epoch => "an index that forgets its invalidation",
            Self::IndexFirst => "a fill before its registration",
            Self::LeaseRule => "fills in flight that outlive an invalidation of their tag",
            Self::BatchClaim => "batches that don't claim",
            Self::NestedMoment => "inherited tags that count from the outer claim",
            Self::Visibility => "a follower that doesn't wait until readers see the commit",
            Self::Order => "a follower that stores its position before it invalidates",
            Self::Cascades => "a follower that ignores tables without rows",
            Self::Schemes => "a follower that knows only the schemes of earlier changes",
        }
    }
}

/// The scripts that a part of the protocol can be missing in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scripts {
    pub(crate) claim: String,
    pub(crate) fill: String,
    pub(crate) track: String,
    pub(crate) drop: String,
}

impl Scripts {
    /// Returns the product's scripts without this part.
    pub(crate) fn without(lack: Option<Lack>) -> Res<Self> {
        let (mut claim, mut fill, mut track, mut drop): (&[&str], &[&str], &[&str], &[&str]) = Default::default();
        match lack {
            Some(Lack::TokenCheck) => fill = &["  if look('GET', lease) ~= token then return 0 end\n"],
            Some(Lack::ClaimCheck) => {
                fill = &["  if n == 0 and redis.call('EXISTS', key) == 0 then return 0 end\n", MARKED];
            }
            Some(Lack::RefreshMark) => {
                claim = &["\n  elseif v:byte(-1) ~= 32 then redis.call('APPEND', key, ' ')"];
                fill = &[MARKED];
            }
            Some(Lack::Epoch) => track = &["invalidated <= since and "],
            Some(Lack::LeaseRule) => {
                drop = &["leased, ", "redis.call('EXISTS', lease) == 1, ", "not leased and ", "leased or "];
            }
            _ => {}
        }
        Ok(Self {
            claim: less(CLAIM, claim)?,
            fill: less(FILL, fill)?,
            track: less(TRACK, track)?,
            drop: less(DROP, drop)?,
        })
    }
}

/// Returns the script without these parts, wherever they occur.
fn less(script: &str, parts: &[&str]) -> Res<String> {
    parts.iter().try_fold(script.to_owned(), |script, part| {
        if script.contains(part) {
            Ok(script.replace(part, ""))
        } else {
            Err(format!("the product's script has changed: it must hold {part:?}").into())
        }
    })
}

/// Returns the scripts that may run twice, weakened ones too. Claims are not among them: the
/// protocol doesn't bear a claim that runs twice with one token.
pub(crate) fn repeatable() -> Res<Vec<(String, Count)>> {
    let mut all = vec![
        (FILL_MANY.to_owned(), Count::BatchFillDoubled),
        (FILL_TAGGED.to_owned(), Count::TaggedFillDoubled),
        (RELEASE.to_owned(), Count::ReleaseDoubled),
        (TICK.to_owned(), Count::TickDoubled),
        (BUMP.to_owned(), Count::BumpDoubled),
        (PRUNE.to_owned(), Count::PruneDoubled),
    ];
    for lack in Lack::with_none() {
        let Scripts { fill, track, drop, .. } = Scripts::without(lack)?;
        all.extend([(fill, Count::FillDoubled), (track, Count::TrackDoubled), (drop, Count::DropDoubled)]);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_weakened_script_is_the_product_less_a_part() {
        for lack in Lack::with_none().flatten() {
            let Scripts { claim, fill, track, drop } = Scripts::without(Some(lack)).unwrap();
            let changed = [claim != CLAIM, fill != FILL, track != TRACK, drop != DROP];
            let expected = match lack {
                Lack::TokenCheck | Lack::ClaimCheck => [false, true, false, false],
                Lack::RefreshMark => [true, true, false, false],
                Lack::Epoch => [false, false, true, false],
                Lack::LeaseRule => [false, false, false, true],
                _ => [false; 4],
            };
            assert_eq!(changed, expected, "{lack:?}");
            assert!(!drop.contains("leased") || lack != Lack::LeaseRule);
        }
        assert!(less(FILL, &["not in it"]).is_err());
    }
}
