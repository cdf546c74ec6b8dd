//! Callers of the first reader's process that follow its flight.

use crate::part::Part;
use crate::state::flight::Follower;
use crate::state::redis::Value;
use crate::state::world::World;

/// Returns whether the flight can be joined. K's content doesn't matter: a GET may have missed.
pub(crate) fn may_join(world: &World, follower: u8) -> bool {
    world.followers.get(usize::from(follower)) == Some(&Follower::Idle) && world.flight_open
}

/// Joins the flight. The call begins here, because an earlier beginning would ask for less.
pub(crate) fn join(world: &mut World, follower: u8) {
    let floor = world.floor;
    if let Some(follower) = world.followers.get_mut(usize::from(follower)) {
        *follower = Follower::Following { early: false, floor };
    }
}

/// The leader begins a read. Followers that have joined by now may have its result.
pub(crate) fn begin_read(world: &mut World) {
    for follower in &mut world.followers {
        if let Follower::Following { early, .. } = follower {
            *early = true;
        }
    }
}

/// The flight lands. Each follower takes the value, or is left alone.
pub(crate) fn land(world: &mut World, value: Option<Value>, accepted: bool, without: Option<Part>) {
    world.flight_open = false;
    for follower in &mut world.followers {
        let Follower::Following { early, floor } = *follower else { continue };
        *follower = match value {
            Some(value) if accepted || early || without == Some(Part::FollowerRule) => {
                world.stale_answer |= !floor.allows(value);
                Follower::Took
            }
            _ => Follower::Alone,
        };
    }
}
