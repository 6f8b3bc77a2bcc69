//! A connection to a Redis server that comes back by itself.

use std::{fmt, time::Duration};

use redis::{
    Client, FromRedisValue, IntoConnectionInfo, ScriptInvocation,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use crate::QueueError;

/// How long a connection may take to come about, and an answer to come.
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(10);

/// A Redis server. Cheap to clone; clones share one connection, which is made with the first command and again when it
/// broke.
#[derive(Clone)]
pub struct Server {
    /// Without a password.
    address: String,
    connection: ConnectionManager,
    /// For reads that wait: they would hold up every other command.
    waiting: ConnectionManager,
}

impl Server {
    /// Nothing is sent yet. `redis://[user:password@]host[:port][/db]`, `rediss://…` for TLS, `redis+unix:///path`.
    pub fn open(address: &str) -> Result<Self, QueueError> {
        let shown = without_password(address);
        let refused = |source| QueueError::Address { address: shown.clone(), source };
        let info = address.into_connection_info().map_err(refused)?;
        let client = Client::open(info).map_err(refused)?;
        let config = |answer: Duration| {
            ConnectionManagerConfig::new()
                .set_connection_timeout(Some(CONNECT))
                .set_response_timeout(Some(answer))
                .set_number_of_retries(1)
                .set_max_delay(Duration::from_millis(500))
        };
        let manager = |answer| ConnectionManager::new_lazy_with_config(client.clone(), config(answer)).map_err(refused);
        let (connection, waiting) = (manager(ANSWER)?, manager(ANSWER + crate::list::LONGEST_WAIT)?);
        Ok(Self { address: shown, connection, waiting })
    }

    /// The address, without a password.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Runs a script.
    pub(crate) async fn run<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
        what: impl FnOnce() -> String,
    ) -> Result<T, QueueError> {
        let mut connection = self.connection.clone();
        script.invoke_async(&mut connection).await.map_err(|source| self.failed(what(), source))
    }

    /// Runs a command that waits at the server.
    pub(crate) async fn wait<T: FromRedisValue>(
        &self,
        command: &redis::Cmd,
        what: impl FnOnce() -> String,
    ) -> Result<T, QueueError> {
        let mut connection = self.waiting.clone();
        command.query_async(&mut connection).await.map_err(|source| self.failed(what(), source))
    }

    /// Runs a command.
    pub(crate) async fn ask<T: FromRedisValue>(
        &self,
        command: &redis::Cmd,
        what: impl FnOnce() -> String,
    ) -> Result<T, QueueError> {
        let mut connection = self.connection.clone();
        command.query_async(&mut connection).await.map_err(|source| self.failed(what(), source))
    }

    fn failed(&self, what: String, source: redis::RedisError) -> QueueError {
        QueueError::Command { what, address: self.address.clone(), source }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.debug_tuple("Server").field(&self.address).finish()
    }
}

/// The address as it may be shown. What is no address may hold a password all the same; a socket's is in the query.
fn without_password(address: &str) -> String {
    match url::Url::parse(address) {
        Ok(mut url) if !url.cannot_be_a_base() => {
            let _ = url.set_password(None);
            url.set_query(None);
            url.to_string()
        }
        _ => address.rsplit_once('@').map_or_else(|| address.to_owned(), |(_, host)| format!("…@{host}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn passwords_are_nowhere_to_be_seen() {
        let server = Server::open("redis://drain:secret@redis.example.org:6380/2").unwrap();
        assert_eq!(format!("{server:?}"), r#"Server("redis://drain@redis.example.org:6380/2")"#);
        for address in ["http://u:secret@redis/", "secret:secret@redis"] {
            let error = Server::open(address).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("secret@"), "{error:?}");
            assert!(error.to_string().contains("redis://redis:6379/0") && !error.is_outage());
        }
    }
}
