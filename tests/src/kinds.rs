//! The servers of the matrix, and their differences.
//!
//! Only this file knows the differences, as data. A test asks for what its server does.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A kind of SQL server.
pub struct SqlKind {
    /// Its name in `MRC_TEST_DATABASE`.
    word: &'static str,
    /// Its name in texts.
    pub name: &'static str,
    pub(crate) server: Program,
    pub(crate) installer: Program,
    /// Arguments of the installer that fill a data folder.
    pub(crate) install: &'static [&'static str],
    /// Arguments of the server alone.
    pub(crate) serve: &'static [&'static str],
    /// Arguments of a server that speaks no TLS. By default MySQL and MariaDB from 11.4 speak it.
    pub(crate) without_tls: &'static [&'static str],
    /// Arguments of a server with TLS and the certificate of its data folder. MySQL needs none.
    pub(crate) with_nameless_certificate: &'static [&'static str],
    /// Arguments of a server that writes a log of its changes, as the follower needs it.
    pub(crate) with_log: &'static [&'static str],
    /// The statement that installs semi-synchronous replication, and the start of its variables.
    pub(crate) semi_sync: (Option<&'static str>, &'static str),
    /// Further arguments, with which the log lacks the rows that foreign keys change.
    pub(crate) and_of_old: &'static [&'static str],
    /// Logins that the driver doesn't know: the end of a `CREATE USER`, and the plugin's name.
    pub foreign_logins: &'static [(&'static str, &'static str)],
    /// The variable that limits the time of a statement, and its text for 1.5 seconds.
    pub statement_limit: (&'static str, &'static str),
    /// Types of this kind alone: the column's type, a value in SQL, the value in canonical JSON.
    pub own_types: &'static [(&'static str, &'static str, &'static str)],
    /// `{ }` from a view's column and from `JSON_EXTRACT`: a text where JSON is a name for a text.
    pub json_of_view: &'static str,
    /// See `json_of_view`.
    pub json_of_expression: &'static str,
    /// Values of the golden files as MariaDB stores them, and as this server does.
    kept: &'static [(&'static str, &'static str)],
}

/// A kind of Redis.
pub struct CacheKind {
    /// Its name in `MRC_TEST_CACHE`.
    word: &'static str,
    /// Its name in texts.
    pub name: &'static str,
    pub(crate) server: Program,
}

const MYSQLD: Program = Program {
    variable: "MRC_TEST_MYSQLD",
    unpacked: "mysql/mysqld",
    names: &["mysqld"],
    is_it: |version| !version.contains("MariaDB"),
};

