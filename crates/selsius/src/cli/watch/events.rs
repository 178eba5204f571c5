//! Server-sent events, read one by one.

use anyhow::{Context, Result};
use http_body_util::BodyExt;
use hyper::{Method, body::Incoming};
use serde::de::DeserializeOwned;

use crate::cli::node::Node;

/// A stream of events.
pub(super) struct Events {
    body: Incoming,
    reader: Reader,
}

impl Events {
    pub(super) async fn open(node: &Node, path: &str) -> Result<Self> {
        let body = node.connect().await?.answer(Method::GET, path).await?;
        Ok(Self { body, reader: Reader::default() })
    }

    /// The next one; nothing when the stream has ended. Whoever drops this future loses nothing.
    pub(super) async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        loop {
            if let Some(data) = self.reader.event() {
                let event = serde_json::from_str(&data).context("the manager's answer is of another version");
                return event.map(Some);
            }
            let Some(frame) = self.body.frame().await else { return Ok(None) };
            // A manager that stops in the middle of a stream is the stream's end.
            let Ok(frame) = frame else { return Ok(None) };
            if let Ok(bytes) = frame.into_data() {
                self.reader.take(&bytes);
            }
        }
    }
}

/// Cuts events out of what arrives. The manager names an event beside its data; the data says so itself.
#[derive(Debug, Default)]
struct Reader {
    rest: Vec<u8>,
}

impl Reader {
    fn take(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
    }

    /// The data of the next event that is there whole.
    fn event(&mut self) -> Option<String> {
        loop {
            let end = self.rest.windows(2).position(|pair| pair == b"\n\n")?;
            let block: Vec<u8> = self.rest.drain(..end + 2).collect();
            let block = String::from_utf8_lossy(&block);
            let data: Vec<_> = block.lines().filter_map(|line| line.strip_prefix("data:")).collect();
            // Else a comment, which keeps the connection alive.
            if !data.is_empty() {
                return Some(data.join("\n"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_found_however_they_are_cut() {
        let text =
            ":\n\nevent: call\ndata: {\"id\":\ndata: 1}\n\n:\n\nevent: call\ndata: {\"id\":2}\n\ndata: half";
        for size in 1..text.len() {
            let (mut reader, mut found) = (Reader::default(), Vec::new());
            for bytes in text.as_bytes().chunks(size) {
                reader.take(bytes);
                while let Some(event) = reader.event() {
                    found.push(serde_json::from_str::<serde_json::Value>(&event).unwrap()["id"].clone());
                }
            }
            assert_eq!(found, [1, 2]);
        }
    }
}
