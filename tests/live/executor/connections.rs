//! Connections of an executor: a pool of the service, TLS to a server with the checks of its
//! certificate, and accounts that can't log in without TLS.

use std::time::Duration;

use mrc_core::params;
use mrc_store::mysql::TlsMode::{Off, Unverified, VerifyCa, VerifyIdentity};
use mrc_store::mysql_async::{OptsBuilder, Pool, PoolConstraints, PoolOpts};
use mrc_store::{ExecuteError, MySqlConfig, MySqlExecutor, conformance};
use mrc_tests::{Database, SqlKind, SqlServer, free_port, slow_query, until_ended, until_running};
use mysql_async::prelude::Queryable;

use super::{canonical, execute, executor};

fn pool(database: &Database, most: usize, reset: bool) -> Pool {
    let pool = PoolOpts::new().with_constraints(PoolConstraints::new(most, most).unwrap()).with_reset_connection(reset);
    let opts = mysql_async::Opts::from_url(&database.url()).unwrap();
    Pool::new(OptsBuilder::from_opts(opts).prefer_socket(false).pool_opts(pool))
}

#[tokio::test]
async fn a_pool_of_a_service_passes_the_suite_and_stays_open() {
    let database = Database::create().await;
    for reset in [true, false] {
        let pool = pool(&database, 4, reset);
        let executor = MySqlExecutor::with_pool(pool.clone()).unwrap();
        conformance::executor::executor_suite(&executor).await;
        conformance::executor::refuses_calls_after_close(&executor).await;
        let mut conn = pool.get_conn().await.unwrap();
        assert_eq!(conn.query_first("SELECT 6").await.unwrap(), Some(6));
        drop(conn);
        pool.disconnect().await.unwrap();
    }
}

const PROBE: &str = "SELECT DATABASE() AS a, @@autocommit AS b, @@sql_mode AS c, @@time_zone AS d, \
                     @@collation_connection AS e, @@character_set_results AS f, @mine AS g";

