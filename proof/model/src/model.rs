//! The model for stateright: how a run begins, what can happen, and what must hold.

use stateright::{Model, Property};

use crate::action::Action;
use crate::part::Part;
use crate::setting::Setting;
use crate::state::{Follower, Outcome, Step, World};

/// The invariant, in the cache.
pub(crate) const CACHE: &str = "no value read before a returned invalidation began is in the cache";
/// The invariant, for callers.
pub(crate) const CALLERS: &str = "no caller that began after an invalidation returned is handed an older value";
/// No call hangs.
pub(crate) const END: &str = "every call and every invalidation ends";

const ACCEPTED: &str = "a fill is accepted";
const REFUSED: &str = "a fill is refused";
const FOLLOWED: &str = "a follower takes a value";
const REFRESHED: &str = "a refresh succeeds";
const COPIED: &str = "a fill writes its copy";
const TOO_LATE: &str = "a tag was invalidated before it was tracked";
const NESTED: &str = "what is made of another entry is stored";
const COLLIDED: &str = "a fill is refused for another tag in its bucket";
const WENT_BACK: &str = "a follower of the binlog is ahead of the position";
const STALE: &str = "a read fails while there is a copy";

/// The protocol, or the rest of it without a part, in one setting.
#[derive(Debug, Clone)]
pub(crate) struct Protocol {
    pub(crate) setting: Setting,
    pub(crate) without: Option<Part>,
}

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        World::beginnings(&self.setting)
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        Action::possible(world, &self.setting, self.without, actions);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut world = world.clone();
        action.happen(&mut world, self.without);
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(CACHE, |_, world: &World| {
                let mut keys = world.entries.iter().flat_map(|entry| [entry.k, entry.s]);
                keys.all(|key| key.value().is_none_or(|value| world.floor.allows(value)))
            }),
            Property::always(CALLERS, |_, world: &World| !world.stale_answer),
            Property::eventually(END, |_, world: &World| world.all_ended()),
            // The following properties show that the model isn't empty.
            Property::sometimes(ACCEPTED, |_, world: &World| fill_ended(world, Outcome::Accepted, false)),
            Property::sometimes(REFUSED, |_, world: &World| fill_ended(world, Outcome::Refused, false)),
        ];
        if self.setting.followers > 0 {
            properties
                .push(Property::sometimes(FOLLOWED, |_, world: &World| world.followers.contains(&Follower::Took)));
        }
        if self.setting.refresh {
            properties
                .push(Property::sometimes(REFRESHED, |_, world: &World| fill_ended(world, Outcome::Accepted, true)));
        }
        if self.setting.copies > 0 {
            // A run may begin with a copy of v0.
            properties.push(Property::sometimes(COPIED, |_, world: &World| {
                world.entries[0].s.value().is_some_and(|value| value.version > 0)
            }));
        }
        if !self.setting.tag_writes.is_empty() || !self.setting.drops.is_empty() || !self.setting.log.is_empty() {
            properties
                .push(Property::sometimes(TOO_LATE, |_, world: &World| fill_ended(world, Outcome::TooLate, false)));
        }
        if self.setting.outer > 0 {
            properties.push(Property::sometimes(NESTED, |_, world: &World| {
                let [inner, outer, _] = &world.entries;
                outer.k.value().is_some_and(|value| value.version < world.row) && inner.k.value().is_some()
            }));
        }
        if !self.setting.other_writes.is_empty() {
            properties.push(Property::sometimes(COLLIDED, |_, world: &World| {
                world.row == 0 && fill_ended(world, Outcome::TooLate, false)
            }));
        }
        if self.setting.faults.goes_back > 0 {
            properties.push(Property::sometimes(WENT_BACK, |_, world: &World| {
                world.faults.goes_back == 0 && world.processes.iter().any(|process| process.at > world.position)
            }));
        }
        if self.setting.copies > 0 && self.setting.faults.failed_reads > 0 {
            properties.push(Property::sometimes(STALE, |_, world: &World| {
                world.entries[0].s.value().is_some() && world.readers.iter().any(|reader| reader.step == Step::Failed)
            }));
        }
        properties
    }
}

fn fill_ended(world: &World, how: Outcome, refreshes_only: bool) -> bool {
    world.readers.iter().any(|reader| match reader.step {
        Step::Filled { outcome, refresh, .. } => outcome == how && (refresh || !refreshes_only),
        _ => false,
    })
}
