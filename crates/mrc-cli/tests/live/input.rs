//! Right and wrong command lines, and the lines of `mrc key --jsonl`. No server is asked.

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::run::{command, mrc, mrc_with};

const HASH: &str = "11f6ad8ec52a2984abaafd7c3b516503785c2072";

#[tokio::test]
async fn a_value_is_json_or_text() {
    let check = async |format: &str, param: &str, expect: &str| {
        let run = mrc(&["key", "--sql", "x", "--param", param, "--format", format]).await;
        assert_eq!(run.text(), format!("{expect}_{HASH}"), "{param}");
        assert!(run.stderr.is_empty() || run.stderr.starts_with("note: the key is ambiguous: "), "{run:?}");
    };
    check("typescript", "Id=6", "Id=6").await;
    check("typescript", "Id=\"6\"", "Id=6").await;
    check("typescript", "F=1.0", "F=1").await;
    check("python", "F=1.0", "F=1.0").await;
    check("python", "F=1", "F=1").await;
    check("python", "On=true", "On=True").await;
    check("typescript", "Zip=00123", "Zip=00123").await;
    check("typescript", "Note=a=b", "Note=a=b").await;
    check("typescript", "Empty=", "Empty=").await;
    check("typescript", "Ids=[1,2,3]", "Ids=1,2,3").await;
    check("python", "Ids=[1, \"a\"]", "Ids=[1, 'a']").await;
    check("typescript", "Doc={\"b\": 1}", "Doc={\"b\":1}").await;
    check("typescript", "Big=12345678901234567890123", "Big=12345678901234567890123").await;
    check("typescript", "Big=18446744073709551615", "Big=18446744073709551615").await;
    // The text for the key differs from the statement.
    let by_text = mrc(&["key", "--sql", "y", "--sql-for-key", "x", "--param", "Id=6"]).await;
    assert_eq!(by_text.text(), format!("Id=6_{HASH}"));
}

#[tokio::test]
async fn an_ambiguous_key_is_noted() {
    let args = ["key", "--sql", "x", "--param", "A=1_B=2", "--param", "B=3"];
    let run = mrc(&args).await;
    assert_eq!(run.text(), format!("A=1_B=2_B=3_{HASH}"));
    assert!(run.stderr.contains("bypassed"), "{run:?}");
    let run = mrc(&[&args[..], &["--json"]].concat()).await;
    assert!(run.json()["ambiguous"].as_str().unwrap().contains("split"), "{run:?}");
    assert_eq!(run.stderr, "");
    let run = mrc(&["key", "--sql", "x", "--param", "Id=\"6\""]).await;
    assert!(run.stderr.contains("Id is a text, and the key spells it as an integer"), "{run:?}");
    assert!(!run.stderr.contains("bypassed"), "{run:?}");
    assert_eq!(mrc(&["key", "--sql", "x", "--param", "Id=6"]).await.stderr, "");
    assert!(mrc(&["--json", "key", "--sql", "x"]).await.json()["ambiguous"].is_null());
}

#[tokio::test]
async fn a_statement_that_reads_the_clock_is_noted() {
    let args = ["key", "--sql", "SELECT id FROM t WHERE created > NOW()"];
    assert!(mrc(&args).await.stderr.contains("`NOW()` reads the clock"));
    assert_eq!(mrc(&[&args[..], &["--json"]].concat()).await.json()["clock"], "NOW()");
    assert!(mrc(&["--json", "key", "--sql", "x"]).await.json().get("clock").is_none());
}

