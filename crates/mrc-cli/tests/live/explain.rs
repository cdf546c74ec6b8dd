//! `mrc explain`: which changed rows invalidate a query's entry. No server is asked.

use serde_json::json;

use crate::run::{Run, mrc, mrc_with, shell};

const PAGE: &str = include_str!("../../../../docs/exact.md");

const ORDERS: &str = "SELECT id FROM orders WHERE store_id = ?";

#[tokio::test]
async fn each_example_of_the_page_prints_what_the_page_shows() {
    let blocks: Vec<&str> = PAGE.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 4, "{blocks:?}");
    for block in blocks {
        let block = block.strip_prefix("$ ").unwrap_or_else(|| panic!("no command begins {block}"));
        // A command goes on after a backslash at the end of a line.
        let lines = block.split_inclusive('\n');
        let length: usize = lines.clone().take_while(|line| line.ends_with("\\\n")).map(str::len).sum();
        let end = length + block[length..].find('\n').unwrap() + 1;
        let (command, expected) = block.split_at(end);
        let run = shell(command).await;
        assert_eq!((run.text().to_owned() + "\n", &*run.stderr), (expected.to_owned(), ""), "{command}");
    }
}

#[tokio::test]
async fn programs_read_json() {
    let sql =
        "SELECT o.id FROM orders o JOIN items i ON i.order_id = o.id WHERE o.store_id IN (?) AND o.created > NOW()";
    let run = mrc(&["explain", "--sql", sql, "--param", "StoreId=[6,7]", "--database", "shop", "--json"]).await;
    let join = json!({
        "condition": "i.order_id = o.id", "why": "another_column", "reason": "it compares two columns",
        "advice": "if you know the value, compare both columns with it",
    });
    let expected = json!({
        "is_cacheable": true, "not_cacheable": null,
        "is_followable": true, "not_followable": null,
        "clock": "NOW()",
        "occurrences": [
            {
                "table": "shop.orders", "scheme": "store_id:int",
                "tags": ["t:shop.orders?store_id=6", "t:shop.orders?store_id=7"],
                "scheme_tag": "t:shop.orders?store_id:int", "table_tag": "t:shop.orders", "unsure": [],
                "left_out": [
                    {
                        "condition": "o.created > NOW()", "why": "not_an_equality",
                        "reason": "only `column = constant`, `column IN (constants)` and `column IS NULL` narrow the rows",
                        "advice": "keep it, and add an equality that you know, such as the id of the customer",
                    },
                    join,
                ],
            },
            {
                "table": "shop.items", "scheme": "", "tags": ["t:shop.items?"],
                "scheme_tag": "t:shop.items?", "table_tag": "t:shop.items", "unsure": [], "left_out": [join],
            },
        ],
    });
    assert_eq!((run.json(), &*run.stderr), (expected, ""));
}

#[tokio::test]
async fn the_database_is_that_of_the_flag_or_else_of_the_url() {
    let explain = async |more: &[&str], url: &str| -> Run {
        let args = [&["explain", "--sql", ORDERS, "--param", "StoreId=6", "--json"], more].concat();
        mrc_with(&args, &[("MRC_MYSQL_URL", url)], "").await
    };
    let table = |run: &Run| run.json()["occurrences"][0]["table"].clone();
    // Nothing listens there: no server is asked.
    let url = "mysql://u:hunter2@127.0.0.1:1/of_url";
    assert_eq!(table(&explain(&[], url).await), "shop.orders".replace("shop", "of_url"));
    assert_eq!(table(&explain(&["--database", "shop"], url).await), "shop.orders");
    assert_eq!(table(&explain(&["--database", "shop"], "oracle://h").await), "shop.orders");
    for without in ["mysql://h", ""] {
        let explained = explain(&[], without).await.json();
        let why = explained["not_followable"].as_str().unwrap();
        assert!(why.contains("write `database.orders`"), "{explained}");
        assert_eq!(explained["is_cacheable"], true);
    }
    let wrong = explain(&[], "oracle://u:hunter2@h/x").await;
    assert!(wrong.code == 2 && wrong.error()[1].starts_with("--mysql: ") && !wrong.stderr.contains("hunter2"));
}

#[tokio::test]
async fn a_statement_that_is_not_cached_is_explained_all_the_same() {
    for (sql, expect) in [
        ("DELETE FROM orders", "cacheable   no: `DELETE` writes"),
        ("SELECT id FROM orders FOR UPDATE", "cacheable   no: `FOR UPDATE` is about locks"),
        ("SELECT 'a", "cacheable   no: can't tell whether the statement only reads"),
        ("TABLE orders", "cacheable   yes\nfollowable  no, the entry only expires: "),
    ] {
        let run = mrc(&["explain", "--database", "shop", "--sql", sql]).await;
        assert!(run.text().starts_with(expect) && run.stderr.is_empty(), "{run:?}");
    }
}

#[tokio::test]
async fn params_that_do_not_fit_are_an_error() {
    for (args, expect) in [
        (&[][..], "--param: the statement has 1 placeholder, but 0 params were given"),
        (&["--param", "A=1", "--param", "B=2"], "--param: the statement has 1 placeholder, but 2 params were given"),
        (&["--param", "A=[]"], "--param: param 1 (list) can't be bound: "),
        (&["--param", "A=1", "--database", ""], "--database"),
    ] {
        let run = mrc(&[&["explain", "--sql", ORDERS, "--json"], args].concat()).await;
        let [kind, message] = run.error();
        assert!(run.code == 2 && kind == "usage" && message.contains(expect), "{run:?}");
    }
}
