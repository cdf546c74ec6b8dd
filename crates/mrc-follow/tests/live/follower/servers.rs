//! An address of the database that leads to another server, or to one that doesn't answer.

use std::future::pending;

use mrc_tests::{Database, SqlServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};

use super::{Shop, own_server};

/// The port to which a connection leads, until the client says a word.
type Way = (u16, Option<&'static [u8]>);

/// Returns a port whose connections go these ways in turn, and then all the last one.
async fn port_to(ways: &'static [Way]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut ways = ways.iter().copied().chain(std::iter::repeat(ways[ways.len() - 1]));
        while let Some((way, (client, _))) = ways.next().zip(listener.accept().await.ok()) {
            tokio::spawn(pass(client, way));
        }
    });
    port
}

async fn pass(client: TcpStream, (port, last): Way) -> std::io::Result<()> {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = TcpStream::connect(("127.0.0.1", port)).await?.into_split();
    let requests = async {
        let mut chunk = vec![0; 64 * 1024];
        loop {
            let n = from_client.read(&mut chunk).await?;
            if n == 0 {
                return Ok(());
            }
            if last.is_some_and(|last| chunk[..n].windows(last.len()).any(|window| window == last)) {
                pending::<()>().await;
            }
            to_server.write_all(&chunk[..n]).await?;
        }
    };
    tokio::select! {
        done = requests => done,
        done = copy(&mut from_server, &mut to_client) => done.map(drop),
    }
}

/// A shop whose follower connects to this port.
async fn shop(database: Database, server: &SqlServer, port: u16) -> Shop {
    // The other server lacks the database.
    let url = server.url("").replace(&format!(":{}/", server.port()), &format!(":{port}/"));
    let shop = Shop::with_url(database, "", &url).await;
    shop.following.until(|status| status.silence.is_some()).await;
    shop.fill().await;
    shop
}

#[tokio::test]
async fn an_address_that_moves_between_two_connections_is_noticed() {
    let (server, database) = own_server().await;
    let other = SqlServer::shared_with_log().await;
    let (here, there) = ((server.port(), None), (other.port(), None));
    let shop = shop(database, server, port_to(vec![here, there, here].leak()).await).await;
    shop.check("UPDATE orders SET state = 'paid' WHERE id = 1", &["store 6", "order 1"]).await;
    let status = shop.following.follower.status();
    assert_eq!((status.reconnects, status.lost), (1, 0), "{status:?}");
}

#[tokio::test]
async fn a_server_that_goes_silent_before_the_stream_begins_is_connected_again() {
    let server = SqlServer::shared_with_log().await;
    let way: Way = (server.port(), None);
    let ways = vec![way, (server.port(), Some(b"heartbeat_period")), way].leak();
    let shop = shop(Database::logged().await, server, port_to(ways).await).await;
    shop.check("UPDATE orders SET state = 'paid' WHERE id = 1", &["store 6", "order 1"]).await;
    assert_eq!(shop.following.follower.status().reconnects, 1);
}
