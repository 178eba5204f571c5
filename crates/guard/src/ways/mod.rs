//! Ways for audio: opened when a call needs them, closed with it.

mod nft;
mod relay;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::mpsc::{Receiver, Sender, channel},
    thread::JoinHandle,
    time::Duration,
};

use mio::Waker;
pub use nft::{Network, NftError};
use selsius_inspect::guard::{ConnectionId, Passage};

/// What opens them.
#[derive(Debug)]
pub struct Ways {
    to: Option<(Sender<Order>, Option<Waker>, JoinHandle<()>)>,
    /// Which streams of a connection have ways.
    open: BTreeMap<ConnectionId, BTreeSet<u64>>,
}

/// What is to be done about ways.
#[derive(Debug)]
pub(crate) enum Order {
    /// The ways of a stream.
    Set(Passage),
    /// The guard ends.
    End,
}

impl Ways {
    /// Nothing does: where no firewall is in the audio's way.
    pub fn none() -> Self {
        Self { to: None, open: BTreeMap::new() }
    }

    /// Sets of nftables, for audio that this machine routes. What is in them from before stays until its time is over.
    ///
    /// # Errors
    /// If `nft` is not there, or may not do it.
    pub fn nftables(network: Network) -> Result<Self, NftError> {
        let (to, orders) = channel();
        let thread = nft::start(network, orders)?;
        Ok(Self { to: Some((to, None, thread)), open: BTreeMap::new() })
    }

    /// Sockets of our own, which pass packets on.
    ///
    /// # Errors
    /// If the system refuses a thread or a poll.
    pub fn relay() -> io::Result<Self> {
        let (to, orders) = channel();
        let (waker, thread) = relay::start(orders)?;
        Ok(Self { to: Some((to, Some(waker), thread)), open: BTreeMap::new() })
    }

    /// The ways of a stream are these from now on.
    pub fn set(&mut self, connection: ConnectionId, passage: Passage) {
        let streams = self.open.entry(connection).or_default();
        match passage.inward.is_none() && passage.outward.is_none() {
            true => streams.remove(&passage.id),
            false => streams.insert(passage.id),
        };
        if streams.is_empty() {
            self.open.remove(&connection);
        }
        self.send(Order::Set(passage));
    }

    /// A connection is over. As a rule all its ways are closed by then.
    pub fn forget(&mut self, connection: ConnectionId) {
        for id in self.open.remove(&connection).unwrap_or_default() {
            self.send(Order::Set(Passage { id, inward: None, outward: None }));
        }
    }

    /// The guard ends: sockets are closed, and what is in the kernel's sets stays for the next one to take over.
    pub fn end(&mut self) {
        self.send(Order::End);
        if let Some((_, _, thread)) = self.to.take() {
            let _ = thread.join();
        }
    }

    fn send(&self, order: Order) {
        if let Some((to, waker, _)) = &self.to {
            let _ = to.send(order);
            if let Some(waker) = waker {
                let _ = waker.wake();
            }
        }
    }
}

/// Waits for orders, but not longer than that. `None`: time is over.
fn next(orders: &Receiver<Order>, patience: Duration) -> Option<Order> {
    match orders.recv_timeout(patience) {
        Ok(order) => Some(order),
        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => None,
        Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => Some(Order::End),
    }
}
