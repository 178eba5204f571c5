//! Which manager is meant, and how to speak to it: HTTP on its admin socket.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use futures_util::Stream;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    Method, Request, Response,
    body::{Bytes, Frame, Incoming},
    client::conn::http1,
    http::request,
};
use hyper_util::rt::TokioIo;
use selsius_server::{ADMIN_SOCKET, api, config::Config};
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::UnixStream;

/// Which manager: its data directory, or the configuration that names it.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Node {
    /// The data directory, with database, files and admin socket [default: `data-dir` of the configuration, else
    /// $STATE_DIRECTORY, else ./selsius-data].
    #[arg(long, value_name = "DIR", env = "SELSIUS_DATA_DIR", hide_env_values = true)]
    data_dir: Option<PathBuf>,
    /// The configuration file (selsius.toml); without one everything has its default.
    #[arg(long, value_name = "FILE", env = "SELSIUS_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
}

impl Node {
    /// The configuration, or the default one.
    pub(crate) fn config(&self) -> Result<Config> {
        let Some(path) = &self.config else { return Ok(Config::default()) };
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
        Ok(Config::parse(&name, &text)?)
    }

    /// The data directory.
    pub(crate) fn data_dir(&self, config: &Config) -> PathBuf {
        // systemd gives several directories with colons between, if the unit asks for several.
        let systemd = std::env::var("STATE_DIRECTORY").ok();
        let systemd = systemd.iter().filter_map(|list| list.split(':').next()).find(|path| !path.is_empty());
        let given = self.data_dir.as_deref().or(config.data_dir.as_deref()).or(systemd.map(Path::new));
        given.unwrap_or(Path::new("selsius-data")).into()
    }

    /// Connects to the manager.
    pub(crate) async fn connect(&self) -> Result<Manager> {
        let data_dir = self.data_dir(&self.config()?);
        let socket = data_dir.join(ADMIN_SOCKET);
        let stream = UnixStream::connect(&socket).await.map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => anyhow!(
                "no manager runs with data directory {}; start one with `selsius serve`, or say where it runs with \
                 --data-dir (under systemd: /var/lib/selsius)",
                data_dir.display()
            ),
            ErrorKind::PermissionDenied => anyhow!(
                "{} belongs to another user; try it as root or as the user that the manager runs as",
                socket.display()
            ),
            _ => anyhow!(error).context(format!("cannot speak to {}", socket.display())),
        })?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.context("the manager does not answer")?;
        // Ends with the answer; what goes wrong on it shows there.
        tokio::spawn(connection);
        Ok(Manager { sender })
    }
}

/// Runs one request to its end.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// A connection to a manager.
pub(crate) struct Manager {
    sender: http1::SendRequest<UnsyncBoxBody<Bytes, std::io::Error>>,
}

impl Manager {
    /// Asks, and reads the answer as JSON.
    pub(crate) async fn json<T: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<T> {
        let answer = self.bytes(method, path, body).await?;
        serde_json::from_slice(&answer).context("the manager's answer is of another version")
    }

    /// Sends a value as JSON, and reads the answer as JSON.
    pub(crate) async fn send_json<T: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T> {
        let body = Bytes::from(serde_json::to_vec(body)?);
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let answer = self.request(request, whole(body)).await?;
        let answer = answer.into_body().collect().await.context("the manager broke off")?.to_bytes();
        serde_json::from_slice(&answer).context("the manager's answer is of another version")
    }

    /// Asks, and reads the answer as it is.
    pub(crate) async fn bytes(&mut self, method: Method, path: &str, body: Bytes) -> Result<Bytes> {
        let answer = self.send(method, path, whole(body)).await?;
        Ok(answer.into_body().collect().await.context("the manager broke off")?.to_bytes())
    }

    /// Asks; the answer's body is still to be read.
    pub(crate) async fn answer(&mut self, method: Method, path: &str) -> Result<Incoming> {
        Ok(self.send(method, path, whole(Bytes::new())).await?.into_body())
    }

    /// Sends a stream, and reads the answer as JSON.
    pub(crate) async fn upload<T: DeserializeOwned>(
        &mut self,
        path: &str,
        frames: impl Stream<Item = std::io::Result<Frame<Bytes>>> + Send + 'static,
    ) -> Result<T> {
        let answer = self.send(Method::POST, path, StreamBody::new(frames).boxed_unsync()).await?;
        let answer = answer.into_body().collect().await.context("the manager broke off")?.to_bytes();
        serde_json::from_slice(&answer).context("the manager's answer is of another version")
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: UnsyncBoxBody<Bytes, std::io::Error>,
    ) -> Result<Response<Incoming>> {
        self.request(Request::builder().method(method).uri(path), body).await
    }

    async fn request(
        &mut self,
        request: request::Builder,
        body: UnsyncBoxBody<Bytes, std::io::Error>,
    ) -> Result<Response<Incoming>> {
        let request = request.header("host", "selsius").body(body)?;
        let answer = self.sender.send_request(request).await.context("the manager does not answer")?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let body = answer.into_body().collect().await.context("the manager broke off")?.to_bytes();
        match serde_json::from_slice(&body) {
            Ok(api::Error { error, hint }) if hint.is_empty() => bail!("{error}"),
            Ok(api::Error { error, hint }) => bail!("{error}\n{hint}"),
            Err(_) => bail!("the manager answers {status}"),
        }
    }
}

fn whole(body: Bytes) -> UnsyncBoxBody<Bytes, std::io::Error> {
    Full::new(body).map_err(|never| match never {}).boxed_unsync()
}

/// A text as a value in a query or as a part of a path.
pub(crate) fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(byte.into()),
            _ => escaped += &format!("%{byte:02X}"),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_first_names_the_data_directory() {
        let config = Config { data_dir: Some("/configured".into()), ..Config::default() };
        let given = Node { data_dir: Some("/given".into()), config: None };
        assert_eq!(given.data_dir(&config), Path::new("/given"));
        assert_eq!(Node::default().data_dir(&config), Path::new("/configured"));
    }

    #[test]
    fn file_names_survive_a_query() {
        assert_eq!(escaped("my office&x=1.toml"), "my%20office%26x%3D1.toml");
        assert_eq!(escaped("Büro"), "B%C3%BCro");
    }
}
