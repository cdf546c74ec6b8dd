//! `mrc get`: prints an entry of the cache.

use std::time::Duration;

use mrc::key::{Key, KeyScheme};
use mrc::store::CacheStore;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::args::{GetArgs, Global};
use crate::connect;
use crate::error::Failure;
use crate::output::Output;

pub(crate) async fn run(args: &GetArgs, global: &Global, output: &Output) -> Result<(), Failure> {
    let key = key(args, output)?;
    let store = connect::redis(global)?;
    let missing = || Failure::NoValue { key: key.to_string() };
    let stored = store.get(key.as_str()).await?.ok_or_else(missing)?;
    let value = match &args.sql {
        None => &*stored,
        Some(_) => key.mark().strip(&stored).ok_or_else(|| {
            output.note("note: the entry under this key has params of other types");
            missing()
        })?,
    };
    if !args.ttl && !output.is_json() {
        return output.result(value);
    }
    let left = store.ttl(key.as_str()).await?.ok_or_else(missing)?;
    if !output.is_json() {
        return output.result(seconds(left).as_bytes());
    }
    let value = serde_json::from_slice(value).map_err(|error| {
        Failure::Other(format!("the value under {key} isn't JSON, so mrc didn't write it: {error}"))
    })?;
    output.document(&Entry { key: key.as_str(), ttl_ms: millis(left), value })
}

#[derive(Serialize)]
struct Entry<'a> {
    key: &'a str,
    /// `None` if the entry never expires.
    ttl_ms: Option<u64>,
    value: &'a RawValue,
}

fn key(args: &GetArgs, output: &Output) -> Result<Key, Failure> {
    let Some(sql) = &args.sql else {
        // With `KEY` given, clap no longer enforces that `--param` requires `--sql`.
        return match args.keyed.needs_sql() {
            Some(flag) => Err(Failure::Usage(format!("{flag} needs --sql, but KEY was given"))),
            None => Ok(Key::unambiguous(args.key.clone().unwrap_or_default())),
        };
    };
    let key = KeyScheme::new(args.keyed.format.into()).key(args.keyed.text(sql), &args.keyed.params());
    let key = key.map_err(|error| Failure::from(&error))?;
    if let Some(why) = key.bypass() {
        output.note(&format!("note: mrc neither stores nor reads an entry for these params: {why}"));
    }
    Ok(key)
}

fn millis(left: Duration) -> Option<u64> {
    (left != Duration::MAX).then(|| u64::try_from(left.as_millis()).unwrap_or(u64::MAX))
}

fn seconds(left: Duration) -> String {
    millis(left).map_or_else(|| "inf".to_owned(), |millis| format!("{}.{:03}", millis / 1000, millis % 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_printed_to_the_millisecond() {
        assert_eq!(seconds(Duration::from_millis(3_600_007)), "3600.007");
        assert_eq!(seconds(Duration::from_micros(900)), "0.000");
        assert_eq!(seconds(Duration::MAX), "inf");
    }
}
