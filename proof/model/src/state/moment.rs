//! The time, as far as it matters.

/// An instant of the clock. Only invalidations and registrations of a scheme move the clock, so all
/// times between two are one instant.
pub(crate) type Moment = u8;