#[tokio::test]
async fn nothing_that_the_service_leaves_reaches_a_read_and_no_setting_reaches_the_service() {
    let database = Database::with("CREATE TABLE t (a INT); INSERT INTO t VALUES (1)").await;
    let expected = canonical(&executor(super::config(&database)), PROBE).await.unwrap();
    for reset in [true, false] {
        let pool = pool(&database, 1, reset);
        let fresh: Option<(u64, String, String)> = {
            let mut conn = pool.get_conn().await.unwrap();
            conn.query_first("SELECT @@autocommit, @@sql_mode, @@time_zone").await.unwrap()
        };
        // A pool without a reset hands on the session's state.
        pool.get_conn().await.unwrap().query_drop("SET @mine = 7").await.unwrap();
        let left: Option<Option<i64>> = pool.get_conn().await.unwrap().query_first("SELECT @mine").await.unwrap();
        assert_eq!(left.flatten(), if reset { None } else { Some(7) });
        let executor = MySqlExecutor::new(MySqlConfig::from_pool(pool.clone())).unwrap();
        let spoilers = "SET autocommit = 0; SET time_zone = '+05:00', sql_mode = 'ANSI_QUOTES', @mine = 6; \
                        SET NAMES latin1; USE information_schema; CREATE TEMPORARY TABLE t (b INT); \
                        LOCK TABLES t READ; BEGIN; SET SESSION TRANSACTION READ ONLY";
        for spoiler in spoilers.split("; ") {
            pool.get_conn().await.unwrap().query_drop(spoiler).await.unwrap();
            assert_eq!(canonical(&executor, PROBE).await.unwrap(), expected, "after `{spoiler}`");
            assert_eq!(canonical(&executor, "SELECT * FROM t").await.unwrap(), r#"[{"a":1}]"#, "after `{spoiler}`");
            execute(&executor, "UPDATE t SET a = 1").await.unwrap();
        }
        // A read is read-only; an `execute` and the service are not.
        let error = canonical(&executor, "DELETE FROM t").await.unwrap_err();
        assert_eq!(error.server().map(|server| server.code), Some(1792), "{error}");
        let mut conn = pool.get_conn().await.unwrap();
        assert_eq!(conn.query_first("SELECT @@autocommit, @@sql_mode, @@time_zone").await.unwrap(), fresh);
        conn.query_drop("UPDATE t SET a = 1").await.unwrap();
    }
}

#[tokio::test]
async fn a_pool_that_is_taken_is_a_timeout_of_waiting() {
    let database = Database::create().await;
    let pool = pool(&database, 1, true);
    let limit = Duration::from_millis(300);
    let executor = executor(MySqlConfig::from_pool(pool.clone()).connect_timeout(limit));
    let taken = pool.get_conn().await.unwrap();
    let error = canonical(&executor, "SELECT 1").await.unwrap_err();
    assert!(matches!(error, ExecuteError::Timeout { stage: "waiting for a connection", .. }), "{error:?}");
    drop(taken);
    let patient = super::executor(MySqlConfig::from_pool(pool));
    assert_eq!(canonical(&patient, "SELECT 1 AS a").await.unwrap(), r#"[{"a":1}]"#);
}

#[tokio::test]
async fn a_query_that_is_cancelled_ends_at_the_server_and_frees_the_pool() {
    let database = Database::create().await;
    let pool = pool(&database, 1, true);
    // The server's own limit doesn't end it.
    let hour = Duration::from_secs(3600);
    let executor = executor(MySqlConfig::from_pool(pool.clone()).query_timeout(hour));
    canonical(&executor, "SELECT 1 AS a").await.unwrap();
    let slow = slow_query("cancelled_in_a_pool");
    let mut admin = database.admin().await;
    tokio::select! {
        done = canonical(&executor, &slow) => panic!("{done:?}"),
        _ = until_running(&mut admin, "cancelled_in_a_pool") => {}
    }
    until_ended(&mut admin, "cancelled_in_a_pool").await;
    assert_eq!(canonical(&executor, "SELECT 2 AS a").await.unwrap(), r#"[{"a":2}]"#);
    pool.get_conn().await.unwrap().ping().await.unwrap();
}

#[tokio::test]
async fn settings_of_the_pool_are_its_own_and_those_of_sessions_are_not() {
    let database = Database::create().await;
    let own = || MySqlConfig::from_pool(pool(&database, 2, true));
    let error = MySqlExecutor::new(own().host("db")).unwrap_err();
    assert!(error.to_string().contains("host is set"), "{error}");
    let set = executor(own().time_zone("+02:00").collation("utf8mb4_bin"));
    let sql = "SELECT @@time_zone AS a, @@collation_connection AS b";
    assert_eq!(canonical(&set, sql).await.unwrap(), r#"[{"a":"+02:00","b":"utf8mb4_bin"}]"#);
    let opts = OptsBuilder::from_opts(mysql_async::Opts::from_url(&database.url()).unwrap()).stmt_cache_size(0);
    let error = canonical(&MySqlExecutor::with_pool(Pool::new(opts)).unwrap(), "SELECT 1").await.unwrap_err();
    assert!(error.to_string().contains("stmt_cache_size"), "{error}");
    let nobody = Pool::new(mysql_async::Opts::from_url(&format!("mysql://127.0.0.1:{}", free_port())).unwrap());
    let error = canonical(&MySqlExecutor::with_pool(nobody).unwrap(), "SELECT 1").await.unwrap_err();
    assert!(matches!(error, ExecuteError::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn a_client_shares_the_pool_with_its_service() {
    let database = Database::with("CREATE TABLE t (a INT)").await;
    let config = MySqlConfig::from_pool(pool(&database, 2, true));
    let client = mrc::MrcClient::builder().mysql_config(config).store(mrc::MemoryStore::new()).build().unwrap();
    let mut conn: mrc::mysql_async::Conn = client.mysql_pool().unwrap().get_conn().await.unwrap();
    conn.query_drop("INSERT INTO t VALUES (6)").await.unwrap();
    let rows =
        client.query_with_cache("SELECT a FROM t WHERE a = ?", params! { "A" => 6 }, Duration::from_secs(60)).await;
    assert_eq!(rows.unwrap().as_str().unwrap(), r#"[{"a":6}]"#);
}

fn config(server: &SqlServer) -> MySqlConfig {
    MySqlConfig::from_url(&server.url("")).unwrap()
}

async fn encrypted(config: MySqlConfig) -> Result<bool, ExecuteError> {
    let json = canonical(&executor(config), "SHOW STATUS LIKE 'Ssl_cipher'").await?;
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    Ok(rows[0]["Value"] != "")
}

async fn refused(config: MySqlConfig, why: &str) {
    let error = encrypted(config).await.unwrap_err();
    assert!(error.to_string().contains(why) && error.to_string().contains("127.0.0.1:"), "{error}");
}

#[tokio::test]
async fn a_certificate_without_names_is_verified_by_its_authority_alone() {
    let server = SqlServer::with_nameless_certificate().await;
    let (ca, other) = (server.file("ca.pem").await, server.file("named-ca.pem").await);
    assert!(!encrypted(config(&server)).await.unwrap());
    assert!(!encrypted(config(&server).tls(Off)).await.unwrap());
    assert!(encrypted(config(&server).tls(VerifyCa).tls_ca_file(&ca)).await.unwrap());
    assert!(encrypted(config(&server).tls(VerifyCa).tls_ca_pem(std::fs::read(&ca).unwrap())).await.unwrap());
    assert!(encrypted(config(&server).tls(Unverified)).await.unwrap());
    refused(config(&server).tls(VerifyIdentity).tls_ca_file(&ca), "tls=verify_ca").await;
    refused(config(&server).tls_ca_file(&ca), "not valid for any names").await;
    refused(config(&server).tls(VerifyCa).tls_ca_file(&other), "UnknownIssuer").await;
    refused(config(&server).tls(VerifyIdentity), "UnknownIssuer").await;

    // On a socket no mode encrypts, and none fails.
    let socket = server.file("s").await.to_string_lossy().into_owned();
    assert!(!encrypted(config(&server).tls(Unverified).socket(socket)).await.unwrap());

    let url = |more: &str| MySqlConfig::from_url(&format!("{}?{more}", server.url(""))).unwrap();
    assert!(encrypted(url(&format!("tls=verify_ca&tls_ca={}", ca.display()))).await.unwrap());
    assert!(encrypted(url("tls=unverified")).await.unwrap());
    refused(url("tls=verify_identity"), "`tls_ca` names the authority").await;
}

#[tokio::test]
async fn a_certificate_for_the_host_is_verified_whole() {
    let server = SqlServer::with_named_certificate().await;
    let (ca, other) = (server.file("named-ca.pem").await, server.file("ca.pem").await);
    assert!(encrypted(config(&server).tls_ca_file(&ca)).await.unwrap());
    assert!(encrypted(config(&server).tls(VerifyCa).tls_ca_file(&ca)).await.unwrap());
    assert!(encrypted(config(&server).tls(VerifyIdentity).tls_ca_file(&ca).host("localhost")).await.unwrap());
    for mode in [VerifyCa, VerifyIdentity] {
        refused(config(&server).tls(mode).tls_ca_file(&other), "UnknownIssuer").await;
    }
}

#[tokio::test]
async fn an_account_that_asks_for_a_certificate_of_the_client_gets_it() {
    let server = SqlServer::with_nameless_certificate().await;
    let account = "CREATE USER x509@'%' IDENTIFIED BY 'secret' REQUIRE X509";
    server.admin().await.query_drop(account).await.unwrap();
    let config = config(&server).user("x509").tls(VerifyCa).tls_ca_file(server.file("ca.pem").await);
    let (cert, key) = (server.file("client-cert.pem").await, server.file("client-key.pem").await);
    refused(config.clone(), "1045").await;
    assert!(encrypted(config.clone().tls_client_files(&cert, &key)).await.unwrap());
    let texts = (std::fs::read(&cert).unwrap(), std::fs::read(&key).unwrap());
    assert!(encrypted(config.tls_client_pem(texts.0, texts.1)).await.unwrap());
    let files = format!("tls=unverified&tls_cert={}&tls_key={}", cert.display(), key.display());
    let url = MySqlConfig::from_url(&format!("{}?{files}", server.url(""))).unwrap();
    assert!(encrypted(url.user("x509")).await.unwrap());
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_tls_is_required() {
    let server = SqlServer::without_tls().await;
    for mode in [Unverified, VerifyIdentity] {
        let error = canonical(&executor(config(&server).tls(mode)), "SELECT 1").await.unwrap_err();
        assert!(!error.is_retryable() && error.to_string().contains("speaks no TLS"), "{error:?}");
    }
}

#[tokio::test]
async fn a_way_to_log_in_that_the_driver_does_not_know_is_named() {
    let server = SqlServer::with_nameless_certificate().await;
    for (identified, plugin) in SqlKind::of_this_run().foreign_logins {
        server.admin().await.query_drop(format!("CREATE USER foreign_{plugin}@'%' {identified}")).await.unwrap();
        for mode in [Off, Unverified] {
            let config = config(&server).user(format!("foreign_{plugin}")).password("secret").tls(mode);
            let error = encrypted(config).await.unwrap_err();
            assert!(matches!(error, ExecuteError::Config(_)), "{error:?}");
            assert!(error.to_string().contains(plugin) && error.to_string().contains("caching_sha2"), "{error}");
        }
    }
}
