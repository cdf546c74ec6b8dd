//! What the follower with the lease does: stream, wait until readers see, invalidate, store the
//! position. In this order, whatever fails.

use std::time::Duration;

use mrc_core::{Event, EventListener};
use mrc_store::{Advance, StoreError, Token};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::batch::Batch;
use super::reader::Reader;
use super::{Follower, Inner, QUESTION, Start};
use crate::apply::{Applied, apply};
use crate::lease::{HeldLease, books};
use crate::rules::{Effects, Reason, Rules, Server};
use crate::source::{Session, SourceError, Stream, Upto};
use crate::transaction::Assembler;
use crate::{FollowError, Position, event::Flavor};

/// How often the position is confirmed while nothing happens: a cache that went back is noticed
/// after that.
const CONFIRM: Duration = Duration::from_secs(1);
/// The first pause after a failure, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// How long one question for visibility waits. It is asked until readers see the commit.
const VISIBLE: Duration = Duration::from_secs(1);

/// How leading ended, if not by an error.
pub(super) enum LeadEnd {
    Done,
    LeaseLost,
}

/// Why a stream is opened again.
enum Again {
    Source(SourceError),
    /// The cache has another position than was written last.
    Rewound(Option<String>),
    Failed(FollowError),
}
