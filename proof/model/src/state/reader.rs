//! A process that reads through the cache, and callers of the first one that follow its flight.

use crate::state::{Floor, Moment, Tags, Value};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Reader {
    /// The entry that it reads, by number.
    pub(crate) entry: u8,
    pub(crate) calls_left: u8,
    /// Whether it keeps copies: its claims and fills name S, and a failed read looks there.
    pub(crate) copies: bool,
    /// The number of claims that it has sent.
    pub(crate) claims: u8,
    /// The number of the claim whose token it uses: the last one, unless a token is used again.
    pub(crate) token: u8,
    /// Whether its process has registered the scheme, as far as it remembers.
    pub(crate) registered: bool,
    /// The reply of the clock, asked beside the claim and before any read.
    pub(crate) now: Option<Now>,
    pub(crate) step: Step,
}

/// The steps of a call, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// Nothing was called, or the call has ended.
    Idle,
    /// The claim was sent.
    Claiming { refresh: bool },
    /// Another reader is filling.
    Waiting,
    /// The claim was granted.
    Granted { refresh: bool },
    /// The database was read.
    Holding { made: Made, refresh: bool },
    /// The tag is being tracked. The fill follows.
    Tracking { made: Made, refresh: bool },
    /// The other half of the track was sent.
    Admitting { made: Made, refresh: bool },
    /// The fill was sent.
    Filling { made: Made, refresh: bool },
    /// The fill was answered, or the reply didn't come in time.
    Filled { value: Value, refresh: bool, outcome: Outcome },
    /// The read failed.
    Failed,
    /// It died.
    Crashed,
}

/// How a fill ended, as far as its sender knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    Accepted,
    Refused,
    /// The tag was invalidated since, or a tag in its bucket; or its scheme wasn't registered.
    TooLate,
    Unknown,
}

/// A value that a reader has made, to be filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Made {
    pub(crate) value: Value,
    pub(crate) tags: Tags,
}

/// The reply of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Now {
    pub(crate) clock: Moment,
    /// The moment up to which every invalidation has ended: `clock` less the longest invalidation.
    pub(crate) settled: Moment,
}

impl Reader {
    pub(crate) fn new(entry: u8, calls: u8, copies: bool) -> Self {
        Self { entry, calls_left: calls, copies, claims: 0, token: 0, registered: false, now: None, step: Step::Idle }
    }

    pub(crate) fn ended(&self) -> bool {
        self.step == Step::Crashed || (self.step == Step::Idle && self.calls_left == 0)
    }
}

/// A caller that may follow. With no flight to follow it would lead, which readers do already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Follower {
    /// It hasn't called.
    Idle,
    /// `early`: it joined before the last read began. `floor`: the world's, when its call began.
    Following { early: bool, floor: Floor },
    /// It took the flight's value.
    Took,
    /// The value wasn't for it. It tries again by itself.
    Alone,
}