#[tokio::test]
async fn wrong_usage_is_named_and_nothing_is_printed_as_a_result() {
    let servers = ["--mysql", "mysql://u:hunter2@127.0.0.1:1/x", "--redis", "redis://:hunter2@127.0.0.1:1"];
    for (args, expect) in [
        (&["bogus"][..], "bogus"),
        (&["key", "--sql", "x", "--bogus"], "--bogus"),
        (&["key"], "--sql"),
        (&["key", "--sql", "x", "--jsonl"], "--jsonl"),
        (&["key", "--sql", "x", "--format", "perl"], "--format"),
        (&["key", "--sql", "x", "--param", "foo"], "--param <NAME=VALUE>"),
        (&["key", "--sql", "x", "--param", "=6"], "the name before the = is empty"),
        (&["key", "--sql", "x", "--param", "Big=1e999"], "the value of Big"),
        (&["key", "--sql", "x", "--param", "Ids=[]"], "--param Ids: "),
        (&["key", "--sql", "x", "--param", "Ids=[[1]]"], "--param Ids: "),
        (&["query", "--sql", "SELECT 1", "--ttl", "0"], "--ttl"),
        (&["query", "--sql", "SELECT 1", "--ttl", "1h"], "--ttl"),
        (&["query", "--sql", "SELECT 1", "--rows", "xml"], "--rows"),
        (&["query", "--sql", "SELECT ?"], "--param: "),
        (&["query", "--sql", "DELETE FROM t"], "--no-cache"),
        (&["query", "--sql", "SELECT a FROM t FOR UPDATE"], "--sql: "),
        (&["query", "--sql", "SELECT db.f(1)"], "--trust-read-only"),
        (&["get"], "--sql"),
        (&["get", "key", "--sql", "x"], "--sql"),
        (&["get", "key", "--param", "A=1"], "--param"),
        (&["drop"], "NAME=VALUE"),
        (&["drop", "foo"], "NAME=VALUE"),
        (&["drop", "redis://:hunter2@h"], "NAME=VALUE"),
        (&["drop", "A=1", "--by", "guess"], "--by"),
        (&["drop", "A=1", "--by", "index", "--substring"], "--substring"),
        (&["query", "--sql", "SELECT 1", "--tag", ""], "a tag is empty"),
        (&["query", "--sql", "SELECT 1", "--tag", "x", "--no-cache"], "--no-cache"),
        (&["query", "--sql", "SELECT 1", "--tag-by-params", "--no-cache"], "--no-cache"),
        (&["invalidate"], "TAG"),
        (&["invalidate", ""], "a tag is empty"),
        (&["invalidate", "orders", ""], "a tag is empty"),
        (&["stats", "x"], "x"),
        (&["completions", "tcsh"], "tcsh"),
    ] {
        let plain = mrc(&[args, &servers].concat()).await;
        assert_eq!((plain.code, plain.stdout.as_str()), (2, ""), "{args:?}: {plain:?}");
        assert!(plain.stderr.starts_with("error: ") && plain.stderr.contains(expect), "{args:?}: {plain:?}");
        assert!(!plain.stderr.contains("hunter2"), "{plain:?}");

        let json = mrc(&[&["--json"], args, &servers].concat()).await;
        assert_eq!(json.code, 2, "{json:?}");
        let [kind, message] = json.error();
        assert!(kind == "usage" && message.contains(expect) && !message.contains("hunter2"), "{json:?}");
    }
}

#[tokio::test]
async fn an_url_that_is_missing_or_wrong_is_named_by_flag_and_variable() {
    let query = ["query", "--sql", "SELECT 1"];
    for (args, env, expect) in [
        (&query[..], &[][..], ["--mysql", "MRC_MYSQL_URL"]),
        (&query, &[("MRC_MYSQL_URL", "")], ["--mysql", "MRC_MYSQL_URL"]),
        (&query, &[("MRC_MYSQL_URL", "mysql://u:hunter2@h/x")], ["--redis", "MRC_REDIS_URL"]),
        (&query, &[("MRC_MYSQL_URL", "oracle://u:hunter2@h/x"), ("MRC_REDIS_URL", "redis://h")], ["--mysql", "mysql"]),
        (&["get", "k"], &[], ["--redis", "MRC_REDIS_URL"]),
        (&["get", "k"], &[("MRC_REDIS_URL", "gopher://:hunter2@h")], ["--redis", "scheme"]),
        (&["drop", "A=1"], &[], ["--redis", "MRC_REDIS_URL"]),
        (&["drop", "A=1"], &[("MRC_REDIS_URL", "redis://u:hunter2@h/x")], ["--redis", "database"]),
        (&["invalidate", "A"], &[], ["--redis", "MRC_REDIS_URL"]),
        (&["stats"], &[], ["--redis", "MRC_REDIS_URL"]),
        (&["drop", "A=1", "--prefix", "mrc:"], &[("MRC_REDIS_URL", "redis://h")], ["--redis", "prefix"]),
    ] {
        let run = mrc_with(args, env, "").await;
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{args:?} {env:?}: {run:?}");
        assert!(expect.iter().all(|part| run.stderr.contains(part)), "{args:?} {env:?}: {run:?}");
        assert!(!run.stderr.contains("hunter2"), "{run:?}");
    }
}

