//! The oracle on the server of this run (`MRC_TEST_DATABASE`), small enough for CI.

use mrc_core::depends::CollationFolding;
use mrc_oracle::{Lack, Load, Settings, any_seed, cases, foldings, run, try_case};
use mrc_tests::cases as count;

#[tokio::test(flavor = "multi_thread")]
async fn no_pair_of_query_and_change_is_missed() {
    let pairs = u64::from(count(12_000));
    let settings =
        Settings { pairs, seed: any_seed(), lack: Lack::Nothing, stop_at_miss: true, workers: 4, load: Load::Random };
    let report = run(settings, |_| ()).await.unwrap();
    assert_eq!(report.missed, 0, "{}", report.misses.join("\n"));
    // Otherwise the run shows nothing.
    assert!(report.changed * 50 > report.pairs, "{report:?}");
    let (by_tags, by_tables) = report.precision();
    assert!(by_tags > by_tables, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fixed_cases_are_ended_and_without_their_rule_missed() {
    let mut failed = Vec::new();
    for case in cases() {
        let with = try_case(&case, Lack::Nothing).await.unwrap_or_else(|error| panic!("{}: {error}", case.name));
        if with.is_changed && !with.is_ended {
            failed.push(format!("missed: {}", case.name));
        }
        if !with.is_changed {
            println!("no other answer on this server: {}", case.name);
        } else if case.lack != Lack::Nothing && try_case(&case, case.lack).await.unwrap().is_ended {
            failed.push(format!("ended without {:?}: {}", case.lack, case.name));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_tells_which_letters_a_collation_mixes() {
    let only_case = CollationFolding::from_rows([]);
    for (name, folding) in foldings().await.unwrap() {
        match name {
            "utf8mb4_bin" => assert_eq!(folding, CollationFolding::EXACT, "{name}"),
            // Pairs of ASCII are other characters in GBK.
            "utf8mb4_lithuanian_ci" | "gbk_chinese_ci" => assert_ne!(folding, only_case, "{name}"),
            _ => assert_eq!(folding, only_case, "{name}"),
        }
        assert_ne!(folding, CollationFolding::UNKNOWN, "{name}");
    }
}
