//! `mrc key --jsonl`: the keys of both peers, line by line.

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::run::{command, mrc_with};

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