#[tokio::test]
async fn help_shows_no_secret() {
    let env = [("MRC_MYSQL_URL", "mysql://u:hunter2@h/x"), ("MRC_REDIS_URL", "redis://:hunter2@h")];
    for args in [&["--help"][..], &["-h"], &["query", "--help"], &["drop", "-h"], &["--version"]] {
        let run = mrc_with(args, &env, "").await;
        assert!(run.text().contains("mrc") && !run.stdout.contains("hunter2"), "{run:?}");
        assert_eq!(run.stderr, "");
    }
    assert!(mrc(&["--help"]).await.stdout.contains("Exit codes:"));
}

#[tokio::test]
async fn every_shell_has_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = mrc(&["completions", shell]).await;
        assert!(run.text().contains("sql-for-key"), "{shell}: {run:?}");
        let json = mrc(&["completions", shell, "--json"]).await.json();
        assert_eq!(json["completions"].as_str().unwrap().trim_end(), run.text());
    }
}

const GOLDEN: [(&str, &str); 2] = [
    ("typescript", include_str!("../../../../tests/golden/keys.typescript.jsonl")),
    ("python", include_str!("../../../../tests/golden/keys.python.jsonl")),
];

#[tokio::test]
async fn golden_keys_in_both_formats() {
    for (format, lines) in GOLDEN {
        let golden = || {
            lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["key"].as_str().unwrap().to_owned())
        };
        assert!(golden().count() >= 100);

        let run = mrc_with(&["key", "--jsonl", "--format", format], &[], lines).await;
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        // The whole output is compared, because a key may contain a line break.
        assert_eq!(run.stdout, golden().map(|key| key + "\n").collect::<String>());

        let run = mrc_with(&["--json", "key", "--jsonl", "--format", format], &[], lines).await;
        let keys = run
            .stdout
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["key"].as_str().unwrap().to_owned());
        assert!(keys.eq(golden()), "{format}");
    }
}

#[tokio::test]
async fn numbers_and_objects_are_what_each_language_makes_of_them() {
    let line = r#"{"query":"","params":[9007199254740993,1e21,-0,-0.0,1.0,{"a":[1,true]}],"names":["A","B","C","D","E","F","G"]}"#;
    for (format, expect) in [
        ("typescript", "A=9007199254740992_B=1e+21_C=0_D=0_E=1_F=[object Object]_G=undefined_"),
        ("python", "A=9007199254740993_B=1e+21_C=0_D=-0.0_E=1.0_F={'a': [1, True]}_"),
    ] {
        let run = mrc_with(&["key", "--jsonl"], &[("MRC_KEY_FORMAT", format)], line).await;
        assert_eq!(run.text(), format!("{expect}da39a3ee5e6b4b0d3255bfef95601890afd80709"));
    }
}

#[tokio::test]
async fn a_bad_line_is_named_and_the_keys_before_it_stand() {
    let good = r#"{"query":"a"}"#;
    for bad in ["{", "", "[]", r#"{"query":"a","params":["\ud800"]}"#, r#"{"params":[]}"#] {
        let run = mrc_with(&["key", "--jsonl"], &[], &format!("{good}\n{good}\n{bad}\n{good}\n")).await;
        assert_eq!(run.code, 2, "{run:?}");
        assert_eq!(run.stdout, "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8\n".repeat(2));
        assert!(run.stderr.starts_with("error: line 3: "), "{run:?}");
        assert!(!run.stderr.contains("at line"), "{run:?}");
    }
}

#[tokio::test]
async fn each_line_is_answered_before_the_next_is_waited_for() {
    let mut child = command(&["key", "--jsonl"]).spawn().unwrap();
    let (mut input, mut output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()).lines());
    for (query, key) in
        [("a", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"), ("b", "e9d71f5ee7c92d6dc9e92ffdad17b8bd49418f98")]
    {
        input.write_all(format!("{{\"query\":\"{query}\"}}\n").as_bytes()).await.unwrap();
        assert_eq!(output.next_line().await.unwrap().unwrap(), key);
    }
    drop(input);
    assert!(child.wait().await.unwrap().success());
}

#[tokio::test]
async fn a_reader_that_has_enough_is_no_error() {
    let mut child = command(&["key", "--jsonl"]).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = tokio::spawn(async move {
        let lines = "{\"query\":\"a\"}\n".repeat(1_000);
        while input.write_all(lines.as_bytes()).await.is_ok() {}
    });
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    output.next_line().await.unwrap().unwrap();
    drop(output);
    let left = child.wait_with_output().await.unwrap();
    writer.await.unwrap();
    assert!(left.status.success());
    assert_eq!(String::from_utf8(left.stderr).unwrap(), "");
}
