//! `mrc key`: prints the key of a query, or a key for each line of stdin. `mrc get`: prints the
//! entry under a key.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::time::Duration;

use mrc::key::{Key, KeyScheme, Value};
use mrc::store::CacheStore;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::args::{Format, GetArgs, Global, KeyArgs, KeyedArgs};
use crate::connect;
use crate::error::Failure;
use crate::output::{Output, written};
use crate::value;

const BUFFER: usize = 1 << 16;

pub(crate) fn run(args: &KeyArgs, output: &Output) -> Result<(), Failure> {
    if args.jsonl {
        return lines(args.keyed.format, output);
    }
    let key = of_query(&args.keyed, args.sql.as_deref().unwrap_or_default())?;
    let ambiguous = key.ambiguity().map(ToString::to_string);
    let clock = args.sql.as_deref().and_then(mrc::key::statement::depends_on_clock);
    if output.is_json() {
        return output.document(&Keyed { key: key.as_str(), ambiguous, clock });
    }
    if let Some(why) = key.ambiguity() {
        let bypass = if why.bypasses() { ", and the cache is bypassed for these params" } else { "" };
        output.note(&format!("note: the key is ambiguous{bypass}: {why}"));
    }
    if let Some(what) = clock {
        output.note(&format!("note: `{what}` reads the clock: a cached answer shows the time of its fill"));
    }
    output.result(key.as_str().as_bytes())
}

fn of_query(keyed: &KeyedArgs, sql: &str) -> Result<Key, Failure> {
    let key = KeyScheme::new(keyed.format.into()).key(keyed.text(sql), &keyed.params());
    key.map_err(|error| Failure::from(&error))
}

#[derive(Serialize)]
struct Keyed<'a> {
    key: &'a str,
    /// The reason why other params could have the same key.
    ambiguous: Option<String>,
    /// The part of the statement that reads the clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<String>,
}

/// A line of `--jsonl`. Other members are ignored.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    query: Cow<'a, str>,
    #[serde(borrow, default)]
    params: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    names: Option<Vec<String>>,
}

/// Prints a key per line. Flushes before it waits, so that a program can talk line by line.
fn lines(format: Format, output: &Output) -> Result<(), Failure> {
    let mut input = BufReader::with_capacity(BUFFER, io::stdin().lock());
    let mut out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    let (mut text, mut number) = (Vec::new(), 0);
    loop {
        if input.buffer().is_empty() && !put(out.flush())? {
            return Ok(());
        }
        text.clear();
        number += 1;
        let read = input.read_until(b'\n', &mut text);
        if read.map_err(|error| Failure::Other(format!("stdin can't be read: {error}")))? == 0 {
            return written(out.flush());
        }
        let key = match key(&text, format) {
            Ok(key) => key,
            Err(message) => {
                written(out.flush())?;
                return Err(Failure::Line { line: number, message });
            }
        };
        let line = if output.is_json() { serde_json::json!({ "key": key }).to_string() } else { key };
        if !put(out.write_all(line.as_bytes()).and_then(|()| out.write_all(b"\n")))? {
            return Ok(());
        }
    }
}

/// Returns whether stdout still has a reader.
fn put(done: io::Result<()>) -> Result<bool, Failure> {
    let is_read = done.is_ok();
    written(done).map(|()| is_read)
}

fn key(line: &[u8], format: Format) -> Result<String, String> {
    let line = std::str::from_utf8(line).map_err(|error| format!("it isn't UTF-8: {error}"))?;
    let line = line.trim_ascii();
    if line.is_empty() {
        return Err("it is empty".into());
    }
    let line: Line<'_> = serde_json::from_str(line).map_err(|error| {
        format!(r#"it isn't {{"query","params":[…],"names":[…]}}: {}"#, without_line(&error.to_string()))
    })?;
    let read = match format {
        Format::Typescript => value::typescript,
        Format::Python => value::python,
    };
    let params = line.params.unwrap_or_default();
    let values = params
        .into_iter()
        .enumerate()
        .map(|(at, raw)| read(raw).map_err(|error| format!("param {}: {}", at + 1, without_line(&error.to_string()))));
    let values = values.collect::<Result<Vec<Value>, _>>()?;
    Ok(KeyScheme::new(format.into()).peer_key(&line.query, &values, &line.names.unwrap_or_default()))
}

/// Removes the line from an error, because the parser counts each line as line 1.
fn without_line(error: &str) -> String {
    error.replace(" at line 1 column ", " at column ")
}

pub(crate) async fn get(args: &GetArgs, global: &Global, output: &Output) -> Result<(), Failure> {
    let key = key_of(args, output)?;
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

fn key_of(args: &GetArgs, output: &Output) -> Result<Key, Failure> {
    let Some(sql) = &args.sql else {
        // With `KEY` given, clap no longer enforces that `--param` requires `--sql`.
        return match args.keyed.needs_sql() {
            Some(flag) => Err(Failure::Usage(format!("{flag} needs --sql, but KEY was given"))),
            None => Ok(Key::unambiguous(args.key.clone().unwrap_or_default())),
        };
    };
    let key = of_query(&args.keyed, sql)?;
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

    const EMPTY: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";

    #[test]
    fn lists_of_different_lengths_are_the_peers_matter() {
        let check = |line: &str, typescript: &str, python: &str| {
            assert_eq!(key(line.as_bytes(), Format::Typescript).unwrap(), format!("{typescript}{EMPTY}"), "{line}");
            assert_eq!(key(line.as_bytes(), Format::Python).unwrap(), format!("{python}{EMPTY}"), "{line}");
        };
        check(r#"{"query":""}"#, "", "");
        check(r#"{"query":"","params":null,"names":null}"#, "", "");
        check(r#"{"query":"","params":[],"names":["A"]}"#, "", "");
        check(r#"{"query":"","params":[1],"names":["A","B"],"key":"x"}"#, "A=1_B=undefined_", "A=1_");
        check(r#"{"query":"","params":[1,2],"names":["A"]}"#, "A=1_", "A=1_");
    }

    #[test]
    fn a_bad_line_is_an_error_with_its_reason_and_place() {
        let check = |line: &[u8], expect: &str| {
            let message = key(line, Format::Typescript).unwrap_err();
            assert!(message.contains(expect), "{message}");
        };
        check(b"\n", "it is empty");
        check(b"\xff", "isn't UTF-8");
        check(b"{}", "missing field `query`");
        check(br#"{"query":1}"#, "at column");
        check(br#"{"query":"","params":6}"#, "invalid type");
        check(br#"{"query":"","params":["\ud800"]}"#, "at column");
        check(br#"{"query":"","names":[1]}"#, "expected a string");
    }

    #[test]
    fn a_life_is_printed_to_the_millisecond() {
        assert_eq!(seconds(Duration::from_millis(3_600_007)), "3600.007");
        assert_eq!(seconds(Duration::from_micros(900)), "0.000");
        assert_eq!(seconds(Duration::MAX), "inf");
    }
}
