//! `mrc query --each`: several values of a param at once.

use serde_json::json;

use crate::run::mrc;
use crate::servers::Servers;

const SINGLE: &str = "SELECT id, name FROM t WHERE id = ?";
const BATCH: &str = "SELECT id, name FROM t WHERE id IN (?)";

#[tokio::test]
async fn each_value_has_its_own_line_and_its_own_entry() {
    let servers = Servers::start().await;
    let each = async |ids: &str, more: &[&str]| {
        servers.mrc(&[&["query", "--sql", SINGLE, "--each", ids, "--batch", BATCH], more].concat()).await
    };
    let misses = each("Id=66,7,6", &[]).await;
    assert_eq!(misses.text(), "[{\"id\":66,\"name\":\"sixty-six\"}]\n[]\n[{\"id\":6,\"name\":\"six\"}]");
    assert!(misses.stderr.starts_with("0 of 3 hit, in "), "{misses:?}");
    let alone = servers.mrc(&["query", "--sql", SINGLE, "--param", "Id=6"]).await;
    assert!(alone.stderr.starts_with("hit in "), "{alone:?}");
    assert_eq!(servers.mrc(&["drop", "Id=6"]).await.text(), "1");

    let document = each("Id=[6,66]", &["--json"]).await.json();
    let key = servers.mrc(&["key", "--sql", SINGLE, "--param", "Id=66"]).await;
    assert_eq!(document["answers"][0]["source"], "computed");
    let expect = json!({"source": "cache", "key": key.text(), "value": [{"id": 66, "name": "sixty-six"}]});
    assert_eq!(document["answers"][1], expect);

    let lacking = each("Id=8,9", &["--column", "uid"]).await;
    assert!(lacking.code == 3 && lacking.stderr.contains("\"uid\""), "{lacking:?}");
}

#[tokio::test]
async fn the_values_need_a_statement_for_several() {
    for args in [&["--each", "Id=1,2"][..], &["--batch", BATCH], &["--each", "1,2", "--batch", BATCH]] {
        let run = mrc(&[&["query", "--sql", SINGLE], args].concat()).await;
        assert_eq!(run.code, 2, "{run:?}");
    }
}
