//! The oracle end to end on the servers of this run (`MRC_TEST_DATABASE`, `MRC_TEST_CACHE`), small
//! enough for CI. Every pair of servers runs the tests of followers.

mod follower {
    use std::time::Duration;

    use mrc_oracle::{FollowSettings, Load, Without, any_seed, run_follow};
    use mrc_tests::cases;

    fn settings() -> FollowSettings {
        FollowSettings {
            compared: u64::from(cases(600)),
            limit: Duration::from_secs(120),
            seed: any_seed(),
            without: None,
            stop_at_stale: true,
            workers: 2,
            load: Load::Random,
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_entry_that_survives_is_stale() {
        let report = run_follow(settings(), |_| ()).await.unwrap();
        assert_eq!(report.stale, 0, "{}", report.findings.join("\n"));
        // Otherwise the run shows nothing.
        assert!(report.compared > 0, "{report:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn without_the_schemes_of_entries_some_are() {
        let report = run_follow(FollowSettings { without: Some(Without::Auto), ..settings() }, |_| ()).await.unwrap();
        assert!(report.stale > 0, "{report:?}");
    }
}
