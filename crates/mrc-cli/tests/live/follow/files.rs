//! Wrong files and flags. No server is asked.

use super::{RulesFile, head};
use crate::run::mrc_with;

const ENV: [(&str, &str); 2] =
    [("MRC_MYSQL_URL", "mysql://u:hunter2@127.0.0.1:1/x"), ("MRC_REDIS_URL", "redis://:hunter2@127.0.0.1:1")];

#[tokio::test]
async fn a_wrong_file_is_named_with_its_line() {
    let rule = "[[rule]]\ntable = \"shop.orders\"\n";
    for (text, expect) in [
        ("", &["follow"][..]),
        ("[follow", &["line 1"]),
        ("[follow]\nname = \"a b\"\nserver_id = 2\n", &["line 2", "`name`"]),
        ("[follow]\nname = \"shop\"\n", &["server_id"]),
        (&head(), &["[[rule]]", "each table"]),
        (&format!("{}\ntags = [1]\n", head()), &["line 4", "unknown field `tags`"]),
        (
            &format!("{}\n{rule}all = \"x\"\ntags = [\"order:{{id\"]\n", head()),
            &["line 4", "shop.orders", "`tags`", "isn't closed"],
        ),
        (&format!("{}\n{rule}tags = [\"order:{{id}}\"]\n", head()), &["line 4", "`all`"]),
    ] {
        let file = RulesFile::new(text);
        for flag in [None, Some("--check"), Some("--status"), Some("--once")] {
            let args: Vec<_> = ["follow", "--config", file.path()].into_iter().chain(flag).collect();
            let run = mrc_with(&args, &ENV, "").await;
            assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{text}: {run:?}");
            assert!(run.stderr.starts_with(&format!("error: --config {}: ", file.path())), "{run:?}");
            assert!(expect.iter().all(|part| run.stderr.contains(part)), "{text}: {run:?}");
        }
    }
    let run = mrc_with(&["follow", "--config", "/nowhere/follow.toml", "--json"], &ENV, "").await;
    assert!(run.code == 2 && run.error()[1].contains("--config /nowhere/follow.toml: "), "{run:?}");
}

#[tokio::test]
async fn wrong_flags_are_named() {
    let file = RulesFile::new(&format!("{}\n[[rule]]\ntable = \"shop.orders\"\nall = \"orders\"\n", head()));
    for (args, expect) in [
        (&["--check", "--status"][..], "--status"),
        (&["--check", "--once"], "--once"),
        (&["--status", "--listen", "1"], "--listen"),
        (&["--from", "yesterday"], "no position"),
        (&["--listen", "nowhere"], "9184"),
    ] {
        let run = mrc_with(&[&["follow", "--config", file.path()], args].concat(), &ENV, "").await;
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{args:?}: {run:?}");
        assert!(run.stderr.contains(expect), "{args:?}: {run:?}");
    }
    let run = mrc_with(&["follow"], &ENV, "").await;
    assert!(run.code == 2 && run.stderr.contains("--config"), "{run:?}");
    let run = mrc_with(&["follow", "--config", file.path()], &ENV[1..], "").await;
    assert!(run.code == 2 && run.stderr.contains("MRC_MYSQL_URL"), "{run:?}");
}

#[tokio::test]
async fn the_files_in_deploy_are_right() {
    let text = include_str!("../../../../../deploy/follow.toml");
    assert!(mrc::follow::rules::FollowConfig::from_toml(text).is_ok());
}

#[tokio::test]
async fn a_check_without_servers_says_which_is_away() {
    let file = RulesFile::new(&format!("{}\n[[rule]]\ntable = \"shop.orders\"\nall = \"orders\"\n", head()));
    for flag in ["--check", "--status"] {
        let run = mrc_with(&["follow", "--config", file.path(), flag], &ENV, "").await;
        assert_eq!((run.code, run.stdout.as_str()), (4, ""), "{run:?}");
        assert!(run.stderr.contains("--redis") && !run.stderr.contains("hunter2"), "{run:?}");
    }
}