/// The default is the first kind that is installed.
static SQL: [SqlKind; 2] = [
    SqlKind {
        word: "mysql",
        name: "MySQL",
        server: MYSQLD,
        installer: MYSQLD,
        install: &["--initialize-insecure"],
        serve: &["--mysqlx=OFF", "--secure-file-priv=NULL", "--innodb-redo-log-capacity=32M"],
        without_tls: &["--tls-version="],
        with_nameless_certificate: &[],
        with_log: &[
            "--log-bin=binlog",
            "--server-id=1",
            "--gtid-mode=ON",
            "--enforce-gtid-consistency=ON",
            "--binlog-row-metadata=FULL",
        ],
        semi_sync: (
            Some("INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'"),
            "GLOBAL rpl_semi_sync_source_",
        ),
        and_of_old: &["--innodb-native-foreign-keys=ON"],
        foreign_logins: &[("IDENTIFIED WITH sha256_password BY 'secret'", "sha256_password")],
        statement_limit: ("max_execution_time", "1500"),
        own_types: &[("VECTOR(2)", "STRING_TO_VECTOR('[0.1,-2]')", r#""zczMPQAAAMA=""#)],
        json_of_view: "{}",
        json_of_expression: "{}",
        kept: &[
            (r#"{"a":[1,2.50]}"#, r#"{"a":[1,2.5]}"#),
            (r#""d3010":1e-07,"f":0.0,"d":0.0,"#, r#""d3010":1e-07,"f":0.0,"d":-0.0,"#),
            (
                r#"{"b":1,"a":[1.0,2.50,null,true],"é":"\u2028"}"#,
                "{\"a\":[1.0,2.5,null,true],\"b\":1,\"é\":\"\u{2028}\"}",
            ),
            ("{\"b\":1,\"a\":[1,2.5,null,true],", "{\"a\":[1,2.5,null,true],\"b\":1,"),
            (
                r#""{\"b\": 1, \"a\": [1.0, 2.50, null, true], \"é\": \"\\u2028\"}""#,
                "\"{\\\"a\\\": [1.0, 2.5, null, true], \\\"b\\\": 1, \\\"é\\\": \\\"\u{2028}\\\"}\"",
            ),
        ],
    },
    SqlKind {
        word: "mariadb",
        name: "MariaDB",
        server: program("MRC_TEST_MARIADBD", "mariadb/mariadbd", &["mariadbd", "mysqld"], |version| {
            version.contains("MariaDB")
        }),
        installer: program(
            "MRC_TEST_MARIADB_INSTALL_DB",
            "mariadb/mariadb-install-db",
            &["mariadb-install-db", "mysql_install_db"],
            |_| true,
        ),
        install: &["--auth-root-authentication-method=normal", "--skip-test-db"],
        serve: &["--innodb-log-file-size=8M"],
        without_tls: &["--skip-ssl"],
        with_nameless_certificate: &["--ssl-ca=ca.pem", "--ssl-cert=server-cert.pem", "--ssl-key=server-key.pem"],
        with_log: &["--log-bin=binlog", "--server-id=1", "--binlog-format=ROW", "--binlog-row-metadata=FULL"],
        semi_sync: (None, "GLOBAL rpl_semi_sync_master_"),
        and_of_old: &[],
        // Its package leaves out the plugins, ed25519 and PAM.
        foreign_logins: &[],
        statement_limit: ("max_statement_time", "1.5"),
        own_types: &[
            ("UUID", "'123e4567-e89b-12d3-a456-426655440000'", r#""123e4567-e89b-12d3-a456-426655440000""#),
            ("INET6", "'::1'", r#""::1""#),
        ],
        json_of_view: r#""{ }""#,
        json_of_expression: r#""{}""#,
        kept: &[],
    },
];

/// The default is the first kind that is installed.
static CACHES: [CacheKind; 3] = [
    CacheKind {
        word: "redis8",
        name: "Redis",
        server: program("MRC_TEST_REDIS8", "redis8/redis-server", &["redis-server"], |version| {
            version.starts_with("Redis") && version.contains("v=8.")
        }),
    },
    CacheKind {
        word: "redis7",
        name: "Redis",
        server: program("MRC_TEST_REDIS7", "redis7/redis-server", &["redis-server"], |version| {
            version.starts_with("Redis") && version.contains("v=7.")
        }),
    },
    CacheKind {
        word: "valkey9",
        name: "Valkey",
        server: program("MRC_TEST_VALKEY9", "valkey9/valkey-server", &["valkey-server"], |version| {
            version.starts_with("Valkey") && version.contains("v=9.")
        }),
    },
];

impl SqlKind {
    /// Returns the kind of this process's tests, from `MRC_TEST_DATABASE` (`mysql`, `mariadb`).
    /// Default: the first of these that is installed.
    pub fn of_this_run() -> &'static Self {
        static CHOSEN: OnceLock<&SqlKind> = OnceLock::new();
        CHOSEN.get_or_init(|| choose("MRC_TEST_DATABASE", &SQL, |kind| (kind.word, &kind.server)))
    }

    /// Returns a line of a golden file with its values as this server stores them.
    ///
    /// MySQL sorts names in JSON documents, rewrites numbers and characters, and keeps `-0`.
    pub fn kept(&self, golden: &str) -> String {
        self.kept.iter().fold(golden.to_owned(), |line, (written, kept)| line.replace(written, kept))
    }

    /// Returns its name and version.
    pub fn version(&self) -> String {
        format!("{} {}", self.name, self.server.version())
    }
}

impl CacheKind {
    /// Returns the kind of this process's tests: `MRC_TEST_CACHE` (`redis8`, `redis7`, `valkey9`).
    /// Default: the first of these that is installed.
    pub fn of_this_run() -> &'static Self {
        static CHOSEN: OnceLock<&CacheKind> = OnceLock::new();
        CHOSEN.get_or_init(|| choose("MRC_TEST_CACHE", &CACHES, |kind| (kind.word, &kind.server)))
    }

    /// Returns its name and version.
    pub fn version(&self) -> String {
        format!("{} {}", self.name, self.server.version())
    }
}

fn choose<K>(
    variable: &str,
    kinds: &'static [K],
    parts: impl Fn(&'static K) -> (&'static str, &'static Program),
) -> &'static K {
    let Ok(chosen) = std::env::var(variable) else {
        let installed = kinds.iter().find(|kind| parts(kind).1.find().is_some());
        return installed.unwrap_or(&kinds[0]);
    };
    let words: Vec<&str> = kinds.iter().map(|kind| parts(kind).0).collect();
    kinds
        .iter()
        .find(|kind| parts(kind).0 == chosen)
        .unwrap_or_else(|| panic!("{variable}={chosen}: choose of {words:?}"))
}

/// A server's program, or one that belongs to it.
pub(crate) struct Program {
    /// The variable that names its path.
    pub(crate) variable: &'static str,
    /// Where `scripts/servers` unpacks it, under `tests/servers`.
    pub(crate) unpacked: &'static str,
    /// Its names on PATH.
    pub(crate) names: &'static [&'static str],
    /// Whether a program of such a name is this one, by its answer to `--version`.
    pub(crate) is_it: fn(&str) -> bool,
}

const fn program(
    variable: &'static str,
    unpacked: &'static str,
    names: &'static [&'static str],
    is_it: fn(&str) -> bool,
) -> Program {
    Program { variable, unpacked, names, is_it }
}

impl Program {
    /// Returns its path: the variable's, the unpacked one, or the first on PATH or in usual places.
    /// Returns `None` if it isn't installed.
    pub(crate) fn find(&self) -> Option<PathBuf> {
        if let Some(path) = std::env::var_os(self.variable) {
            return Some(path.into());
        }
        let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("servers").join(self.unpacked);
        if unpacked.is_file() {
            return Some(unpacked);
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let usual = ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin"].map(PathBuf::from);
        let folders: Vec<PathBuf> = std::env::split_paths(&path).chain(usual).collect();
        self.names
            .iter()
            .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
            .find(|path| path.is_file() && (self.is_it)(&version(path)))
    }

    /// Returns its path. Panics if it isn't installed.
    pub(crate) fn path(&self) -> PathBuf {
        let Self { variable, unpacked, .. } = self;
        self.find().unwrap_or_else(|| panic!("{unpacked} isn't installed: run scripts/setup, or name it in {variable}"))
    }

    /// Returns the version number that it prints, or `unknown`.
    pub(crate) fn version(&self) -> String {
        let said = self.find().map(|path| version(&path)).unwrap_or_default();
        let after = ["Ver ", "v="].iter().find_map(|mark| said.split_once(mark));
        after.and_then(|(_, after)| after.split([' ', '-']).next()).unwrap_or("unknown").to_owned()
    }
}

/// Returns the first line that a program prints for `--version`.
fn version(path: &Path) -> String {
    let output = Command::new(path).arg("--version").output();
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    said.lines().next().unwrap_or_default().to_owned()
}
