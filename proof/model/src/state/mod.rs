//! The state of a run: plain data, and what each piece can do by itself.

mod binlog;
mod command;
mod index;
mod reader;
mod redis;
pub(crate) mod tagger;
mod world;
pub(crate) mod writer;

pub(crate) use self::binlog::{Binlog, Position, PositionCopy, Primaries, Process, Stage};
pub(crate) use self::command::Command;
pub(crate) use self::index::{Index, Moment, Score, Scores, Table, Tags};
pub(crate) use self::reader::{Follower, Made, Now, Outcome, Reader, Step};
pub(crate) use self::redis::{Claim, Content, Entry, Floor, Keys, Token, Value, Version};
pub(crate) use self::tagger::{Tagger, Task};
pub(crate) use self::world::{Saved, World};
pub(crate) use self::writer::{Search, Writer, matching};
