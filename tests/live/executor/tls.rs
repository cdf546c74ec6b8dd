//! TLS to a server, the checks of its certificate, and accounts that can't log in without TLS.

use mrc_store::mysql::TlsMode::{Off, Unverified, VerifyCa, VerifyIdentity};
use mrc_store::{ExecuteError, MySqlConfig};
use mrc_tests::{SqlKind, SqlServer};
use mysql_async::prelude::Queryable;

use super::{canonical, executor};

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
