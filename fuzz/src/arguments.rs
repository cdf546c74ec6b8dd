//! The command line: it parses or refuses any arguments, and prints no secret.

use clap::Parser;
use mrc::key::{EntryPattern, KeyScheme};
use mrc::{KeyFormat, Params};

use crate::args::{Args, Command};

const SECRET: &str = "hunter2";
const URL: &str = "redis://:hunter2@localhost";

/// The arguments that lines of one byte stand for, so that an input needn't spell every flag.
const WORDS: &str = concat!(
    "key|query|get|drop|demo|completions|--sql|SELECT ?|--sql-for-key|--param|StoreId=6|",
    r#"A=[1,2]|A=null|A="x"|A=|=1|A|--format|python|typescript|--ttl|0.5|-1|--rows|--no-cache|"#,
    "--trust-read-only|--jsonl|--all|--substring|--dry-run|--retry|--json|--prefix|bash|",
    "invalidate|stats|--by|--tag|explain|--database",
);

/// Runs a command line: each line is an argument.
pub fn arguments(data: &[u8]) {
    let words: Vec<&str> = WORDS.split('|').collect();
    let lines = data.split(|byte| *byte == b'\n').map(|line| match line {
        [byte] => words[usize::from(*byte) % words.len()].to_owned(),
        line => String::from_utf8_lossy(line).into_owned(),
    });
    let all = ["mrc", "--redis", URL].into_iter().map(str::to_owned).chain(lines);
    let args = match Args::try_parse_from(all) {
        Ok(args) => args,
        Err(refusal) => {
            assert!(!refusal.to_string().contains(SECRET), "a refusal shows a password: {refusal}");
            return;
        }
    };
    assert!(!format!("{args:?}").contains(SECRET), "Debug shows a password");
    match &args.command {
        Command::Key(key) => usable(&key.keyed.params(), key.keyed.text(key.sql.as_deref().unwrap_or_default())),
        Command::Query(query) => {
            assert!(!query.ttl.is_zero());
            usable(&query.keyed.params(), query.keyed.text(&query.sql));
        }
        Command::Explain(explain) => usable(&explain.params.params(), &explain.sql),
        Command::Drop(drop) => {
            let params = drop.params();
            assert!(!params.is_empty(), "a drop of nothing would be a drop of everything");
            usable(&params, "");
        }
        Command::Get(get) => usable(&get.keyed.params(), get.keyed.text(get.sql.as_deref().unwrap_or_default())),
        Command::Invalidate(invalidate) => {
            assert!(!invalidate.tags.is_empty(), "an invalidation of nothing would be one of everything");
            assert!(invalidate.tags.iter().all(|tag| tag.check().is_ok()), "a tag that can't be used");
        }
        Command::Stats | Command::Follow(_) | Command::Demo | Command::Completions(_) => {}
    }
}

/// Checks that a drop finds the key of the same params.
fn usable(params: &Params, text: &str) {
    for format in [KeyFormat::TypeScript, KeyFormat::Python] {
        let Ok(key) = KeyScheme::new(format).key(text, params) else { continue };
        if let (None, Ok(pattern)) = (key.ambiguity(), EntryPattern::all(params)) {
            assert!(pattern.matches(key.as_str().as_bytes()), "no drop finds {}", key.as_str());
        }
    }
}
